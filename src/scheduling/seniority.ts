// Which queued task has been ready for the longest time, whatever its place in the order.
import { Queue } from '../queue.ts';
import type { TaskRecord } from './task-record.ts';

/** Up to so many entries, it is not worth looking for those that are over. */
const MIN_TIDYING = 1024;

/**
 * Remembers who was queued when, in that order. Those who are not any more are forgotten when they are the first, or
 * when they are more than the others: so that a task that is queued and taken costs hardly anything, and is not kept
 * alive. One that came back unstarted is the first again if it was ready before all others, else the last.
 */
export class Seniority<T, R> {
  readonly #records = new Queue<TaskRecord<T, R>>();
  /** Since when each of them had been ready, then. */
  readonly #since = new Queue<number>();

  /** How much it keeps in mind. */
  get size(): number {
    return this.#records.size;
  }

  /** A task was queued. */
  add(record: TaskRecord<T, R>): void {
    const sinceMs = record.readySinceMs;
    const firstSinceMs = this.#since.peek();
    const way = firstSinceMs !== undefined && sinceMs < firstSinceMs ? 'unshift' : 'push';
    this.#records[way](record);
    this.#since[way](sinceMs);
  }

  /** A task was taken out, and so many are queued yet. */
  removed(queued: number): void {
    this.#dropStale();
    if (this.size > Math.max(MIN_TIDYING, 2 * queued)) this.#tidy();
  }

  /** No task is queued any more. */
  clear(): void {
    this.#records.clear();
    this.#since.clear();
  }

  /** The task that has been ready for the longest time. */
  oldest(): TaskRecord<T, R> | undefined {
    return this.#records.peek();
  }

  #dropStale(): void {
    for (let record = this.#records.peek(); record !== undefined; record = this.#records.peek()) {
      if (isQueuedSince(record, this.#since.peek())) return;
      this.#records.shift();
      this.#since.shift();
    }
  }

  /** Tasks come and go behind one that nobody takes, or one and the same is taken and comes back. */
  #tidy(): void {
    const since = this.#since.clear();
    const seen = new Set<TaskRecord<T, R>>();
    for (const [index, record] of this.#records.clear().entries()) {
      const sinceMs = since[index];
      if (sinceMs === undefined || seen.has(record) || !isQueuedSince(record, sinceMs)) continue;
      seen.add(record);
      this.#records.push(record);
      this.#since.push(sinceMs);
    }
  }
}

/** Otherwise it was taken; and if it came back, that is another entry. */
function isQueuedSince<T, R>({ lane, readySinceMs }: TaskRecord<T, R>, sinceMs: number | undefined): boolean {
  return lane !== undefined && readySinceMs === sinceMs;
}
