// When to try again: exponential backoff with a cap and full jitter.
import { expectKnown, expectMilliseconds, expectObject } from '../options.ts';
import type { Random } from '../ports.ts';

/**
 * How a worker spaces its tries to connect: it waits a random time between 0 and min(`cap`, `base` · 2ⁿ⁻¹) after the
 * n-th failure in a row. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full
 * jitter").
 */
export interface ReconnectOptions {
  /** Bounds the first wait, in milliseconds ≥ 1. @defaultValue 500 */
  readonly base?: number;
  /** Bounds every wait, in milliseconds ≥ 1. @defaultValue 30000 */
  readonly cap?: number;
}

const defaults = Object.freeze({ base: 500, cap: 30_000 });

/** Draws the waits. */
export class Reconnection {
  readonly #base: number;
  readonly #cap: number;
  readonly #random: Random;

  /** @throws InvalidOptionError */
  constructor(options: ReconnectOptions, random: Random) {
    expectObject('reconnect', options);
    expectKnown('reconnect', options, Object.keys(defaults));
    const { base = defaults.base, cap = defaults.cap } = options;
    expectMilliseconds('reconnect.base', base, 1, false);
    expectMilliseconds('reconnect.cap', cap, 1, false);
    this.#base = base;
    this.#cap = cap;
    this.#random = random;
  }

  /** How long to wait after this many failures in a row, in milliseconds. */
  delayMs(failures: number): number {
    return this.#random() * Math.min(this.#cap, this.#base * 2 ** (failures - 1));
  }
}
