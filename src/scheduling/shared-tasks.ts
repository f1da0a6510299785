// Tasks that several wait for, as they were put with the same idempotency key: who waits, and what comes of leaving.
import type { AttemptFailure } from '../errors.ts';
import { callListener } from '../events.ts';
import type { Clock } from '../ports.ts';
import type { TimerQueue } from '../timer-queue.ts';
import { type OnOver, Patience, type Wait } from './patience.ts';
import type { ProgressInfo, TaskTerms } from './task-options.ts';
import { rejection, type Settle, type TaskRecord } from './task-record.ts';

/** One of those who wait for a shared task, with a promise of its own. */
class Sharer<T, R> implements Wait {
  readonly shared: SharedTask<T, R>;
  readonly terms: TaskTerms;
  readonly settle: Settle<R>;

  constructor(shared: SharedTask<T, R>, terms: TaskTerms, settle: Settle<R>) {
    this.shared = shared;
    this.terms = terms;
    this.settle = settle;
  }

  get attempts(): number {
    return this.shared.record.attempts;
  }

  get failures(): readonly AttemptFailure[] {
    return this.shared.record.failures;
  }
}

/** Takes in a task, by its terms and by what settles it. Throws what the promise is to reject with if there is no room. */
type TakeIn<T, R> = (terms: TaskTerms, settle: Settle<R>) => TaskRecord<T, R>;

/** A task, and all who wait for it. */
class SharedTask<T, R> {
  readonly record: TaskRecord<T, R>;
  readonly sharers = new Set<Sharer<T, R>>();

  constructor(terms: TaskTerms, takeIn: TakeIn<T, R>) {
    const onProgress = (value: unknown, progress: ProgressInfo): void => this.#tell(value, progress);
    // Each who waits has its own of these; the task has none, and lasts for as long as there is somebody.
    this.record = takeIn({ ...terms, signal: undefined, deadline: undefined, onProgress }, (outcome) => {
      const sharers = [...this.sharers];
      this.sharers.clear();
      for (const { settle } of sharers) settle(outcome);
    });
  }

  #tell(value: unknown, progress: ProgressInfo): void {
    for (const sharer of [...this.sharers]) {
      const { onProgress } = sharer.terms;
      // One before it may have made it leave.
      if (onProgress !== undefined && this.sharers.has(sharer)) callListener(onProgress, value, progress);
    }
  }
}

/** The unsettled tasks that were put with an idempotency key. */
export class SharedTasks<T, R> {
  readonly #tasks = new Map<string, SharedTask<T, R>>();
  readonly #patience: Patience<Sharer<T, R>>;

  /** `onLeft` is called when the last who waits for a task leaves, and is to reject it. */
  constructor(clock: Clock, timers: TimerQueue, onLeft: OnOver<TaskRecord<T, R>>) {
    this.#patience = new Patience(clock, timers, (sharer, outcome, reason) => {
      const { shared, settle } = sharer;
      if (shared.sharers.size === 1) {
        onLeft(shared.record, outcome, reason);
      } else {
        shared.sharers.delete(sharer);
        this.#patience.end(sharer);
        settle(rejection(reason));
      }
    });
  }

  /** The unsettled task of this key. */
  find(key: string): TaskRecord<T, R> | undefined {
    return this.#tasks.get(key)?.record;
  }

  /** A promise for one who waits, for so long, for the task of this key, which `takeIn` takes in if there is none yet. */
  join(key: string, terms: TaskTerms, spanMs: number, takeIn: TakeIn<T, R>): Promise<R> {
    let shared = this.#tasks.get(key);
    if (shared === undefined) {
      shared = new SharedTask(terms, takeIn);
      this.#tasks.set(key, shared);
    }
    return this.#wait(shared, terms, spanMs);
  }

  /** The task of this key is about to be settled: nobody joins or leaves it any more. */
  close(key: string): void {
    for (const sharer of this.#tasks.get(key)?.sharers ?? []) this.#patience.end(sharer);
    this.#tasks.delete(key);
  }

  #wait(shared: SharedTask<T, R>, terms: TaskTerms, spanMs: number): Promise<R> {
    return new Promise((settle) => {
      const sharer = new Sharer(shared, terms, settle);
      shared.sharers.add(sharer);
      this.#patience.begin(sharer, spanMs);
    });
  }
}
