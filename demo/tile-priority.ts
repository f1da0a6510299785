// How urgent a tile is, as its request says: `?priority=-2.5` for one that is two and a half tiles from the centre of a view.

/** Nobody looks at what is farther away. */
export const LEAST_PRIORITY = -1000;

/** Tiles nearer to the centre of the view go first. `distance` is in tiles. */
export function priorityAt(distance: number): number {
  // From 0, as the opposite of 0 would be -0.
  return Math.max(LEAST_PRIORITY, 0 - Math.round(distance * 10) / 10);
}

/** Reads the query of a request: 0 without a priority, undefined for one that makes no sense. */
export function parsePriority(query: string): number | undefined {
  const text = new URLSearchParams(query).get('priority') ?? '0';
  // None above 0: no view gets ahead of what is in the middle of another.
  const priority = /^-?\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  return priority >= LEAST_PRIORITY && priority <= 0 ? priority : undefined;
}
