// Second attempts at what takes long elsewhere, for workers that would be idle otherwise.
import { Paced } from '../paced.ts';
import type { Clock } from '../ports.ts';
import type { TimerQueue } from '../timer-queue.ts';
import type { LeaseHolder } from './scheduler.ts';
import { type Pair, Stragglers } from './stragglers.ts';
import type { RecordLease, TaskRecord } from './task-record.ts';

/** What speculation asks of its scheduler. */
export interface SpeculationContext<T, R> {
  /** The holders that wait for a task which they could start at once. */
  idleHolders(): Iterable<LeaseHolder<T>>;
  /** The tasks that have live leases. */
  leased(): Iterable<TaskRecord<T, R>>;
  /** How many live leases have not started. */
  unstarted(): number;
  /** Serve everybody who can be, and then look again. */
  serveSoon(): void;
  /** Those who are idle are to run these a second time. */
  speculate(pairs: readonly Pair<T, R>[]): void;
}

/** Knows the stragglers, and finds somebody idle for them. */
export class Speculation<T, R> {
  readonly #context: SpeculationContext<T, R>;
  readonly #stragglers = new Stragglers<T, R>();
  readonly #look: Paced;

  constructor(clock: Clock, timers: TimerQueue, context: SpeculationContext<T, R>) {
    this.#context = context;
    this.#look = new Paced(
      clock,
      timers,
      (nowMs) => this.#pair(nowMs),
      () => context.serveSoon(),
    );
  }

  /** Something has changed that may make a pair, if there is anything that may be run a second time. */
  consider(): void {
    if (this.#isPossible) this.#context.serveSoon();
  }

  /** A lease has started: there is one attempt more that may take long, or one task less that waits. */
  started(lease: RecordLease<T, R>): void {
    this.#stragglers.add(lease);
    this.consider();
  }

  /** A lease had not started after all. */
  turnedBack(lease: RecordLease<T, R>): void {
    if (this.#stragglers.remove(lease)) this.#look.cancel();
  }

  /** An attempt gave a result after this time. */
  completed(lease: RecordLease<T, R>, runtimeMs: number): void {
    this.#stragglers.note(lease, runtimeMs);
  }

  /** A lease is over. */
  ended(lease: RecordLease<T, R>): void {
    if (lease.startedAtMs !== undefined) {
      if (this.#stragglers.remove(lease)) this.#look.cancel();
      return;
    }
    // One task less waits at a holder, for which somebody idle may have kept free.
    this.consider();
  }

  /** Looks who is idle, when everybody has been served who could be. */
  look(): void {
    if (this.#isPossible) this.#look.run();
  }

  /** Looks no more, until it is asked to. */
  stop(): void {
    this.#look.cancel();
  }

  get #isPossible(): boolean {
    return this.#stragglers.size > 0;
  }

  /** Returns when there will be another straggler. */
  #pair(nowMs: number): number {
    const idle = this.#idleForGood();
    if (idle.length === 0) return Number.POSITIVE_INFINITY;
    const { pairs, nextMs } = this.#stragglers.pair(idle, nowMs);
    this.#context.speculate(pairs);
    return nextMs;
  }

  /** Who is idle and would be given nothing else: what waits at another holder, whoever holds it gives back. */
  #idleForGood(): LeaseHolder<T>[] {
    const idle = [...this.#context.idleHolders()];
    if (idle.length === 0 || this.#context.unstarted() === 0) return idle;
    const waiting = [...this.#context.leased()].filter(({ leases }) =>
      leases.every(({ startedAtMs }) => startedAtMs === undefined),
    );
    return idle.filter((holder) => !waiting.some((record) => record.suits(holder)));
  }
}
