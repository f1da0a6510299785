// Takes series out of the results, and makes points of a line of them.
import type { Results, Series } from '../harness/results.ts';
import { median } from '../harness/statistics.ts';
import type { Point } from './line-chart.ts';

/** That part of the bench has not been run, or did not measure it. */
export class MissingSeriesError extends Error {}

/** One point of a series, by the names of its figures. @throws MissingSeriesError of one that it does not have */
export type Figures = (name: string) => number;

export function hasSeries(results: Results, part: string, series: string): boolean {
  return seriesOf(results, part, series).length > 0;
}

/** @throws MissingSeriesError */
export function pointsOf(results: Results, part: string, series: string): Figures[] {
  const points = seriesOf(results, part, series);
  if (points.length === 0) throw new MissingSeriesError(`there is no series ${series} of ${part} in the results`);
  return points.map((point) => (name) => {
    const figure = point[name];
    if (figure === undefined) throw new MissingSeriesError(`the series ${series} of ${part} has no ${name}`);
    return figure;
  });
}

/** In the order of the axis, the median of the rounds. */
export function medians(points: readonly Figures[], x: string, y: string): Point[] {
  const groups = new Map<number, number[]>();
  for (const point of points) groups.set(point(x), [...(groups.get(point(x)) ?? []), point(y)]);
  return [...groups].map(([at, values]) => ({ x: at, y: median(values) })).sort((a, b) => a.x - b.x);
}

/** The rate by that at the smallest, as the table has it: the median of the ratios of each round. */
export function againstSmallest(points: readonly Figures[], x: string): Point[] {
  const smallest = Math.min(...points.map((point) => point(x)));
  const base = new Map(points.filter((point) => point(x) === smallest).map((point) => [point('round'), point('rate')]));
  const ratios = points.map(
    (point): Figures =>
      (name) =>
        name === 'ratio' ? point('rate') / (base.get(point('round')) ?? Number.NaN) : point(name),
  );
  return medians(ratios, x, 'ratio');
}

function seriesOf(results: Results, part: string, series: string): Series[string] {
  return results.parts[part]?.series[series] ?? [];
}
