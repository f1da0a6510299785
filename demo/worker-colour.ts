// The colour that stands for a worker, on the map and in the list.

// Turning by the golden angle keeps each new hue away from all those before it.
const GOLDEN_ANGLE = 137.508;

/** A CSS colour made from nothing but the worker's id; equally light for each, so that it is seen on white and on black. */
export function workerColour(id: string): string {
  const hue = (ordinalOf(id) * GOLDEN_ANGLE) % 360;
  return `oklch(0.7 0.17 ${hue.toFixed(1)})`;
}

function ordinalOf(id: string): number {
  const numbered = /^\D*(\d{1,9})$/.exec(id);
  if (numbered !== null) {
    return Number(numbered[1]);
  }
  let hash = 0;
  for (const character of id) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  }
  return hash;
}
