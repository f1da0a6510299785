// The leases of one connection, by their number on the wire, and which of them run.
import { Bag, type BagItem } from '../bag.ts';
import { LeaseNumbers } from '../lease-numbers.ts';
import { Queue } from '../queue.ts';
import type { Lease } from '../scheduling/scheduler.ts';

/**
 * So many times the end of an attempt's time is put off, as its worker comes back. Then it is judged whether the worker is
 * there or not: one that is lost again and again would have time without end otherwise.
 */
const MAX_POSTPONED = 5;

/** A lease that this connection holds. */
export class Grant<T> implements BagItem {
  /** Its place among those that have started. */
  slot = -1;
  /**
   * `recalled`: it waits, and the worker has been asked to give it back. `running`: it runs, or may do so. `cancelled`:
   * the lease is over for the scheduler, but the worker has not answered yet.
   */
  state: 'waiting' | 'recalled' | 'running' | 'cancelled' = 'waiting';
  /** Undefined: as far as is known, it has not. */
  startedAtMs: number | undefined = undefined;
  /** Everybody has been told that it started, and not yet how it ended. */
  isTold = false;
  /** It has started, which is more than believed: the worker has said what only one that has can tell. */
  isProven = false;
  /** When a younger one was first seen to run that this one may have been waiting beside, though it was taken to run. */
  overtakenAtMs: number | undefined = undefined;
  /** By when it must have ended, while it runs; by when it must have been given back, while it is recalled. */
  dueMs = Number.POSITIVE_INFINITY;
  /** How many times that was put off since it was set, as the worker had just come back. */
  postponed = 0;
  /** Its number on the wire; means something on this connection only. */
  readonly id: number;
  readonly lease: Lease<T>;
  readonly grantedAtMs: number;

  constructor(id: number, lease: Lease<T>, grantedAtMs: number) {
    this.id = id;
    this.lease = lease;
    this.grantedAtMs = grantedAtMs;
  }
}

/**
 * A worker starts its tasks in the order of delivery. So without being told, the master knows that the oldest
 * `concurrency` of them run. A cancelled one keeps its slot until the worker says that it is free again. Those that were
 * on their way when the worker lowered its concurrency have not started after all, and are turned back.
 *
 * A worker that sends tasks ahead into several threads may start one out of turn, for moments, and shows it by what it says
 * of that one. Which of the older ones waits is not known then, but that the oldest runs.
 */
export class GrantTable<T> {
  readonly #grants = new LeaseNumbers<Grant<T>>();
  /** Those not started, in order of delivery; and where some stood that started out of turn. */
  readonly #waiting = new Queue<Grant<T>>();
  /** How many of the latter there are: it would cost more to take each of them out. */
  #gaps = 0;
  /** Those that occupy a slot, cancelled ones among them. */
  readonly #started = new Bag<Grant<T>>();
  /** There once one was asked back. */
  #recalled: Set<Grant<T>> | undefined = undefined;
  /** Of those that are cancelled. */
  #cancelled = 0;
  #nextId = 1;

  /** All that the worker has not answered. */
  get size(): number {
    return this.#grants.size;
  }

  /** Those that occupy a slot of the worker. */
  get running(): number {
    return this.#started.size;
  }

  /** Those that have not started. */
  get waiting(): number {
    return this.#waiting.size - this.#gaps;
  }

  /** Those that are asked back. */
  get recalled(): Iterable<Grant<T>> {
    return this.#recalled ?? [];
  }

  /** Those that the scheduler still waits for. */
  get live(): number {
    return this.#grants.size - this.#cancelled;
  }

  /** In order of delivery. */
  [Symbol.iterator](): IterableIterator<Grant<T>> {
    return this.#grants.all().values();
  }

  add(lease: Lease<T>, nowMs: number): Grant<T> {
    const id = this.#nextId;
    this.#nextId += 1;
    const grant = new Grant(id, lease, nowMs);
    lease.number = id;
    this.#grants.add(grant);
    this.#waiting.push(grant);
    return grant;
  }

  get(id: number): Grant<T> | undefined {
    return this.#grants.get(id);
  }

  /** Whether that number was ever given out: if not, the peer made it up. */
  wasGranted(id: number): boolean {
    return id > 0 && id < this.#nextId;
  }

  find(lease: Lease<T>): Grant<T> | undefined {
    const grant = this.#grants.get(lease.number);
    return grant?.lease === lease ? grant : undefined;
  }

  /** Starts the oldest one, if the worker has a slot for it; returns it unless it is cancelled. */
  start(concurrency: number, nowMs: number): Grant<T> | undefined {
    while (this.#started.size < concurrency) {
      const grant = this.#waiting.shift();
      if (grant === undefined) break;
      if (grant.isProven) {
        this.#gaps -= 1;
        continue;
      }
      this.#started.add(grant);
      if (grant.state === 'recalled') this.#recalled?.delete(grant);
      grant.startedAtMs = nowMs;
      if (grant.state === 'cancelled') continue;
      grant.state = 'running';
      return grant;
    }
    return undefined;
  }

