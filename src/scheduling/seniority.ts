// Which queued task has been ready for the longest time, whatever its place in the order.
import { Queue } from '../queue.ts';
import type { TaskRecord } from './task-record.ts';

/** Below so many entries, it is not worth looking for those that are over. */
const MIN_TIDYING = 1024;

/**
 * Remembers who was queued when, in that order, and forgets those who are not any more when it comes across them: so that
 * a task that is queued and taken costs hardly anything. One that came back unstarted is not put before those that
 * came in between.
 */
export class Seniority<T, R> {
  readonly #records = new Queue<TaskRecord<T, R>>();
  /** Since when each of them had been ready, then. */
  readonly #since = new Queue<number>();
  #tidyAt = MIN_TIDYING;

  /** How much it keeps in mind. */
  get size(): number {
    return this.#records.size;
  }

  /** A task was queued. */
  add(record: TaskRecord<T, R>): void {
    this.#dropStale();
    if (this.size >= this.#tidyAt) this.#tidy();
    this.#records.push(record);
    this.#since.push(record.readySinceMs);
  }

  /** The task that has been ready for the longest time. */
  oldest(): TaskRecord<T, R> | undefined {
    this.#dropStale();
    return this.#records.peek();
  }

  #dropStale(): void {
    for (let record = this.#records.peek(); record !== undefined; record = this.#records.peek()) {
      if (isQueuedSince(record, this.#since.peek())) return;
      this.#records.shift();
      this.#since.shift();
    }
  }

  /** Tasks come and go behind one that nobody takes. */
  #tidy(): void {
    const since = this.#since.clear();
    for (const [index, record] of this.#records.clear().entries()) {
      const sinceMs = since[index];
      if (sinceMs === undefined || !isQueuedSince(record, sinceMs)) continue;
      this.#records.push(record);
      this.#since.push(sinceMs);
    }
    this.#tidyAt = Math.max(MIN_TIDYING, 2 * this.size);
  }
}

/** Otherwise it was taken; and if it came back, that is another entry. */
function isQueuedSince<T, R>({ lane, readySinceMs }: TaskRecord<T, R>, sinceMs: number | undefined): boolean {
  return lane !== undefined && readySinceMs === sinceMs;
}
