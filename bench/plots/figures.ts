// Which figures of the results are drawn, and how.
import type { Results } from '../harness/results.ts';
import { median, spread } from '../harness/statistics.ts';
import { type Bar, barChart } from './bar-chart.ts';
import { count, duration, number, percent, quantity, ratio } from './for-people.ts';
import { type Axis, type Line, lineChart, type Point } from './line-chart.ts';
import { linear, logarithmic, withTicks } from './scale.ts';
import { againstSmallest, type Figures, hasSeries, medians, pointsOf } from './series.ts';

/** A picture, as it stands in the page. */
export interface Drawn {
  readonly svg: string;
  /** The figures in words, for those who do not see it. */
  readonly description: string;
}

export interface Figure {
  /** Of its file, and of its place in the page. */
  readonly name: string;
  /** @throws MissingSeriesError where the results do not hold what it shows */
  readonly draw: (results: Results) => Drawn;
}

/** More points of a line than these are not all told in words. */
const MANY = 5;

const MEGABYTE = 1_000_000;
const MILLION = 1_000_000;
/** What counts as flat, as the bench judges it. */
const FLAT = { rate: 0.9, heap: 1.1 };

/** In the series, in the picture, and in the rows of the table. */
const CONTENDERS = [
  { series: 'ws', name: 'raw ws', row: 'raw ws' },
  { series: 'piscina', name: 'tuned Piscina', row: 'Piscina' },
  { series: 'piscina, defaults', name: 'Piscina', row: 'its defaults' },
  { series: 'bullmq', name: 'BullMQ', row: 'BullMQ' },
];

/** Handlers, as the series numbers them. */
const HANDLERS = ['inline', 'in a sandbox'];

export const figures: readonly Figure[] = [
  { name: 'throughput', draw: throughput },
  { name: 'granularity', draw: granularity },
  { name: 'growth', draw: growth },
  { name: 'endurance-rate', draw: enduranceRate },
  { name: 'endurance-heap', draw: enduranceHeap },
];

function throughput(results: Results): Drawn {
  const own = rates(results, 'taskdist');
  const bars: Bar[] = [
    { name: 'taskdist', ...own },
    ...CONTENDERS.flatMap(({ series, name, row }) => {
      // Where there is no Redis, the others are shown all the same.
      if (!hasSeries(results, 'throughput', series)) return [];
      const rate = rates(results, series);
      const goal = goalAgainst(results, row);
      return [{ name, ...rate, ...(goal && { goal: { value: goal * rate.value, name: `${goal} ×` } }) }];
    }),
  ];
  const largest = Math.max(...bars.flatMap(({ spread, goal }) => [spread[1], goal?.value ?? 0]));
  const description = `Tasks per second, median of the rounds: ${bars.map(({ name, value }) => `${name} ${number(value)}`).join(', ')}.`;
  const svg = barChart({
    title: 'Small tasks, one worker',
    description,
    scale: linear(largest),
    unit: 'tasks/s',
    format: number,
    bars,
    goals: 'what taskdist is to reach against it',
  });
  return { svg, description };
}

function rates(results: Results, series: string): Pick<Bar, 'value' | 'spread'> {
  const values = pointsOf(results, 'throughput', series).map((field) => field('rate'));
  return { value: median(values), spread: spread(values) };
}

function goalAgainst(results: Results, against: string): number | undefined {
  const target = results.parts['throughput']?.rows.find((row) => row.against === against)?.target;
  return target && 'atLeast' in target ? target.atLeast : undefined;
}

function granularity(results: Results): Drawn {
  const points = pointsOf(results, 'granularity', 'efficiency');
  const lines = HANDLERS.map((name, kind) => ({
    name,
    points: medians(
      points.filter((point) => point('kind') === kind),
      'taskUs',
      'efficiency',
    ),
  }));
  const description = inWords(
    'Share of the time in which a worker computes, by how long a task is',
    lines,
    duration,
    percent,
  );
  const svg = lineChart({
    title: 'How long a task should be',
    description,
    x: { scale: acrossAll(lines), label: 'how long one task computes', tick: duration },
    y: {
      scale: withTicks([0, 0.25, 0.5, 0.75, 0.9, 1], highest(lines, 1)),
      label: 'efficiency: share of the time spent computing',
      tick: percent,
    },
    lines,
    limits: [{ y: 0.5, name: '50 % and 90 %' }, { y: 0.9 }],
  });
  return { svg, description };
}

