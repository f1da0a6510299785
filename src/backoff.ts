// How long to wait before something is tried again: exponential backoff with a cap and full jitter.
import { type Complete, expectKnown, expectMilliseconds, expectObject, refuse } from './options.ts';
import type { Random } from './ports.ts';

/**
 * How tries are spaced: after the n-th failure in a row comes a random wait between 0 and
 * min(`cap`, `base` · `factor`ⁿ⁻¹). Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015
 * ("full jitter").
 */
export interface BackoffOptions {
  /** Bounds the first wait, in milliseconds ≥ 0; 0: no waits at all. For `reconnect` ≥ 1. @defaultValue 100 for tasks, 500 to connect */
  readonly base?: number | undefined;
  /** By how much the bound grows from one failure to the next, a number from 1 to 1000. @defaultValue 2 */
  readonly factor?: number | undefined;
  /** Bounds every wait, in milliseconds ≥ 0; for `reconnect` ≥ 1. @defaultValue 30000 */
  readonly cap?: number | undefined;
}

/** The options, checked and complete. */
export type Backoff = Complete<BackoffOptions>;

/** Completes the options from others, and checks them; waits are at least `minMs`. @throws InvalidOptionError */
export function checkBackoff(name: string, options: BackoffOptions, defaults: Backoff, minMs: number): Backoff {
  expectObject(name, options);
  expectKnown(name, options, Object.keys(defaults));
  const { base = defaults.base, factor = defaults.factor, cap = defaults.cap } = options;
  expectMilliseconds(`${name}.base`, base, minMs, false);
  if (!(typeof factor === 'number' && factor >= 1 && factor <= 1000)) {
    refuse(`${name}.factor`, 'a number from 1 to 1000', factor);
  }
  expectMilliseconds(`${name}.cap`, cap, minMs, false);
  return { base, factor, cap };
}

/** How long to wait after this many failures in a row, in milliseconds. */
export function backoffMs({ base, factor, cap }: Backoff, failures: number, random: Random): number {
  // Apart, as 0 · ∞ is not a number.
  if (base === 0) return 0;
  return random() * Math.min(cap, base * factor ** (failures - 1));
}
