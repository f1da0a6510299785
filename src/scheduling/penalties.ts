// What it costs to give nothing that counts: as much time as honest work would have taken.
import type { LeaseHolder } from './scheduler.ts';

/** The weight of the latest task in how long tasks take. */
const WEIGHT = 1 / 8;

/** An attempt, by when it started. */
interface Started {
  readonly startedAtMs: number | undefined;
}

/**
 * To lie, or to fail, takes no time. Whoever does it at once is idle again at once, and would get to most tasks before those
 * who work. So it rests for as long as one of them takes, for each: then it has no more of them than any other.
 */
export class Penalties {
  readonly #now: () => number;
  #workMs: number | undefined = undefined;
  /** The attempts that run, the oldest first. */
  readonly #running = new Set<Started>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** An attempt runs. */
  started(attempt: Started): void {
    this.#running.add(attempt);
  }

  /** It does so no longer. */
  ended(attempt: Started): void {
    this.#running.delete(attempt);
  }

  /** An attempt that is about to end has given a result on which a quorum agrees. */
  worked({ startedAtMs }: Started): void {
    if (startedAtMs === undefined) return;
    const ms = this.#now() - startedAtMs;
    this.#workMs = this.#workMs === undefined ? ms : this.#workMs + (ms - this.#workMs) * WEIGHT;
  }

  /** So many attempts of it came to nothing, for which it has taken so long as far as that is known. */
  impose<T>(holder: LeaseHolder<T> | undefined, attempts: number, spentMs = 0): void {
    const ms = attempts * (this.#workMs ?? this.#longestMs) - spentMs;
    if (ms > 0) holder?.rest?.(ms);
  }

  /** As long as nobody knows how long they take, at least as long as one has taken by now. */
  get #longestMs(): number {
    const nowMs = this.#now();
    const [oldest] = this.#running;
    return nowMs - (oldest?.startedAtMs ?? nowMs);
  }
}