function growth(results: Results): Drawn {
  const lines = [
    { name: 'tasks that wait', series: 'backlog' },
    { name: 'types of tasks', series: 'types' },
    { name: 'other, idle workers', series: 'idleWorkers' },
    { name: 'kinds of 1000 idle workers', series: 'kinds' },
  ].map(({ name, series }) => ({ name, points: againstSmallest(pointsOf(results, 'growth', series), series) }));
  const description = inWords('Rate, of that with the fewest', lines, count, ratio);
  const svg = lineChart({
    title: 'The rate with many of something',
    description,
    x: { scale: acrossAll(lines), label: 'how many there are', tick: count },
    y: { scale: linear(highest(lines, 1.2)), label: 'rate, of that with the fewest', tick: ratio },
    lines,
    limits: [{ y: FLAT.rate, name: `to stay above: ${FLAT.rate}` }],
  });
  return { svg, description };
}

function enduranceRate(results: Results): Drawn {
  const lines = [
    { name: 'master and worker that have done all of them', points: stagesOf(results, (stage) => stage('rate')) },
    { name: 'new ones, meanwhile', points: stagesOf(results, (stage) => stage('newRate')) },
  ];
  const description = inWords('Tasks per second, by how many tasks were done', lines, millions, number);
  const svg = lineChart({
    title: 'The rate, task after task',
    description,
    x: doneAxis(lines),
    y: { scale: linear(highest(lines)), label: 'tasks/s', tick: number },
    lines,
  });
  return { svg, description };
}

function enduranceHeap(results: Results): Drawn {
  const lines = ['master', 'worker'].map((name) => ({
    name,
    points: stagesOf(results, (stage) => stage(`${name}HeapBytes`) / MEGABYTE),
  }));
  const limits = lines.map((line, of) => ({ y: FLAT.heap * firstOf(line), of }));
  const description = inWords('Heap after gc, by how many tasks were done', lines, millions, (mb) =>
    quantity(mb, 'MB'),
  );
  const svg = lineChart({
    title: 'The heap, task after task',
    description,
    x: doneAxis(lines),
    y: { scale: linear(highest(lines, ...limits.map(({ y }) => y))), label: 'MB, after gc', tick: number },
    lines,
    limits: limits.map((limit, index) =>
      index === 0 ? { ...limit, name: `to stay below: ${FLAT.heap} × the first` } : limit,
    ),
  });
  return { svg, description };
}

function stagesOf(results: Results, figure: (stage: Figures) => number): Point[] {
  return pointsOf(results, 'endurance', 'stages').map((stage) => ({
    x: stage('tasksDone') / MILLION,
    y: figure(stage),
  }));
}

function doneAxis(lines: readonly Line[]): Axis {
  return { scale: linear(Math.max(...figuresOf(lines, 'x'))), label: 'million tasks done', tick: number };
}

function millions(value: number): string {
  return count(value * MILLION);
}

function acrossAll(lines: readonly Line[]) {
  const all = figuresOf(lines, 'x');
  return logarithmic(Math.min(...all), Math.max(...all));
}

function highest(lines: readonly Line[], ...others: number[]): number {
  return Math.max(...figuresOf(lines, 'y'), ...others);
}

function figuresOf(lines: readonly Line[], axis: keyof Point): number[] {
  return lines.flatMap(({ points }) => points.map((point) => point[axis]));
}

function firstOf(line: Line | undefined): number {
  return line?.points[0]?.y ?? Number.NaN;
}

function inWords(
  what: string,
  lines: readonly Line[],
  formatX: (value: number) => string,
  formatY: (value: number) => string,
): string {
  const told = lines.map(({ name, points }) => {
    const shown = points.length <= MANY ? points : everySecond(points);
    return `${name}: ${shown.map(({ x, y }) => `${formatY(y)} at ${formatX(x)}`).join(', ')}`;
  });
  return `${what}. ${told.join('; ')}.`;
}

/** Who listens to a description wants its course: the ends, and half of what lies between. */
function everySecond(points: readonly Point[]): Point[] {
  return points.filter((_, index) => index % 2 === 0 || index === points.length - 1);
}
