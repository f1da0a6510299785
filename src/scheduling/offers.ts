// Which task goes to which line next, where those who wait choose from different tasks.
import { Heap, type HeapItem } from '../heap.ts';
import type { Lane } from './lane.ts';
import type { TaskRecord } from './task-record.ts';
import type { Group, Line } from './waiting-line.ts';

/** A line that may have the tasks of a lane. */
interface Taker<T, R> extends HeapItem {
  readonly line: Line<T, R>;
  /** Of the first who waits there, when it was looked at last: it only rises, as who is served goes to the end. */
  ticket: number;
}

/** The tasks of a lane, for the lines that may have them. */
class Offer<T, R> implements HeapItem {
  heapIndex = -1;
  readonly lane: Lane<T, R>;
  first: TaskRecord<T, R>;
  /** The latecomers whose first task it has; all that may have its tasks, once these are the first of all. */
  followers: Line<T, R>[] = [];
  readonly #group: Group;
  readonly #isForAll: boolean;
  /** The longest waiting first; there once more than one task is given. */
  #takers: Heap<Taker<T, R>> | undefined = undefined;

  /** `isForAll`: for all who may have its tasks, not only for the latecomers that follow it. */
  constructor(lane: Lane<T, R>, first: TaskRecord<T, R>, group: Group, isForAll: boolean) {
    this.lane = lane;
    this.first = first;
    this.#group = group;
    this.#isForAll = isForAll;
  }

  /** The line in which the one is who has waited longest; to be asked when its first task is the first of all. */
  taker(): Line<T, R> | undefined {
    const takers = this.#takers;
    if (takers === undefined) return this.#firstTaker();
    for (let taker = takers.peek(); taker !== undefined; taker = takers.peek()) {
      const { line } = taker;
      const waiter = line[this.#group].peek();
      if (waiter?.ticket === taker.ticket) return line;
      if (waiter === undefined) {
        takers.remove(taker);
      } else {
        taker.ticket = waiter.ticket;
        takers.update(taker);
      }
    }
    return undefined;
  }

  #firstTaker(): Line<T, R> | undefined {
    // Of a lone task, only one can be the taker.
    if (this.lane.records.size === 1) return this.#longestWaiting();
    const takers = new Heap<Taker<T, R>>((a, b) => a.ticket < b.ticket);
    this.#takers = takers;
    for (const line of this.#lines()) {
      const waiter = line[this.#group].peek();
      if (waiter !== undefined) takers.push({ heapIndex: -1, line, ticket: waiter.ticket });
    }
    return this.taker();
  }

  #longestWaiting(): Line<T, R> | undefined {
    let longest: Line<T, R> | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (const line of this.#lines()) {
      const ticket = line[this.#group].peek()?.ticket ?? Number.POSITIVE_INFINITY;
      if (ticket >= lowest) continue;
      longest = line;
      lowest = ticket;
    }
    return longest;
  }

  /** Those that may have its tasks; some twice, which does no harm. */
  #lines(): Line<T, R>[] {
    if (!this.#isForAll) return this.followers;
    const lines = [...this.followers];
    for (const { line, waitingViews } of this.lane.places.keys()) {
      if (line[this.#group].size > 0) lines.push(line);
      if (waitingViews.size === 0) continue;
      for (const view of waitingViews) if (!view.passesOver(this.first)) lines.push(view.line);
    }
    return lines;
  }
}

/** A task, and the line whose first waiter gets it. */
export interface Match<T, R> {
  readonly record: TaskRecord<T, R>;
  readonly line: Line<T, R>;
}

/**
 * What those of one group get, task by task. Nobody who waits could have had a task before: so what they may have is in
 * the lanes that have got a new first one since, and those lanes are all that is looked at. Who came so late that there
 * might have been something chooses from all lanes; these are followed from one first task to the next.
 */
export class Offers<T, R> {
  readonly #group: Group;
  readonly #offers = new Heap<Offer<T, R>>((a, b) => a.first.isBefore(b.first));
  readonly #byLane = new Map<Lane<T, R>, Offer<T, R>>();

  constructor(group: Group, newLanes: Iterable<Lane<T, R>>, latecomers: Iterable<Line<T, R>>) {
    this.#group = group;
    for (const lane of newLanes) {
      const first = lane.records.peek();
      if (first !== undefined) this.#open(lane, first, true);
    }
    for (const line of latecomers) this.#follow(line);
  }

  /** The first task that somebody may have, and for whom it is; it must be taken before this is called again. */
  next(): Match<T, R> | undefined {
    for (let offer = this.#offers.peek(); offer !== undefined; offer = this.#offers.peek()) {
      const record = offer.lane.records.peek();
      if (record === offer.first) {
        const line = offer.taker();
        if (line !== undefined) return { record, line };
        this.#close(offer);
      } else {
        if (record === undefined) {
          this.#close(offer);
        } else {
          offer.first = record;
          this.#offers.update(offer);
        }
        const { followers } = offer;
        offer.followers = [];
        for (const line of followers) this.#follow(line);
      }
    }
    return undefined;
  }

  /** Offers a latecomer its first task. */
  #follow(line: Line<T, R>): void {
    const first = line[this.#group].size === 0 ? undefined : line.choice.first();
    if (first?.lane === undefined) return;
    const offer = this.#byLane.get(first.lane) ?? this.#open(first.lane, first, false);
    offer.followers.push(line);
  }

  #open(lane: Lane<T, R>, first: TaskRecord<T, R>, isForAll: boolean): Offer<T, R> {
    const offer = new Offer<T, R>(lane, first, this.#group, isForAll);
    this.#offers.push(offer);
    this.#byLane.set(lane, offer);
    return offer;
  }

  #close(offer: Offer<T, R>): void {
    this.#offers.remove(offer);
    this.#byLane.delete(offer.lane);
  }
}
