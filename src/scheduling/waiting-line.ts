// Those who wait for a task, by what they choose from.
import { Heap, type HeapItem } from '../heap.ts';
import type { Choice } from './profile.ts';
import type { Lease, LeaseHolder, TakeSignal } from './scheduler.ts';

/** A `take` that has found nothing so far, and listens whether it is called back. */
export class Waiter<T, R> implements HeapItem {
  heapIndex = -1;
  max = 0;
  /** How many more tasks it could start at once. */
  idleSlots = 0;
  /** Who has waited for longer, or was served in an earlier round, has the lower one. */
  ticket: number;
  /** Where it waits. */
  line: Line<T, R>;
  readonly holder: LeaseHolder<T>;
  readonly #room: { leave(waiter: Waiter<T, R>): void };
  readonly #signal: TakeSignal;
  readonly #resolve: (leases: Lease<T>[]) => void;
  /** What it gets; none as long as it waits. */
  #leases: Lease<T>[] | undefined = undefined;

  /** When the signal aborts, it leaves the room. */
  constructor(
    ticket: number,
    line: Line<T, R>,
    holder: LeaseHolder<T>,
    room: { leave(waiter: Waiter<T, R>): void },
    signal: TakeSignal,
    resolve: (leases: Lease<T>[]) => void,
  ) {
    this.ticket = ticket;
    this.line = line;
    this.holder = holder;
    this.#room = room;
    this.#signal = signal;
    this.#resolve = resolve;
    signal.addEventListener('abort', this, { once: true });
  }

  /** How many leases it gets. */
  get served(): number {
    return this.#leases?.length ?? 0;
  }

  /** It is to get up to `max` leases, and first those that it could start at once. */
  want(max: number): void {
    this.max = max;
    this.idleSlots = Math.min(max, this.holder.idleSlots);
  }

  /** It gets one lease more. */
  serve(lease: Lease<T>): void {
    if (this.#leases === undefined) this.#leases = [lease];
    else this.#leases.push(lease);
    this.idleSlots -= 1;
  }

  /** It has what there is for it, and waits no more. */
  settle(): void {
    this.#signal.removeEventListener('abort', this);
    this.#resolve(this.#leases ?? []);
  }

  /** The signal has aborted. */
  handleEvent(): void {
    this.#room.leave(this);
  }
}

/** Who could start a task at once, and who would only stock up. */
export type Group = 'idle' | 'stocking';

/** In the order in which they are served. */
export const GROUPS: readonly Group[] = ['idle', 'stocking'];

/** Those who wait and choose from the same, by group. The longest waiting first. */
export class Line<T, R> {
  readonly choice: Choice<T, R>;
  // Not in the order of coming here: who comes from another line may have waited longer.
  readonly idle = new Heap<Waiter<T, R>>(hasWaitedLonger);
  readonly stocking = new Heap<Waiter<T, R>>(hasWaitedLonger);

  constructor(choice: Choice<T, R>) {
    this.choice = choice;
  }

  add(waiter: Waiter<T, R>): void {
    (waiter.idleSlots > 0 ? this.idle : this.stocking).push(waiter);
  }

  remove(waiter: Waiter<T, R>): void {
    this.idle.remove(waiter);
    this.stocking.remove(waiter);
  }

  get isEmpty(): boolean {
    return this.idle.size + this.stocking.size === 0;
  }
}

function hasWaitedLonger<T, R>(a: Waiter<T, R>, b: Waiter<T, R>): boolean {
  return a.ticket < b.ticket;
}
