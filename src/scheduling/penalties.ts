// What it costs to give nothing that counts: as much time as honest work would have taken.
import { ByType } from './by-type.ts';
import { Groups } from './groups.ts';
import type { LeaseHolder } from './scheduler.ts';

/** The weight of the latest task in how long those of its type take. */
const WEIGHT = 1 / 8;

/** What is to be paid for. */
export interface Penalty {
  /** Of the tasks. */
  readonly type: string | undefined;
  /** How often in a row its principal had proved right before. */
  readonly valid: number;
  readonly attempts?: number;
  readonly spentMs?: number;
}

/** An attempt at a task of some type, by when it started. */
interface Attempt {
  readonly startedAtMs: number | undefined;
  readonly record: { readonly type: string | undefined };
}

/**
 * To lie, or to fail, takes no time. Whoever does it at once is idle again at once, and would get to most tasks before those
 * who work. So it rests for as long as one of them takes, for each: then it has no more of them than any other.
 */
export class Penalties {
  readonly #now: () => number;
  readonly #workMs = new ByType<number>();
  /** The attempts that run, by type, the oldest first. */
  readonly #running = new Groups<string | undefined, Attempt>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** An attempt runs. */
  started(attempt: Attempt): void {
    this.#running.add(attempt.record.type, attempt);
  }

  /** It does so no longer. */
  ended(attempt: Attempt): void {
    this.#running.delete(attempt.record.type, attempt);
  }

  /** An attempt that is about to end has given a result on which a quorum agrees. */
  worked({ startedAtMs, record }: Attempt): void {
    if (startedAtMs === undefined) return;
    const ms = this.#now() - startedAtMs;
    const knownMs = this.#workMs.get(record.type) ?? ms;
    this.#workMs.set(record.type, knownMs + (ms - knownMs) * WEIGHT);
  }

  /**
   * So many attempts of it, at tasks of that type, came to nothing, for which it has taken so long as far as that is known. How many slots
   * it has is its own word: as many are believed as results of it have proved right in a row.
   */
  impose<T>(holder: LeaseHolder<T> | undefined, { type, valid, attempts = 1, spentMs = 0 }: Penalty): void {
    // Whom the master trusts outright need not be kept from doing harm.
    if (holder?.rest === undefined || holder.isTrusted === true) return;
    const ms = attempts * (this.#workMs.get(type) ?? this.#longestMs(type)) - spentMs;
    if (ms > 0) holder.rest(ms, 1 + valid);
  }

  /** As long as nobody knows how long they take: at least as long as one has taken by now. */
  #longestMs(type: string | undefined): number {
    const nowMs = this.#now();
    const [oldest] = this.#running.get(type);
    return nowMs - (oldest?.startedAtMs ?? nowMs);
  }
}
