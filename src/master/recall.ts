// Moving work: what waits at a busy worker is taken back for one that would be idle.

import { Paced } from '../paced.ts';
import type { Clock } from '../ports.ts';
import type { Lease } from '../scheduling/scheduler.ts';
import type { TimerQueue } from '../timer-queue.ts';
import type { Session } from './session.ts';

/** Shares the leases that have not started among the workers, when some have none. */
export class Recaller<T, R> {
  readonly #clock: Clock;
  readonly #look: Paced;
  /** By kind, as those of one kind take the same tasks, but for what they have refused. */
  readonly #idle = new Map<string, Set<Session<T, R>>>();
  #idleCount = 0;
  readonly #stocked = new Set<Session<T, R>>();
  #isAboutToLook = false;

  constructor(clock: Clock, timers: TimerQueue) {
    this.#clock = clock;
    this.#look = new Paced(
      clock,
      timers,
      (nowMs) => this.#balance(nowMs),
      () => this.#look.run(),
    );
  }

  /** A session's load may have changed. */
  loadChanged(session: Session<T, R>): void {
    this.#setIdle(session, session.isIdle);
    if (session.leases.waiting > 0) this.#stocked.add(session);
    else this.#stocked.delete(session);
    if (!this.#isNeeded) {
      this.#look.cancel();
      return;
    }
    if (this.#isAboutToLook) return;
    this.#isAboutToLook = true;
    // When the scheduler has served who waits, and idle is who is left.
    this.#clock.soon(() => {
      this.#isAboutToLook = false;
      this.#look.run();
    });
  }

  /** A session is over. */
  left(session: Session<T, R>): void {
    this.#setIdle(session, false);
    if (this.#idle.get(session.kind)?.size === 0) this.#idle.delete(session.kind);
    this.#stocked.delete(session);
  }

  get #isNeeded(): boolean {
    return this.#idleCount > 0 && this.#stocked.size > 0;
  }

  #setIdle(session: Session<T, R>, isIdle: boolean): void {
    // Kept when it is empty: a worker may idle and be busy thousands of times a second.
    let same = this.#idle.get(session.kind);
    if (same === undefined) {
      if (!isIdle) return;
      same = new Set();
      this.#idle.set(session.kind, same);
    }
    const before = same.size;
    if (isIdle) same.add(session);
    else same.delete(session);
    this.#idleCount += same.size - before;
  }

  /** Returns when to look again. */
  #balance(nowMs: number): number {
    if (!this.#isNeeded) return Number.POSITIVE_INFINITY;
    const demand = new Demand(this.#idle.values());
    for (const session of this.#stocked) {
      // What is on its way back already.
      guard(session, () => {
        for (const { lease } of session.leases.recalled) demand.takerOf(lease)?.take();
      });
    }
    return this.#recall(demand, nowMs);
  }

  /** Returns when to look again. */
  #recall(demand: Demand<T, R>, nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [session] of this.#longestWaiting(nowMs)) {
      guard(session, () => {
        nextMs = Math.min(nextMs, this.#recallFrom(session, demand, nowMs));
      });
      if (demand.isMet) return Number.POSITIVE_INFINITY;
    }
    return nextMs;
  }

  /** Returns when to look at this session again. */
  #recallFrom({ leases, roundTripMs }: Session<T, R>, demand: Demand<T, R>, nowMs: number): number {
    for (const [grant, waitMs] of leases.recallable(nowMs)) {
      if (demand.isMet) break;
      const taker = demand.takerOf(grant.lease);
      if (taker === undefined) continue;
      const moveMs = roundTripMs + taker.session.roundTripMs;
      // It will start where it is before it could elsewhere. If it does not, it is looked at again.
      if (waitMs <= moveMs) return nowMs + Math.max(1, moveMs);
      taker.take();
      leases.recall(grant, nowMs);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Those who hold leases that wait, first those whose last one would wait longest. */
  #longestWaiting(nowMs: number): (readonly [session: Session<T, R>, waitMs: number])[] {
    return [...this.#stocked]
      .map((session) => {
        const [last] = session.leases.recallable(nowMs);
        return [session, last?.[1] ?? 0] as const;
      })
      .sort(([, a], [, b]) => b - a);
  }
}

/** Looks at the leases of a session. If one fails, as that of a scheduler over a store may, that session ends, and no other. */
function guard<T, R>(session: Session<T, R>, look: () => void): void {
  try {
    look();
  } catch (error) {
    session.schedulerFailed(error);
  }
}

/** An idle worker, and how to reserve one of its slots. */
interface Taker<T, R> {
  readonly session: Session<T, R>;
  take(): void;
}

/** The slots of idle workers that nothing is on its way to. Looks at no more of them than it must. */
class Demand<T, R> {
  readonly #kinds = new Set<IdleKind<T, R>>();

  /** `idle`: the idle workers of each kind. */
  constructor(idle: Iterable<ReadonlySet<Session<T, R>>>) {
    for (const same of idle) if (same.size > 0) this.#kinds.add(new IdleKind(same));
  }

  get isMet(): boolean {
    return this.#kinds.size === 0;
  }

  takerOf(lease: Lease<T>): Taker<T, R> | undefined {
    for (const kind of this.#kinds) {
      const place = kind.find(lease);
      if (place === undefined) continue;
      const take = (): void => {
        kind.take(place);
        if (kind.isMet) this.#kinds.delete(kind);
      };
      return { session: place.session, take };
    }
    return undefined;
  }
}

/** An idle worker, and how many of its slots nothing is on its way to. */
interface Place<T, R> {
  readonly session: Session<T, R>;
  slots: number;
}

/** The idle workers of one kind. */
class IdleKind<T, R> {
  /** Those that were looked at, and have slots left. */
  readonly #places: Place<T, R>[] = [];
  readonly #others: Iterator<Session<T, R>>;

  constructor(sessions: Iterable<Session<T, R>>) {
    this.#others = sessions[Symbol.iterator]();
  }

  /** Whether none has a slot left. */
  get isMet(): boolean {
    return !this.#has(1);
  }

  /** One that may have the task: of one more than have refused it, at least one has not. */
  find(lease: Lease<T>): Place<T, R> | undefined {
    const looks = lease.refusals + 1;
    this.#has(looks);
    return this.#places.slice(0, looks).find(({ session }) => lease.suits(session));
  }

  take(place: Place<T, R>): void {
    place.slots -= 1;
    if (place.slots === 0) this.#places.splice(this.#places.indexOf(place), 1);
  }

  /** Looks at so many with slots left, if there are as many. */
  #has(count: number): boolean {
    while (this.#places.length < count) {
      const next = this.#others.next();
      if (next.done === true) return false;
      this.#places.push({ session: next.value, slots: next.value.idleSlots });
    }
    return true;
  }
}
