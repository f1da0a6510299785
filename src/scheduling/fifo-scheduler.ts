// The scheduler in memory: by priority, first in, first out, and what comes back comes back to its place.
import { backoffMs } from '../backoff.ts';
import { TaskDeadlineError, TaskdistError } from '../errors.ts';
import { callListener, type Dropped, Emitter, type EventOf, type StreamOptions } from '../events.ts';
import type { Clock, Random } from '../ports.ts';
import type { AnyResultOf, ResultOf, TaskOf, TaskTypeOf } from '../results.ts';
import { TimerQueue } from '../timer-queue.ts';
import { AbortWatch } from './abort-watch.ts';
import { Backlog } from './backlog.ts';
import type { SchedulerEvent, TaskOutcome, UnmatchedReason } from './events.ts';
import { type MapFailures, type MapItem, type MapOptions, type MappedPutOptions, mapTasks } from './map.ts';
import type { MapInputs } from './map-inputs.ts';
import type { MapFailure, MapResult } from './map-stream.ts';
import type { Lease, LeaseHolder, Release, TaskScheduler } from './scheduler.ts';
import {
  checkPutOptions,
  checkSchedulerOptions,
  type FifoSchedulerOptions,
  type PutOptions,
} from './scheduler-options.ts';
import { SharedPromises } from './shared-promises.ts';
import { Speculation } from './speculation.ts';
import { type SchedulerStats, Statistics } from './statistics.ts';
import { agreeOn, type TaskTerms, taskOptionNames } from './task-options.ts';
import { RecordLease, type Settle, TaskRecord } from './task-record.ts';
import { UnmatchedWatch } from './unmatched.ts';
import { WaitingRoom } from './waiting-room.ts';

