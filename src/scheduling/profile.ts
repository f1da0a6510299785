// From what workers choose their tasks: the lanes of what they take, in order, but for what they have rejected.
import { Heap, type HeapItem } from '../heap.ts';
import { Groups } from './groups.ts';
import type { Lane } from './lane.ts';
import type { LeaseHolder } from './scheduler.ts';
import { isFor, type TaskRecord } from './task-record.ts';
import { Line } from './waiting-line.ts';

/**
 * A lane's place among those that a profile chooses from. Its rank is the order of the lane's first task when the
 * profile looked at it last. That task can have been taken since without the place being told, so that who takes a task
 * does not pay for all who might have taken it: so the lane's first task may come after the rank, but never before.
 */
export class Place<T, R> implements HeapItem {
  heapIndex = -1;
  priority = 0;
  sequence = 0;
  readonly lane: Lane<T, R>;
  /** How many of the profile's holders have refused the lane's tasks, or must not have them. */
  refusals: number;

  constructor(lane: Lane<T, R>, refusals: number) {
    this.lane = lane;
    this.refusals = refusals;
  }

  isBefore(other: Place<T, R>): boolean {
    return this.priority > other.priority || (this.priority === other.priority && this.sequence < other.sequence);
  }
}

/** The sequence numbers of no tasks. */
export const NO_TASKS: ReadonlySet<number> = new Set();

/** What is left out for one holder: the tasks that it has refused, by their sequence numbers, and what its principal must not have. */
export interface Exclusion {
  /** May grow, as it refuses more; what is in a lane has been looked at before. */
  readonly refused: ReadonlySet<number>;
  readonly principal: string;
}

/**
 * The holders with the same `accepts` and labels, and the lanes of what they take, in order, whoever of them has refused
 * it. Or one of them alone, which has refused much, or is barred from much, and the lanes without that.
 */
export class Profile<T, R> {
  readonly key: string;
  /** Those of its holders who wait, and choose from all of it. */
  readonly line = new Line<T, R>(this);
  /** Its views in whose lines somebody waits. */
  readonly waitingViews = new Set<View<T, R>>();
  #holders = 0;
  readonly #example: LeaseHolder<T>;
  readonly #without: Exclusion | undefined;
  readonly #places = new Heap<Place<T, R>>((a, b) => a.isBefore(b));
  /** The lanes that some of its holders have refused, or must not have, by how many. */
  readonly #refusedLanes = new Groups<number, Lane<T, R>>();

  constructor(key: string, example: LeaseHolder<T>, without?: Exclusion) {
    this.key = key;
    this.#example = example;
    this.#without = without;
  }

  /** Whether some of its holders wait. */
  get isAwaited(): boolean {
    return this.waitingViews.size > 0 || !this.line.isEmpty;
  }

  /** How many holders it is of. */
  get holders(): number {
    return this.#holders;
  }

  /** There is one holder more, which has refused nothing; what it must not have is said before. */
  enter(): void {
    for (const lane of this.exhausted) lane.orphanedAtMs = undefined;
    this.#holders += 1;
  }

  /** There is one holder less; there must be no lane any more that it has refused. */
  exit(): void {
    this.#holders -= 1;
  }

  /** One holder more, or less, must not have a lane. */
  bar(lane: Lane<T, R>, change: 1 | -1): void {
    const place = lane.places.get(this);
    if (place === undefined) return;
    if (place.refusals > 0) this.#refusedLanes.delete(place.refusals, lane);
    place.refusals += change;
    if (place.refusals > 0) this.#refusedLanes.add(place.refusals, lane);
  }

  /** The lanes that all of its holders have refused, or must not have. */
  get exhausted(): ReadonlySet<Lane<T, R>> {
    return this.#refusedLanes.get(this.#holders);
  }

  /** Looks at a lane that it has not seen before, and that so many of its holders may not have; if any, it is not empty. */
  consider(lane: Lane<T, R>, refusals: number): void {
    const first = lane.records.peek();
    // The same holders have refused all of a lane, and are barred from it.
    if (this.#without !== undefined && lane.barred.has(this.#without.principal)) return;
    if (first !== undefined && this.#without?.refused.has(first.sequence)) return;
    if (!isFor(this.#example, lane.type, lane.requires)) return;
    const place = new Place(lane, refusals);
    lane.places.set(this, place);
    if (refusals > 0) this.#refusedLanes.add(refusals, lane);
    else lane.orphanedAtMs = undefined;
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
    if (place.refusals > 0) this.#refusedLanes.delete(place.refusals, lane);
  }

  /** The first task for holders who have refused these ones, and behind whom this one stands, if that matters. */
  first(refused = NO_TASKS, principal?: string): TaskRecord<T, R> | undefined {
    for (;;) {
      const place = this.#firstPlace(refused, principal);
      if (place === undefined) return undefined;
      const first = place.lane.records.peek();
      if (first === undefined) this.#places.remove(place);
      else if (first.sequence === place.sequence) return first;
      else this.promote(place, first);
    }
  }

  /** Somebody waits in its line who is the first there, or nobody does any more: which it sees by itself, as no view can. */
  lineChanged(): void {}

  #firstPlace(refused: ReadonlySet<number>, principal: string | undefined): Place<T, R> | undefined {
    if (refused.size === 0 && principal === undefined) return this.#places.peek();
    return this.#places.find(({ lane }) => {
      const first = lane.records.peek();
      // An empty one must be found too, as it has no place here any more.
      return first === undefined || !isPassedOver(first, refused, principal);
    });
  }
}

/**
 * A profile as those of its holders see it who have refused the same tasks, and behind whom the same one stands, if there is
 * anything that it must not have: they pass over these at every look.
 */
export class View<T, R> {
  readonly key: string;
  /** Those of its holders who wait. */
  readonly line = new Line<T, R>(this);
  /** How many holders look through it. */
  holders = 0;
  /** What they see. */
  readonly profile: Profile<T, R>;
  readonly #refused: ReadonlySet<number>;
  readonly #principal: string | undefined;

  /** `refused`: the sequence numbers of the tasks. */
  constructor(key: string, profile: Profile<T, R>, refused: ReadonlySet<number>, principal?: string) {
    this.key = key;
    this.profile = profile;
    this.#refused = refused;
    this.#principal = principal;
  }

  /** Whether its holders may not have this task. */
  passesOver(record: TaskRecord<T, R>): boolean {
    return isPassedOver(record, this.#refused, this.#principal);
  }

  /** Somebody waits in its line who is the first there, or nobody does any more. */
  lineChanged(): void {
    if (this.line.isEmpty) this.profile.waitingViews.delete(this);
    else this.profile.waitingViews.add(this);
  }

  /** The first task for these holders. */
  first(): TaskRecord<T, R> | undefined {
    return this.profile.first(this.#refused, this.#principal);
  }
}

function isPassedOver<T, R>(
  { sequence, barred }: TaskRecord<T, R>,
  refused: ReadonlySet<number>,
  principal: string | undefined,
): boolean {
  return refused.has(sequence) || (principal !== undefined && barred.has(principal));
}

/** From what a holder chooses. */
export type Choice<T, R> = Profile<T, R> | View<T, R>;
