// The scheduler in memory: first in, first out, and what comes back comes back to its place.
import { TaskdistError } from '../errors.ts';
import { expectCount, expectKnown, expectObject, refuse } from '../options.ts';
import { AbortWatch } from './abort-watch.ts';
import { Lanes } from './lanes.ts';
import type { Lease, LeaseHolder, Release, TaskScheduler } from './scheduler.ts';
import { RecordLease, TaskRecord } from './task-record.ts';
import { WaitingRoom } from './waiting-room.ts';

/** Options of a {@link FifoScheduler}. */
export interface FifoSchedulerOptions {
  /**
   * How many attempts at a task may fail, by an error of the handler or by `taskTimeout`, before the task becomes a
   * dead letter. An integer ≥ 1, or Infinity. `put` can say otherwise for one task.
   * @defaultValue 5
   */
  readonly maxAttempts?: number;
  /**
   * How often a task may be lost together with the worker that was running it, before it becomes a dead letter: such
   * a task may be what kills them. An integer ≥ 1, or Infinity. Leases that had not started, and workers that say
   * goodbye, do not count.
   * @defaultValue 20, as RabbitMQ's delivery limit of quorum queues
   */
  readonly maxDeliveries?: number;
}

/** Options of {@link FifoScheduler.put}. */
export interface PutOptions {
  /**
   * Aborts the task, queued or running: the promise rejects with the signal's reason, and a worker that runs it is
   * told to stop. Any number of tasks may share a signal.
   */
  readonly signal?: AbortSignal;
  /** How many attempts at this task may fail. An integer ≥ 1, or Infinity. @defaultValue the scheduler's `maxAttempts` */
  readonly maxAttempts?: number;
}

const defaults = Object.freeze({ maxAttempts: 5, maxDeliveries: 20 });

const putOptionNames = ['signal', 'maxAttempts'];

/**
 * Keeps tasks in memory and hands them out in the order in which they were put. A task that a worker loses, rejects,
 * fails or runs out of time on goes back to its original place. Tasks may be put before a master serves them.
 */
export class FifoScheduler<T, R> implements TaskScheduler<T, R> {
  readonly #options: Required<FifoSchedulerOptions>;
  readonly #queue = new Lanes<T, R>();
  readonly #leased = new Set<TaskRecord<T, R>>();
  readonly #waitingRoom = new WaitingRoom<T>();
  readonly #aborts = new AbortWatch<TaskRecord<T, R>>((record, reason) => this.#abort(record, reason));
  #state: { kind: 'idle' } | { kind: 'open' } | { kind: 'closed'; reason: TaskdistError } = { kind: 'idle' };
  #nextSequence = 0;
  #isServing = false;

  /** @throws InvalidOptionError */
  constructor(options: FifoSchedulerOptions = {}) {
    expectObject('options', options);
    expectKnown('FifoScheduler', options, Object.keys(defaults));
    const { maxAttempts = defaults.maxAttempts, maxDeliveries = defaults.maxDeliveries } = options;
    expectCount('maxAttempts', maxAttempts, 1);
    expectCount('maxDeliveries', maxDeliveries, 1);
    this.#options = { maxAttempts, maxDeliveries };
  }

  /** How many tasks wait for a worker. */
  get queued(): number {
    return this.#queue.size;
  }

  /** How many tasks are with a worker. */
  get leased(): number {
    return this.#leased.size;
  }

