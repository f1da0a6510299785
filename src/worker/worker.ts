// The worker: connects to a master, runs its tasks, and connects again whenever the connection is lost.
/// <reference lib="esnext.disposable" preserve="true" />

import { deferred } from '../deferred.ts';
import { checkGrace, type DrainOptions, within } from '../drain.ts';
import { TaskdistError } from '../errors.ts';
import { type Dropped, Emitter, type EventOf, type StreamOptions } from '../events.ts';
import { type TaskFunction, type TaskHandler, toHandler } from '../handler.ts';
import { expectInteger } from '../options.ts';
import { systemEnvironment } from '../platform/environment.ts';
import type { WorkerEnvironment } from '../ports.ts';
import { codecs } from '../protocol/codec.ts';
import { Limits } from '../protocol/decode.ts';
import { PROTOCOL_VERSION, type WorkerDescription } from '../protocol/messages.ts';
import { TimerQueue } from '../timer-queue.ts';
import { type WorkerEvent, type WorkerState, workerEventTypes } from './events.ts';
import { Executor } from './executor.ts';
import type { Lease } from './lease.ts';
import { Link } from './link.ts';
import { type CheckedWorkerOptions, checkWorkerOptions, type WorkerOptions } from './options.ts';
import { Reconnection } from './reconnection.ts';
import { type AddedAttempt, type AttemptResult, abortError } from './run.ts';

type Lifecycle =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running' }
  | { readonly kind: 'draining'; readonly drained: Promise<void> }
  | { readonly kind: 'stopping'; readonly stopped: Promise<void> };

/** Runs the tasks of one master through a handler; the same in Node and in a browser. */
export class Worker<T, R> {
  readonly #handler: TaskHandler<T, R>;
  readonly #options: CheckedWorkerOptions<T>;
  readonly #environment: WorkerEnvironment;
  readonly #events = new Emitter<WorkerEvent<T>>(workerEventTypes);
  readonly #executor: Executor<T, R>;
  readonly #link: Link<T>;
  #lifecycle: Lifecycle = { kind: 'stopped' };
  #concurrency: number;
  #isPaused = false;

