// Attempts that take conspicuously long, and when it is worth running their tasks a second time.
import { Histogram } from '../histogram.ts';
import { ByType } from './by-type.ts';
import type { LeaseHolder } from './scheduler.ts';
import type { RecordLease } from './task-record.ts';

/**
 * An attempt is a straggler once it has run for longer than 1.5 times the median of its type, and for 100 ms. Source of
 * both figures: the defaults of Apache Spark 3 (`spark.speculation.multiplier`, `spark.speculation.minTaskRuntime`).
 */
const MULTIPLIER = 1.5;
const MIN_RUNTIME_MS = 100;
/** While there are fewer than so many results of its type, nobody knows what is long: then, after this time. */
const MIN_RESULTS = 3;
const UNKNOWN_RUNTIME_MS = 1000;

/** A running attempt, and who is to make a second one beside it. */
export interface Pair<T, R> {
  readonly straggler: RecordLease<T, R>;
  readonly holder: LeaseHolder<T>;
}

/** The running attempts at tasks that may be speculated. */
export class Stragglers<T, R> {
  /** In the order in which they started. */
  readonly #running = new Set<RecordLease<T, R>>();
  readonly #runtimes = new ByType<Histogram>();

  get size(): number {
    return this.#running.size;
  }

  /** An attempt has started. */
  add(lease: RecordLease<T, R>): void {
    if (lease.record.maySpeculate) this.#running.add(lease);
  }

  /** An attempt is over. Returns whether none is left. */
  remove(lease: RecordLease<T, R>): boolean {
    return this.#running.delete(lease) && this.#running.size === 0;
  }

  /** An attempt gave a result after this time. */
  note({ record }: RecordLease<T, R>, runtimeMs: number): void {
    if (!record.maySpeculate) return;
    let runtimes = this.#runtimes.get(record.type);
    if (runtimes === undefined) {
      runtimes = new Histogram();
      this.#runtimes.set(record.type, runtimes);
    }
    runtimes.record(runtimeMs);
  }

  /**
   * Pairs stragglers with idle holders, the longest running first: one holder each, never the one that runs it, and never a
   * task that runs twice already, has used up its attempts, or waits out a backoff, as a second attempt at it has failed.
   * Tells besides when the next attempt will be a straggler.
   */
  pair(idle: readonly LeaseHolder<T>[], nowMs: number): { readonly pairs: Pair<T, R>[]; readonly nextMs: number } {
    const pairs: Pair<T, R>[] = [];
    const free = new Set(idle);
    const thresholds = new Map<string | undefined, number>();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lease of this.#running) {
      if (free.size === 0) break;
      const { record, startedAtMs = nowMs } = lease;
      if (record.isLeasedTwice || record.isUsedUp) continue;
      const dueMs = Math.max(startedAtMs + this.#threshold(record.type, thresholds), record.restsUntilMs);
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      const holder = firstSuited(free, lease);
      if (holder === undefined) continue;
      free.delete(holder);
      pairs.push({ straggler: lease, holder });
    }
    return { pairs, nextMs };
  }

  #threshold(type: string | undefined, known: Map<string | undefined, number>): number {
    const found = known.get(type);
    if (found !== undefined) return found;
    const { count, p50 } = this.#runtimes.get(type)?.summary() ?? { count: 0, p50: 0 };
    const threshold = count < MIN_RESULTS ? UNKNOWN_RUNTIME_MS : Math.max(MIN_RUNTIME_MS, MULTIPLIER * p50);
    known.set(type, threshold);
    return threshold;
  }
}

function firstSuited<T, R>(
  holders: Iterable<LeaseHolder<T>>,
  { holder, record }: RecordLease<T, R>,
): LeaseHolder<T> | undefined {
  for (const each of holders) if (each.id !== holder.id && record.suits(each)) return each;
  return undefined;
}
