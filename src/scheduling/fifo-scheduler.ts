// The scheduler in memory: by priority, first in, first out, and what comes back comes back to its place.
import type { TaskdistError } from '../errors.ts';
import { type Dropped, Emitter, type EventOf, type StreamOptions } from '../events.ts';
import type { Clock, Random } from '../ports.ts';
import type { AnyResultOf, ResultOf, TaskOf, TaskTypeOf } from '../results.ts';
import { TimerQueue } from '../timer-queue.ts';
import { Attempts } from './attempts.ts';
import { Backlog } from './backlog.ts';
import { type SchedulerEvent, schedulerEventTypes } from './events.ts';
import { type MapFailures, type MapItem, type MapOptions, type MappedPutOptions, mapTasks } from './map.ts';
import type { MapInputs } from './map-inputs.ts';
import type { MapFailure, MapResult } from './map-stream.ts';
import type { Lease, LeaseHolder, Release, TakeSignal, TaskScheduler } from './scheduler.ts';
import {
  checkPutOptions,
  checkSchedulerOptions,
  type FifoSchedulerOptions,
  type PutOptions,
} from './scheduler-options.ts';
import { Speculation } from './speculation.ts';
import { type SchedulerStats, Statistics } from './statistics.ts';
import { agreeOn, type TaskTerms, taskOptionNames } from './task-options.ts';
import type { RecordLease } from './task-record.ts';
import { TaskTable } from './task-table.ts';
import { UnmatchedWatch } from './unmatched.ts';
import { Verifier } from './verifier.ts';
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
  readonly #terms: TaskTerms;
  readonly #events = new Emitter<SchedulerEvent<T>>(schedulerEventTypes);
  readonly #statistics: Statistics;
  readonly #unmatched: UnmatchedWatch<T, AnyResultOf<R>>;
  readonly #backlog: Backlog<T, AnyResultOf<R>>;
  readonly #tasks: TaskTable<T, AnyResultOf<R>>;
  readonly #waitingRoom: WaitingRoom<T, AnyResultOf<R>>;
  readonly #speculation: Speculation<T, AnyResultOf<R>>;
  readonly #verifier: Verifier<T, AnyResultOf<R>>;
  readonly #attempts: Attempts<T, AnyResultOf<R>>;

  /** @throws InvalidOptionError */
  constructor(options: FifoSchedulerOptions, { clock, random }: SchedulerEnvironment) {
    const { terms, unmatchedAfterMs, maxTasks } = checkSchedulerOptions(options);
    const timers = new TimerQueue(clock);
    this.#terms = terms;
    this.#clock = clock;
    this.#statistics = new Statistics(clock.now());
    this.#unmatched = new UnmatchedWatch(clock, timers, unmatchedAfterMs, this.#events, (record) =>
      this.#backlog.whyUnmatched(record),
    );
    this.#backlog = new Backlog(this.#unmatched, {
      moved: (holder, choice) => this.#waitingRoom.move(holder, choice),
      firstChanged: (lane) => this.#waitingRoom.firstChanged(lane),
      laneDropped: (lane) => this.#waitingRoom.forget(lane),
    });
    this.#waitingRoom = new WaitingRoom(
      (record, holder) => this.#tasks.lease(record, holder),
      () => this.#speculation.look(),
    );
    this.#verifier = new Verifier({
      random,
      now: () => clock.now(),
      holderOf: (holderId) => this.#backlog.holderOf(holderId),
      statistics: this.#statistics,
      events: this.#events,
      end: (lease) => this.#tasks.end(lease),
      resolve: (record, result) => this.#tasks.resolve(record, result, clock.now()),
      reject: (record, error) => this.#tasks.reject(record, 'noQuorum', error),
      goOn: (record) => {
        if (!this.#tasks.giveUp(record)) this.#tasks.requeue(record);
      },
    });
    this.#tasks = new TaskTable(maxTasks, {
      clock,
      timers,
      backlog: this.#backlog,
      statistics: this.#statistics,
      events: this.#events,
      verifier: this.#verifier,
      serveSoon: () => this.#waitingRoom.serveSoon(),
      ended: (lease) => this.#speculation.ended(lease),
    });
    this.#speculation = new Speculation(clock, timers, {
      idleHolders: () => this.#waitingRoom.idleHolders(),
      leased: () => this.#tasks.leased,
      unstarted: () => this.#tasks.unstarted,
      serveSoon: () => this.#waitingRoom.serveSoon(),
      lease: (record, holder) => this.#tasks.lease(record, holder),
      give: (holder, lease) => this.#waitingRoom.give(holder, lease),
      statistics: this.#statistics,
      events: this.#events,
    });
    this.#attempts = new Attempts({
      clock,
      random,
      backlog: this.#backlog,
      tasks: this.#tasks,
      speculation: this.#speculation,
      verifier: this.#verifier,
      statistics: this.#statistics,
      events: this.#events,
      serveSoon: () => this.#waitingRoom.serveSoon(),
    });
  }

  /** How many tasks wait for a worker; among them those that are verified, have one, and wait for another. */
  get queued(): number {
    return this.#backlog.size;
  }

  /** How many tasks wait for their `delay`, or for the backoff after a failure, to be over. */
  get delayed(): number {
    return this.#tasks.delayed;
  }

  /** How many tasks are with a worker, or with all those they want. */
  get leased(): number {
    return this.#tasks.leased.size;
  }

  /** How many tasks of maps wait for room, as there are `maxTasks` others. */
  get held(): number {
    return this.#tasks.held;
  }

  /** How the scheduler stands, and what there has been since it was made. */
  stats(): SchedulerStats {
    const nowMs = this.#clock.now();
    return {
      queued: this.queued,
      delayed: this.delayed,
      leased: this.leased,
      held: this.held,
      running: this.#tasks.running,
      unmatched: this.#backlog.orphans,
      oldestWait: nowMs - (this.#backlog.longestReady()?.readySinceMs ?? nowMs),
      ...this.#statistics.summary(nowMs),
    };
  }

  /**
   * Adds a task and resolves to its result. A task is anything that structured data can hold: plain objects, arrays,
   * strings, numbers, bigints, dates, typed arrays. If it is an object with a string `type`, workers can choose by it.
   * It is read when it is handed out, each time that it is: do not change it any more.
   *
   * Rejects with {@link DeadLetterError} when the attempts are used up, with {@link TaskDeadlineError} when the
   * `deadline` passes, with {@link NoQuorumError} when its results do not agree (`verify`), with
   * `TASKDIST_NOT_SERIALIZABLE` or `TASKDIST_TOO_LARGE` if the task cannot be sent (found out when it is sent), with
   * `TASKDIST_FULL` when there are `maxTasks` already, with `TASKDIST_STOPPED` when the master stops, with the signal's
   * reason when it aborts, and with {@link InvalidOptionError}. Waits for as long as there is no worker that takes the
   * task.
   *
   * With an `idempotencyKey` it waits for the unsettled task of that key, if there is one, which takes no room. Each
   * such `put` has a promise of its own, and its own `signal`, `deadline` and `onProgress`.
   */
  put<Type extends TaskTypeOf<T>>(
    task: TaskOf<T, R, Type>,
    options?: PutOptions,
  ): Promise<ResultOf<R, TaskOf<T, R, Type>>>;
  put(task: T, options?: PutOptions): Promise<unknown> {
    try {
      // An async function would turn a wrong option into a rejection too, but cost a promise more for every task.
      return this.#tasks.put(task, checkPutOptions(options, this.#terms));
    } catch (error) {
      return Promise.reject(error);
    }
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
    const prepare = (putOptions: MappedPutOptions) => {
      const terms = { ...agreeOn('map', putOptions, taskOptionNames, this.#terms), isMapped: true };
      return (task: T) => {
        try {
          return this.#tasks.put(task, terms);
        } catch (error) {
          return Promise.reject(error);
        }
      };
    };
    // A map has a signal of its own for its tasks; the default one is for the map itself.
    const signal = options?.signal ?? this.#terms.signal;
    const mapOptions = signal === undefined ? options : { ...options, signal };
    return mapTasks(prepare, inputs, mapOptions);
  }

  /**
   * Calls `listener` on every event of that type, until the returned function is called.
   * @throws InvalidOptionError
   */
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
    this.#tasks.open();
  }

  /** For masters; see {@link TaskScheduler.close}. */
  close(reason: TaskdistError): void {
    this.#tasks.close(reason);
    this.#unmatched.clear();
    this.#speculation.stop();
    this.#events.end();
  }

  /** For masters; see {@link TaskScheduler.join}. */
  join(holder: LeaseHolder<T>): void {
    this.#backlog.join(holder);
  }

  /** For masters; see {@link TaskScheduler.leave}. */
  leave(holder: LeaseHolder<T>): void {
    // Nobody else may have more by this: what it had refused was not refused for them.
    this.#backlog.leave(holder);
    this.#verifier.left(holder);
  }

  /** For masters; see {@link TaskScheduler.take}. */
  take(holder: LeaseHolder<T>, max: number, signal: TakeSignal): Lease<T>[] | Promise<Lease<T>[]> {
    if (signal.aborted) return [];
    const leases: Lease<T>[] = [];
    // Those who wait already are about to be served: it waits with them, as it may have less need of it.
    while (leases.length < max && !this.#waitingRoom.isAboutToServe) {
      const lease = this.#leaseFirst(holder);
      if (lease === undefined) break;
      leases.push(lease);
    }
    if (leases.length > 0) return leases;
    const waiting = this.#waitingRoom.wait(this.#backlog.choiceOf(holder), holder, max, signal);
    // It may take a second attempt at what takes long elsewhere.
    if (holder.idleSlots > 0) this.#speculation.consider();
    return waiting;
  }

  /** For masters; see {@link TaskScheduler.loadChanged}. */
  loadChanged(holder: LeaseHolder<T>, max: number): void {
    this.#waitingRoom.loadChanged(holder, max);
    if (holder.idleSlots > 0) this.#speculation.consider();
  }

  /** For masters; see {@link TaskScheduler.started}. */
  started(lease: Lease<T>): void {
    this.#attempts.started(lease);
  }

  /** For masters; see {@link TaskScheduler.turnedBack}. */
  turnedBack(lease: Lease<T>): void {
    this.#attempts.turnedBack(lease);
  }

  /** For masters; see {@link TaskScheduler.progressed}. */
  progressed(lease: Lease<T>, value: unknown): void {
    this.#attempts.progressed(lease, value);
  }

  /** For masters; see {@link TaskScheduler.complete}. */
  complete(lease: Lease<T>, result: AnyResultOf<R>): boolean {
    return this.#attempts.complete(lease, result);
  }

  /** For masters; see {@link TaskScheduler.fail}. */
  fail(lease: Lease<T>, error: Error): boolean {
    return this.#attempts.fail(lease, error);
  }

  /** For masters; see {@link TaskScheduler.discard}. */
  discard(lease: Lease<T>, error: Error): boolean {
    return this.#attempts.discard(lease, error);
  }

  /** For masters; see {@link TaskScheduler.release}. */
  release(lease: Lease<T>, release: Release): boolean {
    return this.#attempts.release(lease, release);
  }

  #leaseFirst(holder: LeaseHolder<T>): RecordLease<T, AnyResultOf<R>> | undefined {
    const record = this.#backlog.choiceOf(holder).first();
    return record === undefined ? undefined : this.#tasks.lease(record, holder);
  }
}
