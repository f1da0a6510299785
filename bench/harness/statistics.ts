// Medians, quantiles and spreads.

/** @throws RangeError of no values */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values, in proportion. @throws RangeError of no values */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError('Expected at least one value');
  return below + (above - below) * (position - Math.floor(position));
}

/** The smallest and the largest. */
export function spread(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
