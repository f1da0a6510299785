// The workers that wait for a task, and the fair handing out of what comes.
import { Heap, type HeapItem } from '../heap.ts';
import type { Choice } from './profile.ts';
import type { Lease, LeaseHolder, TakeSignal } from './scheduler.ts';

/** A `take` that has found nothing so far, and listens whether it is called back. */
class Waiter<T, R> implements HeapItem {
  heapIndex = -1;
  max = 0;
  /** How many more tasks it could start at once. */
  idleSlots = 0;
  /** Who has waited for longer, or was served in an earlier round, has the lower one. */
  ticket: number;
  choice: Choice<T, R>;
  readonly holder: LeaseHolder<T>;
  readonly #room: WaitingRoom<T, R>;
  readonly #signal: TakeSignal;
  readonly #resolve: (leases: Lease<T>[]) => void;
  /** What it gets; none as long as it waits. */
  #leases: Lease<T>[] | undefined = undefined;

  constructor(
    ticket: number,
    choice: Choice<T, R>,
    holder: LeaseHolder<T>,
    room: WaitingRoom<T, R>,
    signal: TakeSignal,
    resolve: (leases: Lease<T>[]) => void,
  ) {
    this.ticket = ticket;
    this.choice = choice;
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

/** Those who wait and choose from the same: who could start a task at once, and who only stock up. The longest waiting first. */
class Line<T, R> {
  // Not in the order of coming here: who comes from another line may have waited longer.
  readonly idle = new Heap<Waiter<T, R>>(hasWaitedLonger);
  readonly stocking = new Heap<Waiter<T, R>>(hasWaitedLonger);

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

type Group = 'idle' | 'stocking';

/** Who waits. */
export class WaitingRoom<T, R> {
  readonly #lease: (holder: LeaseHolder<T>) => Lease<T> | undefined;
  readonly #onServed: () => void;
  readonly #lines = new Map<Choice<T, R>, Line<T, R>>();
  /** By the ids of their holders. */
  readonly #waiters = new Map<string, Waiter<T, R>>();
  #nextTicket = 0;
  #isAboutToServe = false;

  /** `lease` leases the first task for a holder. `onServed` is called when everybody has been served who could be. */
  constructor(lease: (holder: LeaseHolder<T>) => Lease<T> | undefined, onServed: () => void) {
    this.#lease = lease;
    this.#onServed = onServed;
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Whether those who wait are served before anything else happens. */
  get isAboutToServe(): boolean {
    return this.#isAboutToServe;
  }

  /** Those who could start a task at once, the longest waiting of each line first. */
  *idleHolders(): Generator<LeaseHolder<T>> {
    for (const { idle } of this.#lines.values()) {
      for (const { holder } of [...idle].sort((a, b) => a.ticket - b.ticket)) yield holder;
    }
  }

  /** Waits to be served; resolves to nothing when the signal aborts. */
  wait(choice: Choice<T, R>, holder: LeaseHolder<T>, max: number, signal: TakeSignal): Promise<Lease<T>[]> {
    return new Promise((resolve) => {
      const waiter = new Waiter<T, R>(this.#issueTicket(), choice, holder, this, signal, resolve);
      waiter.want(max);
      this.#add(waiter);
    });
  }

  /** Waits no more, and gets nothing; for those who wait. */
  leave(waiter: Waiter<T, R>): void {
    this.#remove(waiter);
    waiter.settle();
  }

  /** A holder chooses from something else now. */
  move(holder: LeaseHolder<T>, choice: Choice<T, R>): void {
    const waiter = this.#waiters.get(holder.id);
    if (waiter === undefined) return;
    this.#remove(waiter);
    waiter.choice = choice;
    this.#add(waiter);
  }

  /** A holder that may wait wants up to `max` leases, and can start another number of tasks at once. */
  loadChanged(holder: LeaseHolder<T>, max: number): void {
    const waiter = this.#waiters.get(holder.id);
    if (waiter === undefined) return;
    const line = this.#lines.get(waiter.choice);
    line?.remove(waiter);
    waiter.want(max);
    line?.add(waiter);
  }

  /** Serves those who wait, once the caller is through, so that tasks put together are handed out together. */
  serveSoon(): void {
    if (this.#isAboutToServe || this.isEmpty) return;
    this.#isAboutToServe = true;
    queueMicrotask(() => {
      this.#isAboutToServe = false;
      this.serve();
      this.#onServed();
    });
  }

  /**
   * Serves the waiting in rounds, one lease each a round, so that a few tasks spread over all of them; first those who
   * could start it at once.
   */
  serve(): void {
    const served: Waiter<T, R>[] = [];
    for (const group of ['idle', 'stocking'] as const) {
      for (let line = this.#next(group); line !== undefined; line = this.#next(group)) {
        const waiter = line[group].peek();
        const next = waiter === undefined ? undefined : this.#lease(waiter.holder);
        if (waiter === undefined || next === undefined) break;
        if (waiter.served === 0) served.push(waiter);
        line.remove(waiter);
        waiter.serve(next);
        // To the end of the line, or of the other one; and behind those of other lines.
        waiter.ticket = this.#issueTicket();
        if (waiter.served < waiter.max) line.add(waiter);
      }
    }
    for (const waiter of served) {
      this.#remove(waiter);
      waiter.settle();
    }
  }

  /** Serves one who waits with a lease that was made for it. */
  give(holder: LeaseHolder<T>, lease: Lease<T>): void {
    const waiter = this.#waiters.get(holder.id);
    if (waiter === undefined) return;
    this.#remove(waiter);
    waiter.serve(lease);
    waiter.settle();
  }

  /** The line whose first waiter gets the first of all tasks that somebody in this group waits for. */
  #next(group: Group): Line<T, R> | undefined {
    let best: { readonly line: Line<T, R>; readonly ticket: number } | undefined;
    let bestTask: ReturnType<Choice<T, R>['first']>;
    for (const [choice, line] of this.#lines) {
      const waiter = line[group].peek();
      const task = waiter === undefined ? undefined : choice.first();
      if (waiter === undefined || task === undefined) continue;
      const isBetter =
        bestTask === undefined ||
        best === undefined ||
        (task === bestTask ? waiter.ticket < best.ticket : task.isBefore(bestTask));
      if (!isBetter) continue;
      best = { line, ticket: waiter.ticket };
      bestTask = task;
    }
    return best?.line;
  }

  #issueTicket(): number {
    this.#nextTicket += 1;
    return this.#nextTicket;
  }

  #add(waiter: Waiter<T, R>): void {
    const { choice } = waiter;
    let line = this.#lines.get(choice);
    if (line === undefined) {
      line = new Line<T, R>();
      this.#lines.set(choice, line);
    }
    line.add(waiter);
    this.#waiters.set(waiter.holder.id, waiter);
  }

  #remove(waiter: Waiter<T, R>): void {
    const { holder, choice } = waiter;
    if (this.#waiters.get(holder.id) !== waiter) return;
    this.#waiters.delete(holder.id);
    const line = this.#lines.get(choice);
    line?.remove(waiter);
    if (line?.isEmpty === true) this.#lines.delete(choice);
  }
}
