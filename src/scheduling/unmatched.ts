// Tasks that nobody who is there may have: after a while, somebody should be told.
import { Queue } from '../queue.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { OrphanListener } from './backlog.ts';
import type { Lane } from './lane.ts';
import type { TaskRecord } from './task-record.ts';

/** A lane whose tasks nobody may have since then; or one task that came into such a lane then. */
interface Entry<T, R> {
  readonly lane: Lane<T, R>;
  readonly record: TaskRecord<T, R> | undefined;
  readonly sinceMs: number;
}

/** Waits for as long as it takes, and tells of each such task once for each time that its lane is orphaned. */
export class UnmatchedWatch<T, R> implements OrphanListener<T, R> {
  readonly #now: () => number;
  readonly #afterMs: number;
  readonly #tell: (record: TaskRecord<T, R>) => void;
  readonly #alarm: Alarm;
  /** The oldest first: all wait for the same time. */
  readonly #entries = new Queue<Entry<T, R>>();

  constructor(timers: TimerQueue, now: () => number, afterMs: number, tell: (record: TaskRecord<T, R>) => void) {
    this.#now = now;
    this.#afterMs = afterMs;
    this.#tell = tell;
    this.#alarm = timers.createAlarm((nowMs) => this.#look(nowMs));
  }

  laneOrphaned(lane: Lane<T, R>): void {
    lane.orphanedAtMs = this.#now();
    this.#watch({ lane, record: undefined, sinceMs: lane.orphanedAtMs });
  }

  taskOrphaned(record: TaskRecord<T, R>, lane: Lane<T, R>): void {
    const sinceMs = this.#now();
    lane.orphanedAtMs ??= sinceMs;
    this.#watch({ lane, record, sinceMs });
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.clear();
    this.#alarm.cancel();
  }

  #watch(entry: Entry<T, R>): void {
    if (this.#afterMs === Number.POSITIVE_INFINITY) return;
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

  #judge({ lane, record, sinceMs }: Entry<T, R>): void {
    const { orphanedAtMs } = lane;
    // Somebody has come since, who may have been left again: then there is a younger entry.
    if (orphanedAtMs === undefined || orphanedAtMs > sinceMs) return;
    for (const each of record === undefined ? [...lane.records] : [record]) {
      if (each.lane !== lane || each.unmatchedSinceMs === orphanedAtMs) continue;
      each.unmatchedSinceMs = orphanedAtMs;
      this.#tell(each);
    }
  }
}
