// The tasks whose time has not come: for as long as their delay lasts, or the backoff after a failure.
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { TaskRecord } from './task-record.ts';

/** Each has an alarm, as few tasks are delayed. */
export class DelayedTasks<T, R> {
  readonly #timers: TimerQueue;
  readonly #onRested: (record: TaskRecord<T, R>, nowMs: number) => void;
  readonly #alarms = new Map<TaskRecord<T, R>, Alarm>();

  /** `onRested` is called when the time of a task has come, which is not delayed any more. */
  constructor(timers: TimerQueue, onRested: (record: TaskRecord<T, R>, nowMs: number) => void) {
    this.#timers = timers;
    this.#onRested = onRested;
  }

  /** How many there are. */
  get size(): number {
    return this.#alarms.size;
  }

  /** A task is delayed until its time. */
  add(record: TaskRecord<T, R>): void {
    const alarm = this.#timers.createAlarm((nowMs) => {
      this.#alarms.delete(record);
      this.#onRested(record, nowMs);
    });
    this.#alarms.set(record, alarm);
    alarm.setBy(record.restsUntilMs);
  }

  /** A task is delayed no longer, though its time has not come. */
  remove(record: TaskRecord<T, R>): void {
    this.#alarms.get(record)?.cancel();
    this.#alarms.delete(record);
  }

  [Symbol.iterator](): IterableIterator<TaskRecord<T, R>> {
    return this.#alarms.keys();
  }
}
