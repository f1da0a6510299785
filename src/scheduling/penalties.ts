// What it costs to give nothing that counts: as much time as honest work would have taken.
import type { LeaseHolder } from './scheduler.ts';

/** The weight of the latest task in how long tasks take. */
const WEIGHT = 1 / 8;
/** As long as nobody knows how long they take. */
const FIRST_MS = 1000;

/**
 * To lie, or to fail, takes no time. Whoever does it at once is idle again at once, and would get to most tasks before those
 * who work. So it rests for as long as one of them takes, for each: then it has no more of them than any other.
 */
export class Penalties {
  #workMs: number | undefined = undefined;

  /** So long it took to give a result that a quorum agreed on. */
  worked(ms: number): void {
    this.#workMs = this.#workMs === undefined ? ms : this.#workMs + (ms - this.#workMs) * WEIGHT;
  }

  /** So many attempts of it came to nothing, for which it has taken so long as far as that is known. */
  impose<T>(holder: LeaseHolder<T> | undefined, attempts: number, spentMs = 0): void {
    const ms = attempts * (this.#workMs ?? FIRST_MS) - spentMs;
    if (ms > 0) holder?.rest?.(ms);
  }
}