  /** One that was taken to wait has started, though the slots seem to be taken by older ones. */
  startOutOfTurn(grant: Grant<T>, nowMs: number): void {
    this.#noteOvertaking(nowMs);
    if (grant.state === 'recalled') this.#recalled?.delete(grant);
    grant.state = 'running';
    grant.startedAtMs = nowMs;
    grant.isProven = true;
    this.#started.add(grant);
    this.#leaveGap(grant);
  }

  /** One that is taken to run does. */
  prove(grant: Grant<T>): void {
    if (this.#started.has(grant)) grant.isProven = true;
  }

  /**
   * Only so many can have started: the oldest, besides those of which it is proven. The others wait, in their order; if
   * it is not known that they do, they may run, and only their time does not count. Returns those of which it is known.
   */
  turnBack(running: number, isKnown: boolean): Grant<T>[] {
    const inTurn = [...this.#started].filter(({ isProven }) => !isProven).sort((a, b) => a.id - b.id);
    const others = inTurn.slice(Math.max(0, running - (this.#started.size - inTurn.length)));
    for (const grant of others.toReversed()) {
      this.#started.delete(grant);
      this.#waiting.unshift(grant);
    }
    const turnedBack = others.filter(({ state }) => state === 'running' && isKnown);
    for (const grant of turnedBack) {
      grant.state = 'waiting';
      grant.startedAtMs = undefined;
      grant.overtakenAtMs = undefined;
    }
    return turnedBack;
  }

  /** Those that could be asked back, the last one first, each with the number of those that wait up to it. */
  *recallable(): Generator<readonly [grant: Grant<T>, position: number]> {
    let position = this.waiting;
    for (const grant of this.#waiting.reversed()) {
      if (grant.isProven) continue;
      if (grant.state === 'waiting') yield [grant, position];
      position -= 1;
    }
  }

  /** The worker is asked to give it back, until then. */
  recall(grant: Grant<T>, dueMs: number): void {
    grant.state = 'recalled';
    grant.dueMs = dueMs;
    this.#recalled ??= new Set();
    this.#recalled.add(grant);
  }

  /** The scheduler has taken it back. */
  cancel(grant: Grant<T>): void {
    if (grant.state === 'cancelled') return;
    if (grant.state === 'recalled') this.#recalled?.delete(grant);
    grant.state = 'cancelled';
    this.#cancelled += 1;
  }

  /** The worker has answered. Returns whether it had started. */
  remove(grant: Grant<T>): boolean {
    // A listener that was told of it may have ended the session, and with it all grants.
    if (!this.#grants.delete(grant)) return false;
    if (grant.state === 'recalled') this.#recalled?.delete(grant);
    else if (grant.state === 'cancelled') this.#cancelled -= 1;
    if (this.#started.delete(grant)) return true;
    this.#waiting.remove(grant);
    return false;
  }

  /** Those whose time is over: they were asked back, or run if that is to be judged by now, for too long. */
  overdue(nowMs: number, withRunning = true): Grant<T>[] {
    return [...this.#timed(withRunning)].filter(({ dueMs }) => dueMs <= nowMs);
  }

  /** None of those that run is overdue before that, unless it has been put off for too often. */
  postpone(untilMs: number): void {
    for (const grant of this.#started) {
      if (grant.dueMs >= untilMs || grant.postponed === MAX_POSTPONED) continue;
      grant.dueMs = untilMs;
      grant.postponed += 1;
    }
  }

  /** When the next of them is overdue. */
  nextDueMs(withRunning = true): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#timed(withRunning)) next = Math.min(next, dueMs);
    return next;
  }

  /** Any of those that are taken to run may wait, but for the oldest, which the others wait for. */
  #noteOvertaking(nowMs: number): void {
    let oldest: Grant<T> | undefined;
    for (const grant of this.#started) if (oldest === undefined || grant.id < oldest.id) oldest = grant;
    for (const grant of this.#started) if (grant !== oldest) grant.overtakenAtMs ??= nowMs;
  }

  /** It has started out of turn; at O(1), as whole windows may do so. */
  #leaveGap(grant: Grant<T>): void {
    if (this.#waiting.peek() === grant) {
      this.#waiting.shift();
      return;
    }
    this.#gaps += 1;
    if (this.#gaps * 2 <= this.#waiting.size) return;
    this.#waiting.keep(({ isProven }) => !isProven);
    this.#gaps = 0;
  }

  *#timed(withRunning: boolean): Generator<Grant<T>> {
    for (const grant of this.#started) {
      if (grant.state === 'running' && (withRunning || grant.postponed === MAX_POSTPONED)) yield grant;
    }
    yield* this.recalled;
  }
}
