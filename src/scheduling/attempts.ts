// What attempts report, and what their ends mean for their tasks: a result, a retry, a dead letter.
import { backoffMs } from '../backoff.ts';
import { callListener, type Emitter } from '../events.ts';
import type { Clock, Random } from '../ports.ts';
import type { Backlog } from './backlog.ts';
import type { SchedulerEvent } from './events.ts';
import type { Lease, Release } from './scheduler.ts';
import type { Speculation } from './speculation.ts';
import type { Statistics } from './statistics.ts';
import { RecordLease } from './task-record.ts';
import type { TaskTable } from './task-table.ts';
import type { Verifier } from './verifier.ts';

/** What hears of attempts, and what becomes of their tasks. */
export interface AttemptsContext<T, R> {
  readonly clock: Clock;
  readonly random: Random;
  readonly backlog: Pick<Backlog<T, R>, 'refuse'>;
  readonly tasks: TaskTable<T, R>;
  readonly speculation: Speculation<T, R>;
  readonly verifier: Verifier<T, R>;
  readonly statistics: Statistics;
  readonly events: Emitter<SchedulerEvent<T>>;
  /** There is something that a holder who waits may be given. */
  serveSoon(): void;
}

/** Takes the word of holders on the leases that they have, as long as these are live. */
export class Attempts<T, R> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backlog: Pick<Backlog<T, R>, 'refuse'>;
  readonly #tasks: TaskTable<T, R>;
  readonly #speculation: Speculation<T, R>;
  readonly #verifier: Verifier<T, R>;
  readonly #statistics: Statistics;
  readonly #events: Emitter<SchedulerEvent<T>>;
  readonly #serveSoon: () => void;

  constructor(context: AttemptsContext<T, R>) {
    this.#clock = context.clock;
    this.#random = context.random;
    this.#backlog = context.backlog;
    this.#tasks = context.tasks;
    this.#speculation = context.speculation;
    this.#verifier = context.verifier;
    this.#statistics = context.statistics;
    this.#events = context.events;
    this.#serveSoon = context.serveSoon;
  }

  started(lease: Lease<T>): void {
    const live = this.#live(lease);
    if (live === undefined || live.startedAtMs !== undefined) return;
    const nowMs = this.#clock.now();
    this.#tasks.start(live, nowMs);
    if (live.record.terms.verify !== undefined) this.#verifier.started(live);
    if (!live.isSpeculative) this.#statistics.waitTime.record(nowMs - live.record.readySinceMs);
    this.#speculation.started(live);
  }

  turnedBack(lease: Lease<T>): void {
    const live = this.#live(lease);
    if (live?.startedAtMs === undefined) return;
    if (live.record.terms.verify !== undefined) this.#verifier.turnedBack(live);
    this.#tasks.turnBack(live);
    this.#speculation.turnedBack(live);
  }

  progressed(lease: Lease<T>, value: unknown): void {
    const live = this.#live(lease);
    const onProgress = live?.record.terms.onProgress;
    if (live === undefined || onProgress === undefined) return;
    // Of those who verify it, the one that has been at it for longest, so that it does not go to and fro.
    if (live.record.verification !== undefined && !live.record.isFirst(live)) return;
    const { key, attempt, holder } = live;
    callListener(onProgress, value, { key, attempt, worker: holder.name, workerId: holder.id });
  }

  complete(lease: Lease<T>, result: R): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    const { record, startedAtMs } = live;
    const nowMs = this.#clock.now();
    if (startedAtMs !== undefined) {
      const runtimeMs = nowMs - startedAtMs;
      this.#statistics.runTime.record(runtimeMs);
      this.#speculation.completed(live, runtimeMs);
    }
    if (live.isSpeculative && record.isLeasedTwice) this.#statistics.total.speculatedFirst += 1;
    const { terms, verification } = record;
    if (terms.verify !== undefined && verification !== undefined) {
      this.#verifier.received(live, terms.verify, verification, result);
      return true;
    }
    this.#tasks.end(live);
    this.#tasks.resolve(record, result, nowMs);
    // What takes long is known better now.
    if (terms.speculate) this.#serveSoon();
    return true;
  }

  fail(lease: Lease<T>, error: Error): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    const { record, attempt } = live;
    this.#statistics.total.failures += 1;
    if (record.terms.verify !== undefined) this.#verifier.failed(live);
    record.note('failed', live, error);
    this.#tasks.end(live);
    if (this.#tasks.giveUp(record)) return true;
    const delay = backoffMs(record.terms.backoff, record.failed, this.#random);
    record.restsUntilMs = this.#clock.now() + delay;
    if (this.#tasks.requeue(record)) {
      this.#events.emit({ type: 'retrying', key: record.key, task: record.task, attempt, error, delay });
    }
    return true;
  }

  discard(lease: Lease<T>, error: Error): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    this.#tasks.end(live);
    this.#tasks.reject(live.record, 'unsendable', error);
    return true;
  }

  release(lease: Lease<T>, release: Release): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    const { record, holder } = live;
    if (release.kind === 'lost') {
      this.#statistics.total.losses += 1;
      record.note('lost', live, release.error);
    }
    if (release.kind === 'recalled') this.#statistics.total.recalled += 1;
    if (release.kind === 'rejected') {
      this.#statistics.total.rejections += 1;
      this.#backlog.refuse(holder, record);
    }
    this.#tasks.end(live);
    if (this.#tasks.giveUp(record)) return true;
    // Who had not started was as good as never there: the task has been ready ever since.
    this.#tasks.requeue(record, live.startedAtMs === undefined ? record.readySinceMs : undefined);
    return true;
  }

  /** The lease as it was made here, if it is live. */
  #live(lease: Lease<T>): RecordLease<T, R> | undefined {
    return lease instanceof RecordLease && lease.isLive ? lease : undefined;
  }
}
