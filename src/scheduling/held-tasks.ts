// The tasks of maps for which there is no room yet, in the order in which they came.
import { Queue } from '../queue.ts';
import type { TaskRecord } from './task-record.ts';

/** Below so many entries, it is not worth looking for those that are over. */
const MIN_TIDYING = 1024;

/** A queue of which any task may drop out: its entry stays behind, and is passed over. */
export class HeldTasks<T, R> {
  readonly #entries = new Queue<TaskRecord<T, R>>();
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** A task is held from now on. */
  push(record: TaskRecord<T, R>): void {
    this.#entries.push(record);
    this.#size += 1;
  }

  /** Takes out the first, which is held no longer. */
  shift(): TaskRecord<T, R> | undefined {
    for (let record = this.#entries.shift(); record !== undefined; record = this.#entries.shift()) {
      if (record.state !== 'held') continue;
      this.#size -= 1;
      return record;
    }
    return undefined;
  }

  /** A task has been settled that was held. */
  dropped(): void {
    this.#size -= 1;
    if (this.#entries.size > 2 * this.#size + MIN_TIDYING || this.#size === 0) {
      this.#entries.keep(({ state }) => state === 'held');
    }
  }

  *[Symbol.iterator](): Generator<TaskRecord<T, R>> {
    for (const record of this.#entries) if (record.state === 'held') yield record;
  }
}
