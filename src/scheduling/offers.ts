// Which task goes to which line next, where those who wait choose from different tasks.
import { Heap, type HeapItem } from '../heap.ts';
import type { Lane } from './lane.ts';
import type { TaskRecord } from './task-record.ts';
import type { Group, Line } from './waiting-line.ts';

/** A line that may have the tasks of a lane. */
interface Taker<T, R> extends HeapItem {
  readonly line: Line<T, R>;
  /** Of the first who waits in the line, when it was looked at last: it only rises, as who is served goes to the end. */
  ticket: number;
}

/** The tasks of a lane, and the lines that may have them. */
class Offer<T, R> implements HeapItem {
  heapIndex = -1;
  readonly lane: Lane<T, R>;
  first: TaskRecord<T, R>;
  /** The latecomers whose first task this lane has. */
  followers: Line<T, R>[] = [];
  readonly #group: Group;
  readonly #takers = new Heap<Taker<T, R>>((a, b) => a.ticket < b.ticket);
  /** The latecomers among the takers; there once there is one. */
  #latecomers: Set<Line<T, R>> | undefined = undefined;

  constructor(lane: Lane<T, R>, first: TaskRecord<T, R>, group: Group) {
    this.lane = lane;
    this.first = first;
    this.#group = group;
  }

  add(line: Line<T, R>): void {
    const waiter = line[this.#group].peek();
    if (waiter !== undefined) this.#takers.push({ heapIndex: -1, line, ticket: waiter.ticket });
  }

  /** The lane has the first task for this latecomer. */
  follow(line: Line<T, R>): void {
    this.followers.push(line);
    this.#latecomers ??= new Set();
    if (this.#latecomers.has(line)) return;
    this.#latecomers.add(line);
    // It may be among the takers already, which does no harm.
    this.add(line);
  }

  /** The line in which the one is who has waited longest. */
  taker(): Line<T, R> | undefined {
    for (let taker = this.#takers.peek(); taker !== undefined; taker = this.#takers.peek()) {
      const { line } = taker;
      const waiter = line[this.#group].peek();
      if (waiter?.ticket === taker.ticket) return line;
      if (waiter === undefined) {
        this.#takers.remove(taker);
      } else {
        taker.ticket = waiter.ticket;
        this.#takers.update(taker);
      }
    }
    return undefined;
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
    for (const lane of newLanes) this.#offer(lane);
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

  /** Offers the tasks of a lane to all who may have them. */
  #offer(lane: Lane<T, R>): void {
    const first = lane.records.peek();
    if (first === undefined) return;
    const offer = this.#open(lane, first);
    for (const profile of lane.places.keys()) {
      for (const line of profile.waiting) if (!line.choice.passesOver(first)) offer.add(line);
    }
  }

  /** Offers a latecomer its first task. */
  #follow(line: Line<T, R>): void {
    const first = line[this.#group].size === 0 ? undefined : line.choice.first();
    if (first?.lane === undefined) return;
    const offer = this.#byLane.get(first.lane) ?? this.#open(first.lane, first);
    offer.follow(line);
  }

  #open(lane: Lane<T, R>, first: TaskRecord<T, R>): Offer<T, R> {
    const offer = new Offer<T, R>(lane, first, this.#group);
    this.#offers.push(offer);
    this.#byLane.set(lane, offer);
    return offer;
  }

  #close(offer: Offer<T, R>): void {
    this.#offers.remove(offer);
    this.#byLane.delete(offer.lane);
  }
}
