// The queued tasks that the same workers may have, and where workers look for them.
import { Heap, type HeapItem } from '../heap.ts';
import type { LeaseHolder } from './scheduler.ts';
import type { TaskTerms } from './task-options.ts';
import { isFor, type TaskRecord } from './task-record.ts';

/** The queued tasks of one type with the same requirements, which the same holders have refused. */
export class Lane<T, R> {
  readonly key: string | undefined;
  readonly type: string | undefined;
  readonly terms: TaskTerms;
  readonly refusedBy: ReadonlySet<string>;
  readonly records = new Heap<TaskRecord<T, R>>((a, b) => a.isBefore(b));
  /** Its places with those who may have its tasks. */
  readonly places = new Map<Profile<T, R>, Place<T, R>>();
  /** Since when nobody who is there may have its tasks; undefined: somebody may. For whoever watches that. */
  orphanedAtMs: number | undefined = undefined;
  /** Where its tasks are now, if it was merged into another one while nobody might have them. */
  mergedInto: Lane<T, R> | undefined = undefined;

  constructor(key: string | undefined, { type, terms, refusedBy }: TaskRecord<T, R>) {
    this.key = key;
    this.type = type;
    this.terms = terms;
    this.refusedBy = refusedBy;
  }

  /** Puts a task at its place. */
  add(record: TaskRecord<T, R>): void {
    record.lane = this;
    this.records.push(record);
    if (this.records.peek() === record) for (const [profile, place] of this.places) profile.promote(place, record);
  }
}

/**
 * A lane's place among those that a profile chooses from. Its rank is the order of the lane's first task when the
 * profile looked at it last. That task can have been taken since without the place being told, so that who takes a task
 * does not pay for all who might have taken it: so the lane's first task may come after the rank, but never before.
 */
class Place<T, R> implements HeapItem {
  heapIndex = -1;
  priority = 0;
  sequence = 0;
  readonly lane: Lane<T, R>;

  constructor(lane: Lane<T, R>) {
    this.lane = lane;
  }

  isBefore(other: Place<T, R>): boolean {
    return this.priority > other.priority || (this.priority === other.priority && this.sequence < other.sequence);
  }
}

/** The holders who may have the same tasks, as they have the same `accepts` and labels, and have refused the same. */
export class Profile<T, R> {
  readonly key: string;
  /** How many holders it is of. */
  holders = 0;
  readonly #example: LeaseHolder<T>;
  readonly #refused: ReadonlySet<number>;
  readonly #places = new Heap<Place<T, R>>((a, b) => a.isBefore(b));

  /** `refused`: the sequence numbers of the tasks that its holders have refused. */
  constructor(key: string, example: LeaseHolder<T>, refused: ReadonlySet<number>) {
    this.key = key;
    this.#example = example;
    this.#refused = refused;
  }

  /** Looks at a lane that it has not seen before. There is something in it, if it was ever refused. */
  consider(lane: Lane<T, R>): void {
    const first = lane.records.peek();
    // The same holders have refused all of a lane.
    if (first !== undefined && this.#refused.has(first.sequence)) return;
    if (!isFor(this.#example, lane.type, lane.terms)) return;
    const place = new Place(lane);
    lane.places.set(this, place);
    lane.orphanedAtMs = undefined;
    if (first !== undefined) this.promote(place, first);
  }

  /** The lane has got this first task. */
  promote(place: Place<T, R>, first: TaskRecord<T, R>): void {
    place.priority = first.terms.priority;
    place.sequence = first.sequence;
    if (place.heapIndex < 0) this.#places.push(place);
    else this.#places.update(place);
  }

  /** The lane is no more. */
  forget(lane: Lane<T, R>): void {
    const place = lane.places.get(this);
    if (place === undefined) return;
    lane.places.delete(this);
    this.#places.remove(place);
  }

  /** The first task for these holders. */
  first(): TaskRecord<T, R> | undefined {
    for (let place = this.#places.peek(); place !== undefined; place = this.#places.peek()) {
      const first = place.lane.records.peek();
      if (first === undefined) this.#places.remove(place);
      else if (first.sequence === place.sequence) return first;
      else this.promote(place, first);
    }
    return undefined;
  }
}
