// When to connect again: the backoff of a worker's tries.
import { type Backoff, type BackoffOptions, backoffMs, checkBackoff } from '../backoff.ts';
import type { Random } from '../ports.ts';

const defaults: Backoff = Object.freeze({ base: 500, factor: 2, cap: 30_000 });

/** Draws the waits. */
export class Reconnection {
  readonly #backoff: Backoff;
  readonly #random: Random;

  /** @throws InvalidOptionError */
  constructor(options: BackoffOptions, random: Random) {
    this.#backoff = checkBackoff('reconnect', options, defaults, 1);
    this.#random = random;
  }

  /** How long to wait after this many failures in a row, in milliseconds. */
  delayMs(failures: number): number {
    return backoffMs(this.#backoff, failures, this.#random);
  }
}
