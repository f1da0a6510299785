// The workers that wait for a task, and the fair handing out of what comes.
import type { Lane } from './lane.ts';
import { Offers } from './offers.ts';
import type { Choice } from './profile.ts';
import type { Lease, LeaseHolder, TakeSignal } from './scheduler.ts';
import type { TaskRecord } from './task-record.ts';
import { GROUPS, type Line, Waiter } from './waiting-line.ts';

/** Who waits. */
export class WaitingRoom<T, R> {
  readonly #lease: (record: TaskRecord<T, R>, holder: LeaseHolder<T>) => Lease<T>;
  readonly #onServed: () => void;
  /** Those in which somebody waits. */
  readonly #lines = new Set<Line<T, R>>();
  /** By the ids of their holders. */
  readonly #waiters = new Map<string, Waiter<T, R>>();
  /** The lanes that have got a new first task since everybody was served. */
  readonly #newLanes = new Set<Lane<T, R>>();
  /** The lines of those who came when others were about to be served, and have not seen what there is. */
  readonly #latecomers = new Set<Line<T, R>>();
  #nextTicket = 0;
  #isAboutToServe = false;
  #isServing = false;
  /** Whether to give a task has changed, while others are served, who may have what there is. */
  #isUpset = false;

  /** `lease` leases a task to a holder. `onServed` is called when everybody has been served who could be. */
  constructor(lease: (record: TaskRecord<T, R>, holder: LeaseHolder<T>) => Lease<T>, onServed: () => void) {
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
    for (const { idle } of this.#lines) {
      for (const { holder } of [...idle].sort((a, b) => a.ticket - b.ticket)) yield holder;
    }
  }

  /** Waits to be served; resolves to nothing when the signal aborts. */
  wait(choice: Choice<T, R>, holder: LeaseHolder<T>, max: number, signal: TakeSignal): Promise<Lease<T>[]> {
    return new Promise((resolve) => {
      const waiter = new Waiter<T, R>(this.#issueTicket(), choice.line, holder, this, signal, resolve);
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
    waiter.line = choice.line;
    this.#add(waiter);
    this.#isUpset = this.#isServing;
  }

  /** A holder that may wait wants up to `max` leases, and can start another number of tasks at once. */
  loadChanged(holder: LeaseHolder<T>, max: number): void {
    const waiter = this.#waiters.get(holder.id);
    if (waiter === undefined) return;
    const { line } = waiter;
    line.remove(waiter);
    waiter.want(max);
    line.add(waiter);
  }

  /** A lane has got a new first task, which those who wait may be given; they are to be served soon. */
  firstChanged(lane: Lane<T, R>): void {
    if (!this.isEmpty) this.#newLanes.add(lane);
    this.#isUpset = this.#isServing;
  }

  /** A lane is no more. */
  forget(lane: Lane<T, R>): void {
    this.#newLanes.delete(lane);
  }

  /** Serves those who wait, once the caller is through, so that tasks put together are handed out together. */
  serveSoon(): void {
    if (this.#isAboutToServe || this.#isServing || this.isEmpty) return;
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
    this.#isServing = true;
    do {
      this.#isUpset = false;
      const [line] = this.#lines;
      // Mostly there is one kind of workers: nothing need be known but its own first task.
      if (line !== undefined && this.#lines.size === 1) this.#serveLine(line, served);
      else if (this.#mayBeServed()) this.#serveLines(served);
    } while (this.#isUpset);
    this.#isServing = false;
    if (this.#newLanes.size > 0) this.#newLanes.clear();
    if (this.#latecomers.size > 0) this.#latecomers.clear();
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

  #serveLine(line: Line<T, R>, served: Waiter<T, R>[]): void {
    for (const group of GROUPS) {
      while (line[group].size > 0 && !this.#isUpset) {
        const record = line.choice.first();
        if (record === undefined) return;
        this.#serveFirst(line[group].peek(), record, served);
      }
    }
  }

  /** Whether there may be something for somebody. */
  #mayBeServed(): boolean {
    if (this.#latecomers.size > 0) return true;
    for (const { places } of this.#newLanes) for (const profile of places.keys()) if (profile.isAwaited) return true;
    return false;
  }

  #serveLines(served: Waiter<T, R>[]): void {
    for (const group of GROUPS) {
      const offers = new Offers(group, this.#newLanes, this.#latecomers);
      for (let match = offers.next(); match !== undefined; match = offers.next()) {
        this.#serveFirst(match.line[group].peek(), match.record, served);
        if (this.#isUpset) return;
      }
    }
  }

  /** Serves the first of a line with one task. */
  #serveFirst(waiter: Waiter<T, R> | undefined, record: TaskRecord<T, R>, served: Waiter<T, R>[]): void {
    if (waiter === undefined) return;
    if (waiter.served === 0) served.push(waiter);
    waiter.line.remove(waiter);
    waiter.serve(this.#lease(record, waiter.holder));
    // To have the task may be why it waits in another line now.
    waiter.line.remove(waiter);
    // To the end of the line, or of the other one; and behind those of other lines.
    waiter.ticket = this.#issueTicket();
    if (waiter.served < waiter.max) waiter.line.add(waiter);
  }

  #issueTicket(): number {
    this.#nextTicket += 1;
    return this.#nextTicket;
  }

  #add(waiter: Waiter<T, R>): void {
    const { line, holder } = waiter;
    const isFirst = line.isEmpty;
    // One that is being served may have all it wants.
    if (waiter.served < waiter.max) line.add(waiter);
    this.#waiters.set(holder.id, waiter);
    if (this.#isAboutToServe || this.#isServing) this.#latecomers.add(line);
    if (!isFirst) return;
    this.#lines.add(line);
    line.choice.lineChanged();
  }

  #remove(waiter: Waiter<T, R>): void {
    const { line, holder } = waiter;
    if (this.#waiters.get(holder.id) !== waiter) return;
    this.#waiters.delete(holder.id);
    line.remove(waiter);
    if (!line.isEmpty) return;
    this.#lines.delete(line);
    line.choice.lineChanged();
  }
}
