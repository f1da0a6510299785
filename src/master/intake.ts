// When a worker takes tasks, and how many: one `take` at a time, for as long as it has credit.
import type { Clock } from '../ports.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { Lease, LeaseHolder, TaskScheduler } from '../scheduling/scheduler.ts';
import type { HeldLeases } from './held-leases.ts';
import type { LeaseReports } from './lease-reports.ts';
import type { PrefetchWindow } from './prefetch-window.ts';
import { Take } from './take.ts';

/**
 * While the worker has enough to go on with, tasks are taken by this share of the window at least: each frame costs both sides
 * as much as several tasks. It is the silly window syndrome of TCP (RFC 813) otherwise: many small frames, for ever.
 */
const LEAST_SHARE = 1 / 8;

/** After so many answers, there is a refill before the frame is through. */
const REFILL_AT = 128;

/** For whom tasks are taken: a session. */
export interface Taker<T> extends LeaseHolder<T> {
  /** Once it is not, it takes nothing any more. */
  readonly isOpen: boolean;
  /** It has given back so much that it gets nothing for a while. */
  readonly isResting: boolean;
  /** How many tasks it could start at once, or whether it waits for some, may have changed. */
  loadChanged(): void;
  schedulerFailed(error: unknown): void;
}

/** Takes tasks for one worker. */
export class Intake<T, R> {
  readonly #scheduler: TaskScheduler<T, R>;
  readonly #clock: Clock;
  readonly #held: HeldLeases<T, R>;
  readonly #window: PrefetchWindow;
  readonly #reports: LeaseReports<T, R>;
  readonly #taker: Taker<T>;
  /** What is under way: what the scheduler knows of it. */
  #taking: Take | undefined = undefined;
  #isRefilling = false;
  /** How many answers have come since the last refill. */
  #freed = 0;

  constructor(
    scheduler: TaskScheduler<T, R>,
    clock: Clock,
    held: HeldLeases<T, R>,
    window: PrefetchWindow,
    reports: LeaseReports<T, R>,
    taker: Taker<T>,
  ) {
    this.#scheduler = scheduler;
    this.#clock = clock;
    this.#held = held;
    this.#window = window;
    this.#reports = reports;
    this.#taker = taker;
  }

  /** How many leases the worker may hold. */
  get credit(): number {
    const { concurrency, isDraining } = this.#held;
    return concurrency === 0 || isDraining || this.#taker.isResting ? 0 : concurrency + this.#window.size(concurrency);
  }

  /** Whether it waits for tasks. */
  get isTaking(): boolean {
    return this.#taking !== undefined;
  }

  /** Calls back what is under way: it was asked for another number of tasks. */
  interrupt(): void {
    this.#taking?.abort();
  }

  /** The worker has answered a lease. In the midst of many answers it gets something to do now and then, while they are read. */
  freed(): void {
    this.#freed += 1;
    if (this.#freed >= REFILL_AT) this.refill();
    this.refillSoon();
  }

  /**
   * Refills once the frame that is being read is through, so that all that it frees is taken together; and once the
   * scheduler has handed out what the frame gave back, as somebody idle may wait for it.
   */
  refillSoon(): void {
    if (this.#isRefilling) return;
    this.#isRefilling = true;
    queueMicrotask(() =>
      queueMicrotask(() => {
        this.#isRefilling = false;
        this.refill();
      }),
    );
  }

  /** Takes tasks while there is credit; to be called whenever some may have come free. */
  refill(): void {
    this.#freed = 0;
    try {
      // One after the other, not one within the other: of tasks that cannot be sent, thousands may come and go.
      while (this.#takeMore());
      this.#taker.loadChanged();
    } catch (error) {
      // Mostly nobody is there to throw it to: it is called by microtasks and timers.
      this.#taker.schedulerFailed(error);
    }
  }

  /** Returns whether tasks were given at once: more may be wanted. */
  #takeMore(): boolean {
    this.#window.reckon(this.#clock.now());
    const free = this.#free;
    if (free <= 0 && !this.#taker.isResting) this.#window.noteFull();
    const { room } = this.#held;
    // It reads too slowly: others may have the tasks until it has read what was sent.
    if (room === 0) this.#held.awaitRoom();
    const max = Math.min(free, room);
    const { idleSlots } = this.#taker;
    if (this.#taking !== undefined) {
      this.#askAnew(this.#taking, max, idleSlots);
      return false;
    }
    const isWorthIt = max > 0 && free >= this.#leastFor(idleSlots);
    return isWorthIt && this.#taker.isOpen && this.#take(max, idleSlots);
  }

  /** How many more leases the worker may hold. */
  get #free(): number {
    return this.credit - this.#held.size;
  }

  /** How many leases must be free for it to be worth taking tasks. */
  #leastFor(idleSlots: number): number {
    return idleSlots > 0 ? 1 : Math.max(1, this.#window.size(this.#held.concurrency) * LEAST_SHARE);
  }

  /** Who could start a task at once goes before those who could not, and may have come to that while it waits. */
  #askAnew(taking: Take, max: number, idleSlots: number): void {
    if (max <= 0 || (max === taking.max && idleSlots === taking.idleSlots)) return;
    taking.max = max;
    taking.idleSlots = idleSlots;
    this.#scheduler.loadChanged(this.#taker, max);
  }

  /** Returns whether the scheduler has given something at once. */
  #take(max: number, idleSlots: number): boolean {
    const taking = new Take(max, idleSlots);
    this.#taking = taking;
    const taken = this.#scheduler.take(this.#taker, max, taking);
    if (isPromiseLike(taken)) {
      this.#await(taken);
      return false;
    }
    this.#grantAll(taken);
    return taken.length > 0;
  }

  /** Not an async function: a suspended one takes twice the memory, and a master has one for each idle worker. */
  #await(taking: PromiseLike<readonly Lease<T>[]>): void {
    taking.then(
      (leases) => {
        try {
          this.#grantAll(leases);
        } catch (error) {
          this.#taker.schedulerFailed(error);
        }
        this.refill();
      },
      (error: unknown) => this.#taker.schedulerFailed(error),
    );
  }

  #grantAll(leases: readonly Lease<T>[]): void {
    this.#taking = undefined;
    const nowMs = this.#clock.now();
    let free = this.#free;
    for (const lease of leases) {
      // It may have been aborted since it was taken, which there was no grant to revoke for.
      if (!lease.isLive) continue;
      try {
        if (this.#taker.isOpen && free > 0 && this.#held.room > 0) this.#held.grant(lease, nowMs);
        else this.#reports.notGranted(lease);
        free -= 1;
      } catch (error) {
        // The others go back.
        this.#taker.schedulerFailed(error);
      }
    }
    this.#held.start(nowMs);
  }
}