/** What the scheduler takes from the outside. */
export interface SchedulerEnvironment {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Keeps tasks in memory and hands them out by priority, and within one in the order in which they were put. A task that a
 * worker loses, rejects, fails or runs out of time on goes back to its original place. Tasks may be put before a master
 * serves them.
 */
export class FifoScheduler<T, R> implements TaskScheduler<T, AnyResultOf<R>> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timers: TimerQueue;
  readonly #terms: TaskTerms;
  readonly #maxDeliveries: number;
  readonly #maxTasks: number;
  readonly #events = new Emitter<SchedulerEvent<T>>();
  readonly #statistics: Statistics;
  readonly #unmatched: UnmatchedWatch<T, AnyResultOf<R>>;
  readonly #backlog: Backlog<T, AnyResultOf<R>>;
  readonly #delayed = new Set<TaskRecord<T, AnyResultOf<R>>>();
  readonly #leased = new Set<TaskRecord<T, AnyResultOf<R>>>();
  /** Tasks of maps for which there is no room, in the order in which they came. */
  readonly #held = new Set<TaskRecord<T, AnyResultOf<R>>>();
  readonly #waitingRoom = new WaitingRoom<T, AnyResultOf<R>>(
    (holder) => this.#leaseFirst(holder),
    () => this.#speculation.look(),
  );
  readonly #speculation: Speculation<T, AnyResultOf<R>>;
  readonly #aborts = new AbortWatch<TaskRecord<T, AnyResultOf<R>>>((record, reason) =>
    this.#reject(record, 'aborted', reason),
  );
  readonly #shared = new SharedPromises<AnyResultOf<R>>();
  #state: { kind: 'idle' } | { kind: 'open' } | { kind: 'closed'; reason: TaskdistError } = { kind: 'idle' };
  #holders = 0;
  #running = 0;
  #nextSequence = 0;

  /** @throws InvalidOptionError */
  constructor(options: FifoSchedulerOptions, { clock, random }: SchedulerEnvironment) {
    const { terms, maxDeliveries, unmatchedAfterMs, maxTasks } = checkSchedulerOptions(options);
    this.#terms = terms;
    this.#maxDeliveries = maxDeliveries;
    this.#maxTasks = maxTasks;
    this.#clock = clock;
    this.#random = random;
    this.#statistics = new Statistics(clock.now());
    this.#timers = new TimerQueue(clock);
    this.#unmatched = new UnmatchedWatch(
      this.#timers,
      () => clock.now(),
      unmatchedAfterMs,
      (record) => this.#tellUnmatched(record),
    );
    this.#backlog = new Backlog(this.#unmatched, (holder, profile) => this.#waitingRoom.move(holder, profile));
    this.#speculation = new Speculation(clock, this.#timers, {
      idleHolders: () => this.#waitingRoom.idleHolders(),
      leased: () => this.#leased,
      serveSoon: () => this.#waitingRoom.serveSoon(),
      speculate: (straggler, holder) => this.#speculate(straggler, holder),
    });
  }

  /** How many tasks wait for a worker. */
  get queued(): number {
    return this.#backlog.size;
  }

  /** How many tasks wait for their `delay`, or for the backoff after a failure, to be over. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** How many tasks are with a worker. */
  get leased(): number {
    return this.#leased.size;
  }

  /** How many tasks of maps wait for room, as there are `maxTasks` others. */
  get held(): number {
    return this.#held.size;
  }

  /** How the scheduler stands, and what there has been since it was made. */
  stats(): SchedulerStats {
    const oldest = this.#backlog.oldest();
    return {
      queued: this.queued,
      delayed: this.delayed,
      leased: this.leased,
      held: this.held,
      running: this.#running,
      unmatched: this.#backlog.orphans,
      oldestWait: oldest === undefined ? 0 : this.#clock.now() - oldest.readySinceMs,
      rate: this.#statistics.rate.perSecond(this.#clock.now()),
      total: { ...this.#statistics.total },
      waitTime: this.#statistics.waitTime.summary(),
      runTime: this.#statistics.runTime.summary(),
    };
  }

  /**
   * Adds a task and resolves to its result. A task is anything that structured data can hold: plain objects, arrays,
   * strings, numbers, bigints, dates, typed arrays. If it is an object with a string `type`, workers can choose by it.
   *
   * Rejects with {@link DeadLetterError} when the attempts are used up, with {@link TaskDeadlineError} when the
   * `deadline` passes, with `TASKDIST_NOT_SERIALIZABLE` or `TASKDIST_TOO_LARGE` if the task cannot be sent (found out
   * when it is sent), with `TASKDIST_FULL` when there are `maxTasks` already, with `TASKDIST_STOPPED` when the master
   * stops, with the signal's reason when it aborts, and with {@link InvalidOptionError}. Waits for as long as there is no worker that takes the task.
   */
  put<Type extends TaskTypeOf<T>>(
    task: TaskOf<T, R, Type>,
    options?: PutOptions,
  ): Promise<ResultOf<R, TaskOf<T, R, Type>>>;
  put(task: T, options?: PutOptions): Promise<unknown> {
    return this.#put(task, options);
  }

  /**
   * Puts every input, and hands over the results as a stream, for `for await`: in the order of the inputs, or as they
   * come (`ordered`).
   *
   * Inputs are taken one by one, and only while no more than `window` of them are without a result that was handed
   * over: a million take no more memory than a few. To `break` out of the loop cancels what is outstanding. A task that
   * fails ends the stream with its error, or is handed over as a value (`failures`). All that `put` knows besides holds for each task.
   * @throws InvalidOptionError
   */
  map<Type extends TaskTypeOf<T>, Failures extends MapFailures = 'throw'>(
    inputs: MapInputs<TaskOf<T, R, Type>>,
    options?: MapOptions<Failures>,
  ): AsyncIterableIterator<
    MapItem<TaskOf<T, R, Type>, ResultOf<R, TaskOf<T, R, Type>>, Failures>,
    undefined,
    undefined
  >;
  map(
    inputs: MapInputs<T>,
    options?: MapOptions,
  ): AsyncIterableIterator<MapResult<T, unknown> | MapFailure<T>, undefined, undefined> {
    // Agreed on once, for all of its tasks.
    let terms = this.#terms;
    const agree = (putOptions: MappedPutOptions): void => {
      terms = agreeOn('map', putOptions, taskOptionNames, this.#terms);
    };
    // A map has a signal of its own for its tasks; the default one is for the map itself.
    const signal = options?.signal ?? this.#terms.signal;
    const mapOptions = signal === undefined ? options : { ...options, signal };
    return mapTasks((task) => this.#add(task, terms, true), inputs, mapOptions, agree);
  }

  /** Calls `listener` on every event of that type, until the returned function is called. */
  on<Type extends SchedulerEvent<T>['type']>(
    type: Type,
    listener: (event: EventOf<SchedulerEvent<T>, Type>) => void,
  ): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * The events from now on, as they come, for `for await`. Ends when its loop is left, when `signal` aborts, or when the
   * master stops. @throws InvalidOptionError
   */
  events<Type extends SchedulerEvent<T>['type'] = SchedulerEvent<T>['type']>(
    options?: StreamOptions<Type>,
  ): AsyncIterableIterator<EventOf<SchedulerEvent<T>, Type> | Dropped> {
    return this.#events.stream(options);
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
    const unsettled = [...this.#leased, ...this.#delayed, ...this.#backlog.takeAll(), ...this.#held];
    // There is room for nobody.
    this.#held.clear();
    for (const record of unsettled) {
      // Whoever holds them says goodbye, which ends them there too.
      for (const lease of record.leases) this.#endLease(lease);
      // A listener may have settled it meanwhile, e.g. by a signal.
      if (record.state !== 'settled') this.#reject(record, 'stopped', reason);
    }
    this.#unmatched.clear();
    this.#speculation.stop();
    this.#events.end();
  }

  /** For masters; see {@link TaskScheduler.join}. */
  join(holder: LeaseHolder<T>): void {
    this.#holders += 1;
    this.#backlog.join(holder);
  }

  /** For masters; see {@link TaskScheduler.leave}. */
  leave(holder: LeaseHolder<T>): void {
    this.#holders -= 1;
    // Nobody else may have more by this: what it had refused was not refused for them.
    this.#backlog.leave(holder);
  }

  /** For masters; see {@link TaskScheduler.take}. */
  async take(holder: LeaseHolder<T>, max: number, signal: AbortSignal): Promise<Lease<T>[]> {
    if (signal.aborted) return [];
    const leases: Lease<T>[] = [];
    // Those who wait already are about to be served: it waits with them, as it may have less need of it.
    while (leases.length < max && !this.#waitingRoom.isAboutToServe) {
      const lease = this.#leaseFirst(holder);
      if (lease === undefined) break;
      leases.push(lease);
    }
    if (leases.length > 0) return leases;
    const waiting = this.#waitingRoom.wait(this.#backlog.profileOf(holder), holder, max, signal);
    // It may take a second attempt at what takes long elsewhere.
    if (holder.idleSlots > 0) this.#speculation.consider();
    return waiting;
  }

  /** For masters; see {@link TaskScheduler.started}. */
  started(lease: Lease<T>): void {
    const live = this.#live(lease);
    if (live === undefined || live.startedAtMs !== undefined) return;
    live.startedAtMs = this.#clock.now();
    this.#running += 1;
    if (!live.isSpeculative) this.#statistics.waitTime.record(live.startedAtMs - live.record.readySinceMs);
    this.#speculation.started(live);
  }

  /** For masters; see {@link TaskScheduler.progressed}. */
  progressed(lease: Lease<T>, value: unknown): void {
    const live = this.#live(lease);
    const onProgress = live?.record.terms.onProgress;
    if (live === undefined || onProgress === undefined) return;
    callListener(onProgress, value, { key: live.key, attempt: live.attempt, worker: live.holder.name });
  }

  /** For masters; see {@link TaskScheduler.complete}. */
  complete(lease: Lease<T>, result: AnyResultOf<R>): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    const { record, startedAtMs } = live;
    const nowMs = this.#clock.now();
    this.#statistics.rate.count(nowMs);
    if (startedAtMs !== undefined) {
      const runtimeMs = nowMs - startedAtMs;
      this.#statistics.runTime.record(runtimeMs);
      this.#speculation.completed(live, runtimeMs);
    }
    if (live.isSpeculative && record.leases.length > 1) this.#statistics.total.speculatedFirst += 1;
    this.#endLease(live);
    this.#settle(record, 'done', undefined);
    record.promise.resolve(result);
    // What takes long is known better now.
    if (record.terms.speculate) this.#waitingRoom.serveSoon();
    return true;
  }

  /** For masters; see {@link TaskScheduler.fail}. */
  fail(lease: Lease<T>, error: Error): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    const { record, attempt } = live;
    this.#statistics.total.failures += 1;
    record.noteFailure(live, error);
    this.#endLease(live);
    if (this.#isGivenUp(record)) return true;
    const delay = backoffMs(record.terms.backoff, record.failed, this.#random);
    record.restsUntilMs = this.#clock.now() + delay;
    if (this.#requeue(record))
      this.#events.emit({ type: 'retrying', key: record.key, task: record.task, attempt, error, delay });
    return true;
  }

  /** For masters; see {@link TaskScheduler.discard}. */
  discard(lease: Lease<T>, error: Error): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    this.#endLease(live);
    this.#reject(live.record, 'unsendable', error);
    return true;
  }

  /** For masters; see {@link TaskScheduler.release}. */
  release(lease: Lease<T>, release: Release): boolean {
    const live = this.#live(lease);
    if (live === undefined) return false;
    const { record, holder } = live;
    if (release.kind === 'lost') {
      this.#statistics.total.losses += 1;
      record.noteLoss(live, release.error);
    }
    if (release.kind === 'recalled') this.#statistics.total.recalled += 1;
    if (release.kind === 'rejected') {
      this.#statistics.total.rejections += 1;
      this.#backlog.refuse(holder, record);
    }
    this.#endLease(live);
    if (this.#isGivenUp(record)) return true;
    // Who had not started was as good as never there: the task has been ready ever since.
    if (live.startedAtMs === undefined) this.#requeue(record, record.readySinceMs);
    else this.#requeue(record);
    return true;
  }

  #put(task: T, options: PutOptions | undefined): Promise<AnyResultOf<R>> {
    try {
      // An async function would turn a wrong option into a rejection too, but cost a promise more for every task.
      const terms = checkPutOptions(options, this.#terms);
      const idempotencyKey = options?.idempotencyKey;
      const shared = idempotencyKey === undefined ? undefined : this.#shared.find(idempotencyKey, options?.signal);
      return shared ?? this.#add(task, terms, false, idempotencyKey);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** `mayWait`: if there is no room for it, it waits until there is. */
  #add(task: T, terms: TaskTerms, mayWait: boolean, idempotencyKey?: string): Promise<AnyResultOf<R>> {
    let isAdmitted = false;
    const promise = new Promise<AnyResultOf<R>>((resolve, reject) => {
      this.#admit(terms, mayWait);
      isAdmitted = true;
      this.#accept(task, terms, { resolve, reject }, idempotencyKey);
    });
    // What is refused is never settled, and would be shared for ever.
    if (idempotencyKey !== undefined && isAdmitted) this.#shared.add(idempotencyKey, promise);
    return promise;
  }

  /** Throws what the promise rejects with of a task that is over before it begins. */
  #admit(terms: TaskTerms, mayWait: boolean): void {
    if (this.#state.kind === 'closed') throw this.#state.reason;
    terms.signal?.throwIfAborted();
    if (this.#spanMs(terms) <= 0) throw new TaskDeadlineError(0, 0);
    if (!mayWait && !this.#hasRoom) {
      throw new TaskdistError('TASKDIST_FULL', `There are ${this.#maxTasks} tasks already (\`maxTasks\`)`);
    }
  }

  get #hasRoom(): boolean {
    return this.#backlog.size + this.#delayed.size + this.#leased.size < this.#maxTasks;
  }

  /** How long from now its deadline is. */
  #spanMs({ deadline = Number.POSITIVE_INFINITY }: TaskTerms): number {
    return typeof deadline === 'number' ? deadline : deadline.getTime() - this.#clock.epochNow();
  }

  #accept(task: T, terms: TaskTerms, promise: Settle<AnyResultOf<R>>, idempotencyKey: string | undefined): void {
    const record = new TaskRecord(this.#nextSequence, task, terms, this.#maxDeliveries, promise, idempotencyKey);
    this.#nextSequence += 1;
    this.#statistics.total.put += 1;
    if (terms.signal !== undefined) this.#aborts.add(terms.signal, record);
    if (terms.deadline !== undefined) this.#setDeadline(record, this.#spanMs(terms));
    if (terms.delayMs > 0) record.restsUntilMs = this.#clock.now() + terms.delayMs;
    // Whoever came before goes before.
    if (this.#hasRoom && this.#held.size === 0) this.#queue(record);
    else this.#held.add(record);
  }

  #setDeadline(record: TaskRecord<T, AnyResultOf<R>>, spanMs: number): void {
    if (spanMs === Number.POSITIVE_INFINITY) return;
    record.deadline = this.#timers.createAlarm(() =>
      this.#reject(record, 'expired', new TaskDeadlineError(spanMs, record.attempts)),
    );
    record.deadline.setBy(this.#clock.now() + spanMs);
  }

  /** Queues a task, now or when it has rested. `sinceMs`: since when it has been ready, if that is not news. */
  #queue(record: TaskRecord<T, AnyResultOf<R>>, sinceMs?: number): void {
    const nowMs = this.#clock.now();
    if (record.restsUntilMs <= nowMs) {
      this.#enqueue(record, sinceMs ?? nowMs);
      return;
    }
    record.state = 'delayed';
    this.#delayed.add(record);
    record.wakeUp = this.#timers.createAlarm((nowMs) => this.#enqueue(record, nowMs));
    record.wakeUp.setBy(record.restsUntilMs);
  }

  #enqueue(record: TaskRecord<T, AnyResultOf<R>>, sinceMs: number): void {
    this.#delayed.delete(record);
    record.wakeUp = undefined;
    record.state = 'queued';
    record.readySinceMs = sinceMs;
    this.#backlog.add(record);
    this.#waitingRoom.serveSoon();
  }

  /** A holder that is idle makes a second attempt at what takes long elsewhere. */
  #speculate({ record, holder: slow }: RecordLease<T, AnyResultOf<R>>, holder: LeaseHolder<T>): void {
    const { key, task } = record;
    this.#statistics.total.speculated += 1;
    this.#waitingRoom.give(holder, this.#grant(record, holder));
    this.#events.emit({ type: 'speculated', key, task, worker: holder.name, beside: slow.name });
  }

  #leaseFirst(holder: LeaseHolder<T>): RecordLease<T, AnyResultOf<R>> | undefined {
    const record = this.#backlog.profileOf(holder).first();
    if (record === undefined) return undefined;
    this.#backlog.remove(record);
    this.#leased.add(record);
    return this.#grant(record, holder);
  }

  #grant(record: TaskRecord<T, AnyResultOf<R>>, holder: LeaseHolder<T>): RecordLease<T, AnyResultOf<R>> {
    this.#speculation.granted();
    return record.grant(holder);
  }

  /** The lease as it was made here, if it is live. */
  #live(lease: Lease<T>): RecordLease<T, AnyResultOf<R>> | undefined {
    return lease instanceof RecordLease && lease.isLive ? lease : undefined;
  }

  #endLease(lease: RecordLease<T, AnyResultOf<R>>): void {
    lease.record.end(lease);
    this.#speculation.ended(lease);
    if (lease.startedAtMs !== undefined) this.#running -= 1;
  }

  /** An attempt has ended without a result: whether that was the last one. Rejects the task then. */
  #isGivenUp(record: TaskRecord<T, AnyResultOf<R>>): boolean {
    const deadLetter = record.leases.length > 0 ? undefined : record.deadLetter();
    if (deadLetter !== undefined) this.#reject(record, 'deadLetter', deadLetter);
    return deadLetter !== undefined;
  }

  /** An attempt has ended without a result: the task waits for the next one. Returns false if another attempt runs yet. */
  #requeue(record: TaskRecord<T, AnyResultOf<R>>, sinceMs?: number): boolean {
    if (record.leases.length > 0) {
      // Somebody else may be idle who could run it beside that.
      this.#waitingRoom.serveSoon();
      return false;
    }
    this.#leased.delete(record);
    this.#queue(record, sinceMs);
    return true;
  }

  #reject(record: TaskRecord<T, AnyResultOf<R>>, outcome: TaskOutcome, reason: unknown): void {
    this.#settle(record, outcome, reason);
    record.promise.reject(reason);
  }

  /** The task is over, wherever it is. */
  #settle(record: TaskRecord<T, AnyResultOf<R>>, outcome: TaskOutcome, error: unknown): void {
    const { leases, terms, idempotencyKey, key, task } = record;
    if (record.state === 'queued') this.#backlog.remove(record);
    this.#delayed.delete(record);
    this.#leased.delete(record);
    this.#held.delete(record);
    record.state = 'settled';
    record.wakeUp?.cancel();
    record.deadline?.cancel();
    if (terms.signal !== undefined) this.#aborts.remove(terms.signal, record);
    if (idempotencyKey !== undefined) this.#shared.delete(idempotencyKey);
    if (record.refusedBy.size > 0) this.#backlog.settled(record);
    this.#statistics.total[outcome] += 1;
    // All of them first: who is told of one may come back with another.
    for (const lease of leases) this.#endLease(lease);
    for (const lease of leases) lease.holder.revoke(lease, outcome === 'done' ? 'superseded' : 'aborted');
    if (this.#held.size > 0) this.#queueHeld();
    if (!this.#events.hears('settled')) return;
    this.#events.emit({ type: 'settled', key, task, outcome, ...(outcome === 'done' ? {} : { error }) });
  }

  /** There may be room for tasks that wait for it. */
  #queueHeld(): void {
    for (const record of this.#held) {
      if (!this.#hasRoom) return;
      this.#held.delete(record);
      this.#queue(record);
    }
  }

  #tellUnmatched(record: TaskRecord<T, AnyResultOf<R>>): void {
    if (!this.#events.hears('unmatched')) return;
    const reason: UnmatchedReason =
      record.refusedBy.size > 0 ? 'rejected' : this.#holders === 0 ? 'noWorkers' : 'notAccepted';
    this.#events.emit({ type: 'unmatched', key: record.key, task: record.task, reason });
  }
}
