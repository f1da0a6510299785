// Tells `scripts/bench.mjs` what has to be on the machine before the bench is started.
import { readOptions } from './command-line.ts';
import type { Requirement } from './part.ts';

/** Of the parts that these arguments ask for. Arguments that make no sense require nothing: the bench will say so. */
export function requirementsOf(args: string[]): Requirement[] {
  try {
    const asked = readOptions(args)?.parts ?? [];
    return [...new Set(asked.flatMap(({ requires = [] }) => requires))];
  } catch {
    return [];
  }
}
