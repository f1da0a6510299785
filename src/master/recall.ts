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
  readonly #idle = new Set<Session<T, R>>();
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
    put(this.#idle, session, session.isIdle);
    put(this.#stocked, session, session.leases.waiting > 0);
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
    this.#idle.delete(session);
    this.#stocked.delete(session);
  }

  get #isNeeded(): boolean {
    return this.#idle.size > 0 && this.#stocked.size > 0;
  }

  /** Returns when to look again. */
  #balance(nowMs: number): number {
    if (!this.#isNeeded) return Number.POSITIVE_INFINITY;
    const demand = new Demand(this.#idle);
    for (const session of this.#stocked) {
      // What is on its way back already.
      for (const { lease } of session.leases.recalled) demand.takerOf(lease)?.take();
    }
    return this.#recall(demand, nowMs);
  }

  /** Returns when to look again. */
  #recall(demand: Demand<T, R>, nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [session] of this.#longestWaiting(nowMs)) {
      for (const [grant, waitMs] of session.leases.recallable(nowMs)) {
        if (demand.isMet) return Number.POSITIVE_INFINITY;
        const taker = demand.takerOf(grant.lease);
        if (taker === undefined) continue;
        const moveMs = session.roundTripMs + taker.session.roundTripMs;
        if (waitMs <= moveMs) {
          // It will start where it is before it could elsewhere. If it does not, it is looked at again.
          nextMs = Math.min(nextMs, nowMs + Math.max(1, moveMs));
          break;
        }
        taker.take();
        session.leases.recall(grant, nowMs);
      }
    }
    return nextMs;
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

/** An idle worker, and how to reserve one of its slots. */
interface Taker<T, R> {
  readonly session: Session<T, R>;
  take(): void;
}

/** The slots of idle workers that nothing is on its way to. */
class Demand<T, R> {
  /** By kind, as those of one kind take the same tasks, but for what they have refused. */
  readonly #idle = new Map<string, { readonly session: Session<T, R>; slots: number }[]>();

  constructor(idle: Iterable<Session<T, R>>) {
    for (const session of idle) {
      const place = { session, slots: session.idleSlots };
      const same = this.#idle.get(session.kind);
      if (same === undefined) this.#idle.set(session.kind, [place]);
      else same.push(place);
    }
  }

  get isMet(): boolean {
    return this.#idle.size === 0;
  }

  takerOf(lease: Lease<T>): Taker<T, R> | undefined {
    for (const [kind, same] of this.#idle) {
      // Of one more than have refused it, at least one has not.
      const place = same.slice(0, lease.refusals + 1).find(({ session }) => lease.suits(session));
      if (place === undefined) continue;
      const take = (): void => {
        place.slots -= 1;
        if (place.slots > 0) return;
        same.splice(same.indexOf(place), 1);
        if (same.length === 0) this.#idle.delete(kind);
      };
      return { session: place.session, take };
    }
    return undefined;
  }
}

function put<Item>(set: Set<Item>, item: Item, isIn: boolean): void {
  if (isIn) set.add(item);
  else set.delete(item);
}
