// Moving work: what waits at a busy worker is taken back for one that would be idle.

import type { Clock } from '../ports.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { Session } from './session.ts';

/** Shares the leases that have not started among the workers, when some have none. */
export class Recaller<T, R> {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #idle = new Set<Session<T, R>>();
  readonly #stocked = new Set<Session<T, R>>();
  #isBalancing = false;

  constructor(clock: Clock, timers: TimerQueue) {
    this.#clock = clock;
    this.#alarm = timers.createAlarm(() => this.#balance());
  }

  /** A session's load may have changed. */
  loadChanged(session: Session<T, R>): void {
    put(this.#idle, session, session.isIdle);
    put(this.#stocked, session, session.waiting > 0);
    if (this.#idle.size === 0 || this.#stocked.size === 0 || this.#isBalancing) return;
    this.#isBalancing = true;
    // When the scheduler has served who waits, and idle is who is left.
    this.#clock.soon(() => {
      this.#isBalancing = false;
      this.#balance();
    });
  }

  /** A session is over. */
  left(session: Session<T, R>): void {
    this.#idle.delete(session);
    this.#stocked.delete(session);
  }

  #balance(): void {
    const nowMs = this.#clock.now();
    const demand = new Demand(this.#idle);
    // What is on its way back already.
    for (const session of this.#stocked)
      for (const { lease } of session.recalled) demand.take((idle) => lease.suits(idle));
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [session] of this.#longestWaiting(nowMs)) {
      for (const [grant, waitMs] of session.recallable(nowMs)) {
        if (demand.slots <= 0) return;
        const taker = demand.takerOf((idle) => grant.lease.suits(idle));
        if (taker === undefined) continue;
        const moveMs = session.roundTripMs + taker.roundTripMs;
        if (waitMs <= moveMs) {
          // It will start where it is before it could elsewhere. If it does not, it is looked at again.
          nextMs = Math.min(nextMs, nowMs + Math.max(1, moveMs));
          break;
        }
        demand.take((idle) => idle === taker);
        session.recall(grant);
      }
    }
    this.#alarm.setBy(nextMs);
  }

  /** Those who hold leases that wait, first those whose last one would wait longest. */
  #longestWaiting(nowMs: number): (readonly [session: Session<T, R>, waitMs: number])[] {
    return [...this.#stocked]
      .map((session) => {
        const [last] = session.recallable(nowMs);
        return [session, last?.[1] ?? 0] as const;
      })
      .sort(([, a], [, b]) => b - a);
  }
}

/** Idle workers that take the same tasks, but for what they have refused. */
interface Kind<T, R> {
  /** How many tasks all of them could start at once. */
  slots: number;
  /** Some of them. */
  readonly sessions: Session<T, R>[];
}

/** What idle workers could start at once. */
class Demand<T, R> {
  slots = 0;
  readonly #kinds = new Map<string, Kind<T, R>>();

  constructor(idle: Iterable<Session<T, R>>) {
    for (const session of idle) {
      this.slots += session.idleSlots;
      const kind = this.#kinds.get(session.kind);
      if (kind === undefined) {
        this.#kinds.set(session.kind, { slots: session.idleSlots, sessions: [session] });
      } else {
        kind.slots += session.idleSlots;
        if (kind.sessions.length < MAX_TRIES) kind.sessions.push(session);
      }
    }
  }

  /** One of a kind that has a slot left. */
  takerOf(suits: (session: Session<T, R>) => boolean): Session<T, R> | undefined {
    return this.#find(suits)?.taker;
  }

  /** Takes a slot of such a kind, if there is one. */
  take(suits: (session: Session<T, R>) => boolean): void {
    const kind = this.#find(suits)?.kind;
    if (kind === undefined) return;
    kind.slots -= 1;
    this.slots -= 1;
  }

  #find(suits: (session: Session<T, R>) => boolean): { kind: Kind<T, R>; taker: Session<T, R> } | undefined {
    for (const kind of this.#kinds.values()) {
      const taker = kind.slots > 0 ? kind.sessions.find(suits) : undefined;
      if (taker !== undefined) return { kind, taker };
    }
    return undefined;
  }
}

/** So many idle workers of a kind are asked whether they take a task. */
const MAX_TRIES = 8;

function put<Item>(set: Set<Item>, item: Item, isIn: boolean): void {
  if (isIn) set.add(item);
  else set.delete(item);
}