  /**
   * Adds a task and resolves to its result. A task is anything that structured data can hold: plain objects, arrays,
   * strings, numbers, bigints, dates, typed arrays. If it is an object with a string `type`, workers can choose by it.
   *
   * Rejects with {@link DeadLetterError} when the attempts are used up, with `TASKDIST_NOT_SERIALIZABLE` or
   * `TASKDIST_TOO_LARGE` if the task cannot be sent (found out when it is sent), with `TASKDIST_STOPPED` when the master
   * stops, with the signal's reason when it aborts, and with {@link InvalidOptionError}. Waits for as long as there is no
   * worker that takes the task.
   */
  put(task: T, options: PutOptions = {}): Promise<R> {
    // An async function would turn a wrong option into a rejection too, but cost a promise more for every task.
    return new Promise((resolve, reject) => {
      expectObject('options', options);
      expectKnown('put', options, putOptionNames);
      const { signal, maxAttempts = this.#options.maxAttempts } = options;
      expectCount('maxAttempts', maxAttempts, 1);
      if (signal !== undefined && !isAbortSignal(signal)) refuse('signal', 'an AbortSignal', signal);
      if (this.#state.kind === 'closed') throw this.#state.reason;
      signal?.throwIfAborted();

      const limits = maxAttempts === this.#options.maxAttempts ? this.#options : { ...this.#options, maxAttempts };
      const record = new TaskRecord<T, R>(this.#nextSequence, task, limits, signal, resolve, reject);
      this.#nextSequence += 1;
      if (signal !== undefined) this.#aborts.add(signal, record);
      this.#enqueue(record);
    });
  }

  /** For masters; see {@link TaskScheduler.open}. */
  open(): void {
    if (this.#state.kind === 'open') {
      throw new TaskdistError('TASKDIST_INVALID_STATE', 'A master that runs uses this scheduler already');
    }
    this.#state = { kind: 'open' };
  }

  /** For masters; see {@link TaskScheduler.close}. */
  close(reason: TaskdistError): void {
    this.#state = { kind: 'closed', reason };
    const queued = this.#queue.takeAll();
    const leased = [...this.#leased];
    for (const record of leased) this.#endLease(record);
    for (const record of [...leased, ...queued]) this.#reject(record, reason);
  }

  /** For masters; see {@link TaskScheduler.take}. */
  async take(holder: LeaseHolder<T>, max: number, signal: AbortSignal): Promise<Lease<T>[]> {
    if (signal.aborted) return [];
    const leases: Lease<T>[] = [];
    while (leases.length < max) {
      const lease = this.#leaseFirst(holder);
      if (lease === undefined) break;
      leases.push(lease);
    }
    return leases.length > 0 ? leases : this.#waitingRoom.wait(holder, max, signal);
  }

  /** For masters; see {@link TaskScheduler.complete}. */
  complete(lease: Lease<T>, result: R): boolean {
    const record = this.#recordOf(lease);
    if (record === undefined) return false;
    this.#endLease(record);
    this.#unwatch(record);
    record.resolve(result);
    return true;
  }

  /** For masters; see {@link TaskScheduler.fail}. */
  fail(lease: Lease<T>, error: Error): boolean {
    const record = this.#recordOf(lease);
    if (record === undefined) return false;
    this.#requeueUnless(record, record.noteFailure(error));
    return true;
  }

  /** For masters; see {@link TaskScheduler.discard}. */
  discard(lease: Lease<T>, error: Error): boolean {
    const record = this.#recordOf(lease);
    if (record === undefined) return false;
    this.#endLease(record);
    this.#reject(record, error);
    return true;
  }

  /** For masters; see {@link TaskScheduler.release}. */
  release(lease: Lease<T>, release: Release): boolean {
    const record = this.#recordOf(lease);
    if (record?.lease === undefined) return false;
    if (release.kind === 'rejected') record.noteRefusal(record.lease.holder);
    this.#requeueUnless(record, release.kind === 'lost' ? record.noteLoss(release.error) : undefined);
    return true;
  }

  /** For masters; see {@link TaskScheduler.leave}. */
  leave(holder: LeaseHolder<T>): void {
    this.#queue.forget(holder.id);
    for (const record of this.#leased) record.forgetRefusal(holder.id);
  }

  #enqueue(record: TaskRecord<T, R>): void {
    this.#queue.add(record);
    if (this.#isServing || this.#waitingRoom.isEmpty) return;
    this.#isServing = true;
    // Once the caller is through, so that tasks put together are handed out together.
    queueMicrotask(() => {
      this.#isServing = false;
      this.#waitingRoom.serve(
        (holder) => this.#leaseFirst(holder),
        () => this.#queue.size > 0,
      );
    });
  }

  #leaseFirst(holder: LeaseHolder<T>): RecordLease<T, R> | undefined {
    const record = this.#queue.takeFirst(holder);
    if (record === undefined) return undefined;
    this.#leased.add(record);
    return record.grant(holder);
  }

  /** The record of a lease, unless the lease has ended. */
  #recordOf(lease: Lease<T>): TaskRecord<T, R> | undefined {
    return lease instanceof RecordLease && lease.isLive ? lease.record : undefined;
  }

  #endLease(record: TaskRecord<T, R>): void {
    record.lease = undefined;
    this.#leased.delete(record);
  }

  #requeueUnless(record: TaskRecord<T, R>, deadLetter: Error | undefined): void {
    this.#endLease(record);
    if (deadLetter === undefined) this.#enqueue(record);
    else this.#reject(record, deadLetter);
  }

  #abort(record: TaskRecord<T, R>, reason: unknown): void {
    const { lease } = record;
    if (lease === undefined) this.#queue.remove(record);
    else this.#endLease(record);
    record.reject(reason);
    lease?.holder.revoke(lease);
  }

  #reject(record: TaskRecord<T, R>, reason: unknown): void {
    this.#unwatch(record);
    record.reject(reason);
  }

  #unwatch(record: TaskRecord<T, R>): void {
    if (record.signal !== undefined) this.#aborts.remove(record.signal, record);
  }
}

/** Asks for what is needed, not for the class: a signal may be of another realm. */
function isAbortSignal(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;
}
