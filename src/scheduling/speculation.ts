// Second attempts at what takes long elsewhere, for workers that would be idle otherwise.
import type { Emitter } from '../events.ts';
import { Paced } from '../paced.ts';
import type { Clock } from '../ports.ts';
import type { TimerQueue } from '../timer-queue.ts';
import type { SchedulerEvent } from './events.ts';
import type { Lease, LeaseHolder } from './scheduler.ts';
import type { Statistics } from './statistics.ts';
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
  /** Leases a task a second time, to a holder that is idle. */
  lease(record: TaskRecord<T, R>, holder: LeaseHolder<T>): RecordLease<T, R>;
  /** Hands a lease to a holder that waits for one. */
  give(holder: LeaseHolder<T>, lease: Lease<T>): void;
  readonly statistics: Statistics;
  readonly events: Emitter<SchedulerEvent<T>>;
}

/** Knows the stragglers, finds somebody idle for them, and has these make second attempts. */
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
    this.#speculate(pairs);
    return nextMs;
  }

  #speculate(pairs: readonly Pair<T, R>[]): void {
    const { statistics, events, lease: leaseTo, give } = this.#context;
    const leases = pairs.map(({ straggler, holder }) => {
      const lease = leaseTo(straggler.record, holder);
      statistics.total.speculated += 1;
      give(holder, lease);
      return { lease, beside: straggler.holder };
    });
    // All of them first: a listener may end others.
    for (const { lease, beside } of leases) {
      if (!lease.isLive) continue;
      const { key, task, holder } = lease;
      events.emit({
        type: 'speculated',
        key,
        task,
        worker: holder.name,
        workerId: holder.id,
        beside: beside.name,
        besideId: beside.id,
      });
    }
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
