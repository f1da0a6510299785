// Tasks that nobody who is there may have: after a while, somebody should be told.
import type { Emitter } from '../events.ts';
import type { Clock } from '../ports.ts';
import { Queue } from '../queue.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { OrphanListener } from './backlog.ts';
import type { SchedulerEvent, UnmatchedReason } from './events.ts';
import type { Lane } from './lane.ts';
import type { TaskRecord } from './task-record.ts';

/** A lane whose tasks nobody may have since then; or one task that came into such a lane then. */
interface Entry<T, R> {
  readonly lane: Lane<T, R>;
  readonly record: TaskRecord<T, R> | undefined;
  readonly sinceMs: number;
}

/** Below so many entries, it is not worth looking for those that are over. */
const MIN_TIDYING = 1024;

/** Waits for as long as it takes, and tells of each such task once for each time that its lane is orphaned. */
export class UnmatchedWatch<T, R> implements OrphanListener<T, R> {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #events: Emitter<SchedulerEvent<T>>;
  readonly #whyOf: (record: TaskRecord<T, R>) => UnmatchedReason;
  readonly #alarm: Alarm;
  /** The oldest first: all wait for the same time. */
  readonly #entries = new Queue<Entry<T, R>>();
  /** The tasks that were told of, and as of since when their lanes had been orphaned then. */
  readonly #told = new WeakMap<TaskRecord<T, R>, number>();
  /** At so many entries, those that are over are forgotten: tasks come and go while the time has not come to tell. */
  #tidyAt = MIN_TIDYING;

  /** `whyOf` says why nobody may have a task. */
  constructor(
    clock: Clock,
    timers: TimerQueue,
    afterMs: number,
    events: Emitter<SchedulerEvent<T>>,
    whyOf: (record: TaskRecord<T, R>) => UnmatchedReason,
  ) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#events = events;
    this.#whyOf = whyOf;
    this.#alarm = timers.createAlarm((nowMs) => this.#look(nowMs));
  }

  laneOrphaned(lane: Lane<T, R>): void {
    lane.orphanedAtMs = this.#clock.now();
    this.#watch({ lane, record: undefined, sinceMs: lane.orphanedAtMs });
  }

  taskOrphaned(record: TaskRecord<T, R>, lane: Lane<T, R>): void {
    const sinceMs = this.#clock.now();
    lane.orphanedAtMs ??= sinceMs;
    this.#watch({ lane, record, sinceMs });
  }

  laneMerged(lane: Lane<T, R>, into: Lane<T, R>): void {
    lane.mergedInto = into;
    // Not `into`'s own time: its tasks have not been waiting for longer, which their own entries know.
    if (lane.orphanedAtMs === undefined) return;
    into.orphanedAtMs = Math.min(into.orphanedAtMs ?? lane.orphanedAtMs, lane.orphanedAtMs);
  }

  backlogEmptied(): void {
    if (this.#entries.size > 0) this.clear();
  }

  /** How much it keeps in mind. */
  get size(): number {
    return this.#entries.size;
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.clear();
    this.#tidyAt = MIN_TIDYING;
    this.#alarm.cancel();
  }

  #watch(entry: Entry<T, R>): void {
    if (this.#afterMs === Number.POSITIVE_INFINITY) return;
    if (this.#entries.size >= this.#tidyAt) this.#tidy();
    this.#entries.push(entry);
    this.#alarm.setBy(entry.sinceMs + this.#afterMs);
  }

  #look(nowMs: number): void {
    for (let entry = this.#entries.peek(); entry !== undefined; entry = this.#entries.peek()) {
      if (entry.sinceMs + this.#afterMs > nowMs) {
        this.#alarm.setBy(entry.sinceMs + this.#afterMs);
        return;
      }
      this.#entries.shift();
      this.#judge(entry);
    }
  }

  #tidy(): void {
    this.#entries.keep(isOpen);
    this.#tidyAt = Math.max(MIN_TIDYING, 2 * this.#entries.size);
  }

  #judge(entry: Entry<T, R>): void {
    if (!isOpen(entry)) return;
    const lane = laneNow(entry.lane);
    for (const record of entry.record === undefined ? [...entry.lane.records] : [entry.record]) {
      if (record.lane !== lane || lane.orphanedAtMs === undefined) continue;
      if (this.#told.get(record) === lane.orphanedAtMs) continue;
      // It came into the lane later, and has an entry of its own.
      if (record.readySinceMs > entry.sinceMs) continue;
      this.#told.set(record, lane.orphanedAtMs);
      this.#tell(record);
    }
  }

  #tell(record: TaskRecord<T, R>): void {
    if (!this.#events.hears('unmatched')) return;
    this.#events.emit({ type: 'unmatched', key: record.key, task: record.task, reason: this.#whyOf(record) });
  }
}

/** Whether there may still be something to tell. */
function isOpen<T, R>({ lane, record, sinceMs }: Entry<T, R>): boolean {
  const now = laneNow(lane);
  // Somebody has come since, who may have been left again: then there is a younger entry.
  if (now.orphanedAtMs === undefined || now.orphanedAtMs > sinceMs) return false;
  return record === undefined ? now.records.size > 0 : record.lane === now;
}

/** The lane in which those tasks of this one are now that have not been taken out. */
function laneNow<T, R>(lane: Lane<T, R>): Lane<T, R> {
  let now = lane;
  while (now.mergedInto !== undefined) now = now.mergedInto;
  return now;
}
