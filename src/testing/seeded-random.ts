// Chance that can be replayed: the same seed, the same numbers.
import type { Random } from '../ports.ts';

/**
 * The largest seed: up to it, no two have the same numbers. Of 32 bits, the lowest is lost in the spreading below, so that each
 * would be the same as one that is 244 002 641 away.
 */
export const MAX_SEED = 2 ** 27 - 1;

/** A seeded source of numbers in [0, 1). Source: G. Marsaglia, "Xorshift RNGs", 2003, with shifts 13, 17 and 5. */
export function seededRandom(seed: number): Random {
  // Spread over all bits, so that neighbouring seeds have nothing in common; and never 0, which would stay 0.
  let state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 8; warmUp += 1) next();
  return next;
}

/** An integer from 0 to `below` - 1. */
export function integerBelow(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** One of the items, which must not be none. */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const index = integerBelow(random, items.length);
  for (const item of items.slice(index, index + 1)) return item;
  throw new RangeError('Nothing to pick from');
}
