// The queued tasks that the same workers may have, in order.
import type { Requirements } from '../labels.ts';
import { OrderedQueue } from './ordered-queue.ts';
import type { Place, Profile } from './profile.ts';
import type { TaskRecord } from './task-record.ts';

/** The queued tasks of one type with the same requirements, which the same holders have refused, or must not have. */
export class Lane<T, R> {
  /** What it is found by; undefined: by its type. */
  readonly key: string | undefined;
  readonly type: string | undefined;
  readonly requires: Requirements | undefined;
  readonly refusedBy: ReadonlySet<string>;
  /** The principals that must not have its tasks, as they have a part in verifying them. */
  readonly barred: ReadonlySet<string>;
  readonly records = new OrderedQueue<TaskRecord<T, R>>();
  /** Its places with those who may have its tasks, unless they have refused them. */
  readonly places = new Map<Profile<T, R>, Place<T, R>>();
  /** Since when nobody who is there may have its tasks; undefined: somebody may. For whoever watches that. */
  orphanedAtMs: number | undefined = undefined;
  /** Where its tasks are now, if it was merged into another one while nobody might have them. */
  mergedInto: Lane<T, R> | undefined = undefined;

  constructor(key: string | undefined, { type, terms, refusedBy, barred }: TaskRecord<T, R>) {
    this.key = key;
    this.type = type;
    // Not all the terms: the first task's signal and listeners may hold on to a lot, and the lane outlives it.
    this.requires = terms.requires;
    this.refusedBy = refusedBy;
    this.barred = barred;
  }

  /** Whether of those who take such tasks some may not have them. */
  get isForSome(): boolean {
    return this.refusedBy.size > 0 || this.barred.size > 0;
  }

  /** Whether nobody who is there may have its tasks. */
  get isOrphaned(): boolean {
    // As of most lanes: this is asked for every task that is queued.
    if (!this.isForSome) return this.places.size === 0;
    for (const [profile, { refusals }] of this.places) if (refusals < profile.holders) return false;
    return true;
  }

  /** Puts a task at its place. Returns whether it is the first of them now. */
  add(record: TaskRecord<T, R>): boolean {
    record.lane = this;
    this.records.push(record);
    if (this.records.peek() !== record) return false;
    for (const [profile, place] of this.places) profile.promote(place, record);
    return true;
  }
}
