// The worker: connects to a master, runs its tasks, and connects again whenever the connection is lost.

import { TaskdistError } from '../errors.ts';
import { Emitter, type EventOf } from '../events.ts';
import { type TaskFunction, type TaskHandler, toHandler } from '../handler.ts';
import { expectInteger } from '../options.ts';
import { systemEnvironment } from '../platform/environment.ts';
import type { WorkerEnvironment } from '../ports.ts';
import { codecs } from '../protocol/codec.ts';
import { Limits } from '../protocol/decode.ts';
import { PROTOCOL_VERSION, type WorkerDescription } from '../protocol/messages.ts';
import { TimerQueue } from '../timer-queue.ts';
import type { WorkerEvent, WorkerState } from './events.ts';
import { type AttemptResult, abortError, type CancelAttempt, Executor } from './executor.ts';
import { Link } from './link.ts';
import { type CheckedWorkerOptions, checkWorkerOptions, type WorkerOptions } from './options.ts';
import { Reconnection } from './reconnection.ts';
import type { Answer, GrantedTask } from './session.ts';

type Lifecycle =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running' }
  | { readonly kind: 'stopping'; readonly stopped: Promise<void> };

/** Runs the tasks of one master through a handler; the same in Node and in a browser. */
export class Worker<T, R> {
  readonly #handler: TaskHandler<T, R>;
  readonly #options: CheckedWorkerOptions<T>;
  readonly #environment: WorkerEnvironment;
  readonly #events = new Emitter<WorkerEvent<T>>();
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
    this.#options = checkWorkerOptions(options, environment.name, () => this.#handler.getConcurrency?.());
    this.#concurrency = this.#options.concurrency;
    this.#executor = new Executor(this.#handler, environment.clock, this.#concurrency, this.#options.grace, (error) =>
      this.#broken(error),
    );
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
    if (this.#lifecycle.kind === 'running') {
      // The state first: what stopping sets off may ask for it.
      const { promise, resolve } = deferred();
      this.#lifecycle = { kind: 'stopping', stopped: promise };
      await this.#stop();
      this.#lifecycle = { kind: 'stopped' };
      resolve();
    } else if (this.#lifecycle.kind === 'stopping') {
      await this.#lifecycle.stopped;
    }
  }

  /** Takes no new tasks, and gives back those that have not started; what runs goes on. The connection stays. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#applyConcurrency();
    this.#executor.releaseWaiting();
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

  /** Calls `listener` on every event of that type, until the returned function is called. */
  on<Type extends WorkerEvent<T>['type']>(
    type: Type,
    listener: (event: EventOf<WorkerEvent<T>, Type>) => void,
  ): () => void {
    return this.#events.on(type, listener);
  }

  async #start(): Promise<void> {
    if (this.#lifecycle.kind !== 'stopped') {
      throw new TaskdistError('TASKDIST_INVALID_STATE', `The worker is ${this.state} already`);
    }
    this.#lifecycle = { kind: 'running' };
    await this.#link.open();
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
    const { promise: graceOver, resolve } = deferred();
    const cancel = this.#environment.clock.setTimer(grace, resolve);
    try {
      await Promise.race([this.#handler.stop?.(), graceOver]);
    } catch (error) {
      logger.error('The handler failed to stop', error);
    } finally {
      cancel();
    }
  }

  #createLink(): Link<T> {
    const { url, codec, connectTimeout, reconnect, logger } = this.#options;
    return new Link({
      url,
      subprotocol: codecs[codec].subprotocol,
      connectTimeoutMs: connectTimeout,
      reconnection: reconnect === false ? undefined : new Reconnection(reconnect, this.#environment.random),
      environment: this.#environment,
      timers: new TimerQueue(this.#environment.clock),
      logger,
      events: this.#events,
      describe: () => this.#describe(),
      run: (task, answer) => this.#run(task, answer),
      gaveUp: () => void this.stop(),
    });
  }

  #describe(): WorkerDescription {
    const { name, acceptedTypes } = this.#options;
    return {
      version: PROTOCOL_VERSION,
      name,
      platform: this.#environment.platform,
      concurrency: this.#effectiveConcurrency,
      prefetch: this.#prefetch,
      ...(acceptedTypes === undefined ? {} : { accepts: acceptedTypes }),
    };
  }

  get #effectiveConcurrency(): number {
    return this.#isPaused ? 0 : this.#concurrency;
  }

  get #prefetch(): number {
    return this.#options.prefetch ?? this.#concurrency;
  }

  #applyConcurrency(): void {
    const concurrency = this.#effectiveConcurrency;
    this.#link.changeCredit(concurrency, this.#prefetch);
    this.#executor.setConcurrency(concurrency);
  }

  #run(granted: GrantedTask, answer: Answer): CancelAttempt {
    const { key, attempt } = granted;
    // The master's type promises it; what crosses the wire is as trustworthy as the master.
    const task = granted.task as T;
    const turnedDown = this.#turnDown(task);
    if (turnedDown !== undefined) {
      answer(turnedDown);
      return () => {};
    }
    return this.#executor.add({
      key,
      attempt,
      task,
      started: () => this.#events.emit({ type: 'taskStarted', key, attempt, task }),
      ended: (result, durationMs) => {
        const sent = answer(result);
        const outcome = sent.kind === 'released' ? 'returned' : sent.kind;
        const error = sent.kind === 'failed' ? { error: sent.error } : {};
        this.#events.emit({ type: 'taskSettled', key, attempt, task, outcome, durationMs, ...error });
      },
    });
  }

  /** Judges a task before it is queued: undefined if it is taken. */
  #turnDown(task: T): AttemptResult<never> | undefined {
    // It was on its way when the master was told.
    if (this.#isPaused) return { kind: 'released' };
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

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