  /**
   * The third parameter is for simulations; leave it out.
   * @throws InvalidOptionError
   */
  constructor(
    handler: TaskHandler<T, R> | TaskFunction<T, R>,
    options: WorkerOptions<T> = {},
    environment: WorkerEnvironment = systemEnvironment,
  ) {
    this.#handler = toHandler(handler);
    this.#environment = environment;
    this.#options = checkWorkerOptions(options, environment.name, this.#handler);
    this.#concurrency = this.#options.concurrency;
    this.#executor = new Executor(this.#handler, environment.clock, this.#concurrency, this.#options.grace, {
      broken: (error) => this.#broken(error),
      slotFreed: () => this.#offer(),
    });
    this.#link = this.#createLink();
  }

  /** Where the worker stands with its master. */
  get state(): WorkerState {
    if (this.#lifecycle.kind !== 'running') return this.#lifecycle.kind;
    // Closed while it runs: it has given up, and is about to stop.
    return this.#link.state === 'closed' ? 'stopping' : this.#link.state;
  }

  /** What the master calls this worker, while it is connected. */
  get id(): string | undefined {
    return this.#link.id;
  }

  /** How many tasks may run at once, when the worker is not paused. */
  get concurrency(): number {
    return this.#concurrency;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /**
   * Starts to connect. Resolves when the master has welcomed this worker. If the first try fails, it rejects with
   * `TASKDIST_CONNECT` or `TASKDIST_REFUSED`; unless it was refused, or `reconnect` is false, the worker tries on all
   * the same until it is stopped, and the promise may be ignored.
   */
  start(): Promise<void> {
    const started = this.#start();
    // Whoever ignores the promise learns of failures by the event.
    started.catch(() => {});
    return started;
  }

  /**
   * Stops: says goodbye to the master, which takes its tasks back, aborts what runs, and then stops the handler.
   * Resolves when all of that is over, or has taken longer than `grace`. May be called at any time, and again.
   */
  async stop(): Promise<void> {
    if (this.#lifecycle.kind === 'running' || this.#lifecycle.kind === 'draining') {
      // The state first: what stopping sets off may ask for it.
      const { promise, resolve } = deferred();
      this.#lifecycle = { kind: 'stopping', stopped: promise };
      await this.#stop();
      this.#lifecycle = { kind: 'stopped' };
      this.#events.end();
      resolve();
    } else if (this.#lifecycle.kind === 'stopping') {
      await this.#lifecycle.stopped;
    }
  }

  /**
   * Stops well: takes no new tasks, gives back those that have not started, lets what runs end, and its results reach a master
   * whose connection is lost, for up to `grace` milliseconds, and then stops. May be called again; {@link stop} stops at once.
   * @throws InvalidOptionError
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    const graceMs = checkGrace(options);
    if (this.#lifecycle.kind === 'running') {
      const { promise, resolve } = deferred();
      this.#lifecycle = { kind: 'draining', drained: promise };
      this.#applyConcurrency();
      this.#executor.releaseWaiting(this.#concurrency);
      await within(graceMs, this.#environment.clock, this.#finished());
      await this.stop();
      resolve();
    } else if (this.#lifecycle.kind === 'draining') {
      await this.#lifecycle.drained;
    } else {
      await this.stop();
    }
  }

  /** As {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Takes no new tasks, and gives back those that have not started; what runs goes on. The connection stays. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#applyConcurrency();
    this.#executor.releaseWaiting(this.#concurrency);
  }

  /** Takes tasks again after {@link pause}. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#applyConcurrency();
  }

  /**
   * Changes how many tasks may run at once, an integer from 1 to 65536. Those that run already go on.
   * @throws InvalidOptionError
   */
  setConcurrency(concurrency: number): void {
    expectInteger('concurrency', concurrency, 1, Limits.credit);
    this.#concurrency = concurrency;
    this.#applyConcurrency();
  }

  /**
   * Calls `listener` on every event of that type, until the returned function is called.
   * @throws InvalidOptionError
   */
  on<Type extends WorkerEvent<T>['type']>(
    type: Type,
    listener: (event: EventOf<WorkerEvent<T>, Type>) => void,
  ): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * The events from now on, as they come, for `for await`. Ends when its loop is left, when `signal` aborts, or when the
   * worker has stopped. @throws InvalidOptionError
   */
  events<Type extends WorkerEvent<T>['type'] = WorkerEvent<T>['type']>(
    options?: StreamOptions<Type>,
  ): AsyncIterableIterator<EventOf<WorkerEvent<T>, Type> | Dropped> {
    return this.#events.stream(options);
  }

  async #start(): Promise<void> {
    if (this.#lifecycle.kind !== 'stopped') {
      throw new TaskdistError('TASKDIST_INVALID_STATE', `The worker is ${this.state} already`);
    }
    this.#lifecycle = { kind: 'running' };
    // It may have drained before, down to 0.
    this.#executor.setConcurrency(this.#effectiveConcurrency);
    await this.#link.open();
  }

  /** Resolves when nothing runs any more, and the master has what came of it. */
  async #finished(): Promise<void> {
    await this.#executor.idle();
    await this.#link.told();
  }

  async #stop(): Promise<void> {
    const socketClosed = this.#link.close('The worker was stopped');
    await this.#executor.abortAll(abortError('The worker was stopped'));
    await socketClosed;
    await this.#stopHandler();
  }

  /** Waits for the handler, but not longer than for a task that was called off. */
  async #stopHandler(): Promise<void> {
    const { grace, logger } = this.#options;
    try {
      await within(grace, this.#environment.clock, Promise.resolve(this.#handler.stop?.()));
    } catch (error) {
      logger.error('The handler failed to stop', error);
    }
  }

  #createLink(): Link<T> {
    const { url, codec, connectTimeout, reconnect, logger, token } = this.#options;
    return new Link({
      url,
      subprotocol: codecs[codec].subprotocol,
      connectTimeoutMs: connectTimeout,
      reconnection: reconnect === false ? undefined : new Reconnection(reconnect, this.#environment.random),
      environment: this.#environment,
      timers: new TimerQueue(this.#environment.clock),
      logger,
      events: this.#events,
      describe: (occupied) => this.#describe(occupied),
      token,
      heldMs: () => this.#executor.heldMs,
      run: (lease) => this.#run(lease),
      congested: (isCongested) => {
        if (isCongested) this.#executor.hold();
        else this.#executor.resume();
      },
      gaveUp: () => void this.stop(),
    });
  }

  #describe(occupied: number): WorkerDescription {
    const { name, prefetch, acceptedTypes, labels } = this.#options;
    return {
      version: PROTOCOL_VERSION,
      name,
      platform: this.#environment.platform,
      concurrency: Math.max(0, this.#offeredConcurrency - occupied),
      prefetch,
      ...(acceptedTypes === undefined ? {} : { accepts: acceptedTypes }),
      ...(labels === undefined ? {} : { labels }),
    };
  }

  get #effectiveConcurrency(): number {
    return this.#takesTasks ? this.#concurrency : 0;
  }

  get #takesTasks(): boolean {
    return !this.#isPaused && this.#lifecycle.kind !== 'draining';
  }

  /** What the master may count on: not the slots of what still runs for a connection that is over. */
  get #offeredConcurrency(): number {
    return Math.max(0, this.#effectiveConcurrency - this.#executor.leftOver);
  }

  #applyConcurrency(): void {
    this.#offer();
    this.#executor.setConcurrency(this.#effectiveConcurrency);
  }

  #offer(): void {
    this.#link.changeCredit(this.#offeredConcurrency, this.#options.prefetch);
  }

  #run(lease: Lease<T>): AddedAttempt | undefined {
    const turnedDown = this.#turnDown(lease.task);
    if (turnedDown === undefined) return this.#executor.add(lease);
    lease.answer(turnedDown);
    return undefined;
  }

  /** Judges a task before it is queued: undefined if it is taken. */
  #turnDown(task: T): AttemptResult<never> | undefined {
    // It was on its way when the master was told.
    if (!this.#takesTasks) return { kind: 'released' };
    try {
      const isAccepted = this.#options.acceptsTask?.(task) ?? true;
      return isAccepted ? undefined : { kind: 'rejected', reason: 'Not accepted' };
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  #broken(error: TaskdistError): void {
    if (this.#isPaused) return;
    this.#options.logger.error(error.message);
    this.pause();
    this.#events.emit({ type: 'error', error });
  }
}
