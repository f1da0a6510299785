// The workers that wait for a task, and the fair handing out of what comes.
import { Heap, type HeapItem } from '../heap.ts';
import type { Choice } from './profile.ts';
import type { Lease, LeaseHolder } from './scheduler.ts';

/** A `take` that has found nothing so far. */
class Waiter<T> implements HeapItem {
  heapIndex = -1;
  readonly leases: Lease<T>[] = [];
  max = 0;
  /** How many more tasks it could start at once. */
  idleSlots = 0;
  /** Who has waited for longer, or was served in an earlier round, has the lower one. */
  ticket: number;
  readonly holder: LeaseHolder<T>;
  readonly resolve: (leases: Lease<T>[]) => void;

  constructor(ticket: number, holder: LeaseHolder<T>, max: number, resolve: (leases: Lease<T>[]) => void) {
    this.ticket = ticket;
    this.holder = holder;
    this.resolve = resolve;
    this.want(max);
  }

  /** It is to get up to `max` leases, and first those that it could start at once. */
  want(max: number): void {
    this.max = max;
    this.idleSlots = Math.min(max, this.holder.idleSlots);
  }
}

/** Those who wait and choose from the same: who could start a task at once, and who only stock up. The longest waiting first. */
class Line<T> {
  // Not in the order of coming here: who comes from another line may have waited longer.
  readonly idle = new Heap<Waiter<T>>(hasWaitedLonger);
  readonly stocking = new Heap<Waiter<T>>(hasWaitedLonger);

  add(waiter: Waiter<T>): void {
    (waiter.idleSlots > 0 ? this.idle : this.stocking).push(waiter);
  }

  remove(waiter: Waiter<T>): void {
    this.idle.remove(waiter);
    this.stocking.remove(waiter);
  }

  get isEmpty(): boolean {
    return this.idle.size + this.stocking.size === 0;
  }
}

function hasWaitedLonger<T>(a: Waiter<T>, b: Waiter<T>): boolean {
  return a.ticket < b.ticket;
}

type Group = 'idle' | 'stocking';

/** Who waits. */
export class WaitingRoom<T, R> {
  readonly #lease: (holder: LeaseHolder<T>) => Lease<T> | undefined;
  readonly #onServed: () => void;
  readonly #lines = new Map<Choice<T, R>, Line<T>>();
  readonly #waiters = new Map<string, { readonly waiter: Waiter<T>; choice: Choice<T, R> }>();
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
  wait(choice: Choice<T, R>, holder: LeaseHolder<T>, max: number, signal: AbortSignal): Promise<Lease<T>[]> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#remove(waiter);
        resolve([]);
      };
      const waiter = new Waiter<T>(this.#issueTicket(), holder, max, (leases) => {
        signal.removeEventListener('abort', leave);
        resolve(leases);
      });
      signal.addEventListener('abort', leave, { once: true });
      this.#add(waiter, choice);
    });
  }

  /** A holder chooses from something else now. */
  move(holder: LeaseHolder<T>, choice: Choice<T, R>): void {
    const found = this.#waiters.get(holder.id);
    if (found === undefined) return;
    this.#remove(found.waiter);
    this.#add(found.waiter, choice);
  }

  /** A holder that may wait wants up to `max` leases, and can start another number of tasks at once. */
  loadChanged(holder: LeaseHolder<T>, max: number): void {
    const found = this.#waiters.get(holder.id);
    if (found === undefined) return;
    const { waiter, choice } = found;
    const line = this.#lines.get(choice);
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
    const served = new Set<Waiter<T>>();
    for (const group of ['idle', 'stocking'] as const) {
      for (let line = this.#next(group); line !== undefined; line = this.#next(group)) {
        const waiter = line[group].peek();
        const next = waiter === undefined ? undefined : this.#lease(waiter.holder);
        if (waiter === undefined || next === undefined) break;
        served.add(waiter);
        line.remove(waiter);
        waiter.leases.push(next);
        waiter.idleSlots -= 1;
        // To the end of the line, or of the other one; and behind those of other lines.
        waiter.ticket = this.#issueTicket();
        if (waiter.leases.length < waiter.max) line.add(waiter);
      }
    }
    for (const waiter of served) {
      this.#remove(waiter);
      waiter.resolve(waiter.leases);
    }
  }

  /** Serves one who waits with a lease that was made for it. */
  give(holder: LeaseHolder<T>, lease: Lease<T>): void {
    const waiter = this.#waiters.get(holder.id)?.waiter;
    if (waiter === undefined) return;
    this.#remove(waiter);
    waiter.resolve([lease]);
  }

  /** The line whose first waiter gets the first of all tasks that somebody in this group waits for. */
  #next(group: Group): Line<T> | undefined {
    let best: { readonly line: Line<T>; readonly ticket: number } | undefined;
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

  #add(waiter: Waiter<T>, choice: Choice<T, R>): void {
    let line = this.#lines.get(choice);
    if (line === undefined) {
      line = new Line<T>();
      this.#lines.set(choice, line);
    }
    line.add(waiter);
    this.#waiters.set(waiter.holder.id, { waiter, choice });
  }

  #remove(waiter: Waiter<T>): void {
    const found = this.#waiters.get(waiter.holder.id);
    if (found?.waiter !== waiter) return;
    this.#waiters.delete(waiter.holder.id);
    const line = this.#lines.get(found.choice);
    line?.remove(waiter);
    if (line?.isEmpty === true) this.#lines.delete(found.choice);
  }
}
