// The tasks of maps for which there is no room yet, in the order in which they came; and how many maps may have at once.
import { Queue } from '../queue.ts';
import type { TaskRecord } from './task-record.ts';

/** Below so many entries, it is not worth looking for those that are over. */
const MIN_TIDYING = 1024;

/** Which share of `maxTasks` maps fill at most: those who put a task find room, however long a map is. */
const MAP_SHARE = 0.9;

/** A queue of which any task may drop out: its entry stays behind, and is passed over. */
export class HeldTasks<T, R> {
  readonly #entries = new Queue<TaskRecord<T, R>>();
  readonly #maxMapped: number;
  #size = 0;
  /** How many were let in, and are not settled. */
  #mapped = 0;

  constructor(maxTasks: number) {
    this.#maxMapped = Math.max(1, Math.floor(maxTasks * MAP_SHARE));
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** A task is held from now on. */
  push(record: TaskRecord<T, R>): void {
    this.#entries.push(record);
    this.#size += 1;
  }

  /** Takes out the first, which is held no longer; unless maps have as many as they may. */
  letIn(): TaskRecord<T, R> | undefined {
    if (this.#mapped >= this.#maxMapped) return undefined;
    for (let record = this.#entries.shift(); record !== undefined; record = this.#entries.shift()) {
      if (record.state !== 'held') continue;
      this.#size -= 1;
      this.#mapped += 1;
      return record;
    }
    return undefined;
  }

  /** A task has been settled that was let in. */
  left(): void {
    this.#mapped -= 1;
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
