// The minimum effective task granularity, METG, from how efficient tasks of some lengths are.

export interface EfficiencyPoint {
  readonly taskUs: number;
  /** Which share of the time the tasks themselves took, from 0 to 1. */
  readonly efficiency: number;
}

/**
 * The shortest length, in µs, at which the efficiency is at least `share`: between two that were measured in proportion to their
 * logarithms. Where the curve falls below again, that is noise, which makes nothing look more efficient than it is. Beyond the lengths
 * that were measured, what a task costs besides is taken to be what it is at the nearest of them.
 *
 * @param points in order of their lengths
 * @throws RangeError of no points
 */
export function metgUs(points: readonly EfficiencyPoint[], share: number): number {
  const [shortest, longest] = [points[0], points.at(-1)];
  if (shortest === undefined || longest === undefined) throw new RangeError('Expected at least one point');
  const index = points.findIndex(({ efficiency }) => efficiency >= share);
  if (index === -1) return atSameCost(longest, share);
  const [below, above] = [points[index - 1], points[index]];
  if (below === undefined || above === undefined) return atSameCost(shortest, share);
  const position = (share - below.efficiency) / (above.efficiency - below.efficiency);
  return below.taskUs * (above.taskUs / below.taskUs) ** position;
}

/** A task of length d that costs c besides has the efficiency d / (d + c). */
function atSameCost({ taskUs, efficiency }: EfficiencyPoint, share: number): number {
  const costUs = taskUs / efficiency - taskUs;
  return (costUs * share) / (1 - share);
}
