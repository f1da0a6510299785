// The worker: connects to a master, runs its tasks, and connects again whenever the connection is lost.
import { TimerQueue } from '../connection/timer-queue.ts';
import { TaskdistError } from '../errors.ts';
import { Emitter, type EventOf } from '../events.ts';
import { type TaskFunction, type TaskHandler, toHandler } from '../handler.ts';
import { expectInteger } from '../options.ts';
import { systemEnvironment } from '../platform/environment.ts';
import type { WorkerEnvironment } from '../ports.ts';
import { CloseCode, isFinal } from '../protocol/close-codes.ts';
import { codecs } from '../protocol/codec.ts';
import { Limits } from '../protocol/decode.ts';
import { PROTOCOL_VERSION, type WorkerDescription } from '../protocol/messages.ts';
import type { WorkerEvent, WorkerState } from './events.ts';
import { type AttemptResult, abortError, type CancelAttempt, Executor } from './executor.ts';
import { type CheckedWorkerOptions, checkWorkerOptions, type WorkerOptions } from './options.ts';
import { Reconnection } from './reconnection.ts';
import { type Answer, type GrantedTask, WorkerSession } from './session.ts';

type ConnectionState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'connecting'; readonly session: WorkerSession }
  | { readonly kind: 'connected'; readonly session: WorkerSession; readonly id: string }
  /** For the next try. */
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  /** For the page to be shown again. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'stopping'; readonly stopped: Promise<void> };

/** Settles the promise of `start()`, once. */
interface FirstTry {
  resolve(): void;
  reject(error: TaskdistError): void;
}

/** Runs the tasks of one master through a handler; the same in Node and in a browser. */
export class Worker<T, R> {
  readonly #handler: TaskHandler<T, R>;
  readonly #options: CheckedWorkerOptions<T>;
  readonly #environment: WorkerEnvironment;
  readonly #events = new Emitter<WorkerEvent<T>>();
  readonly #timers: TimerQueue;
  readonly #reconnection: Reconnection | undefined;
  readonly #executor: Executor<T, R>;
  #state: ConnectionState = { kind: 'stopped' };
  #concurrency: number;
  #isPaused = false;
  #failures = 0;
  #firstTry: FirstTry | undefined = undefined;
  #unwatchPage: () => void = () => {};

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
    this.#timers = new TimerQueue(environment.clock);
    const { reconnect } = this.#options;
    this.#reconnection = reconnect === false ? undefined : new Reconnection(reconnect, environment.random);
    this.#executor = new Executor(this.#handler, environment.clock, this.#concurrency, this.#options.grace, (error) =>
      this.#broken(error),
    );
  }

  /** Where the worker stands with its master. */
  get state(): WorkerState {
    return this.#state.kind;
  }

  /** What the master calls this worker, while it is connected. */
  get id(): string | undefined {
    return this.#state.kind === 'connected' ? this.#state.id : undefined;
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
    const started = new Promise<void>((resolve, reject) => {
      if (this.#state.kind !== 'stopped') {
        throw new TaskdistError('TASKDIST_INVALID_OPTION', `The worker is ${this.#state.kind} already`);
      }
      this.#firstTry = { resolve, reject };
      this.#failures = 0;
      this.#unwatchPage = this.#environment.watchPage({
        hidden: () => this.#pageHidden(),
        shown: () => this.#pageShown(),
        online: () => this.#online(),
      });
      this.#connect();
    });
    // Whoever ignores the promise learns of failures by the event.
    started.catch(() => {});
    return started;
  }

  /**
   * Stops: says goodbye to the master, which takes its tasks back, aborts what runs, and then stops the handler.
   * Resolves when all of that is over. May be called at any time, and again.
   */
  async stop(): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    if (this.#state.kind !== 'stopping') {
      const before = this.#state;
      const { promise, resolve } = deferred();
      this.#state = { kind: 'stopping', stopped: promise };
      void this.#stop(before).then(resolve);
    }
    if (this.#state.kind === 'stopping') await this.#state.stopped;
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

  #connect(): void {
    const { url } = this.#options;
    const trying: ConnectionState = { kind: 'waiting', cancel() {} };
    this.#state = trying;
    this.#events.emit({ type: 'connecting', url, tries: this.#failures + 1 });
    // A listener may have stopped the worker.
    if (this.#state !== trying) return;
    try {
      this.#state = { kind: 'connecting', session: this.#createSession() };
    } catch (error) {
      this.#disconnected(CloseCode.abnormal, error instanceof Error ? error.message : String(error));
    }
  }

  #createSession(): WorkerSession {
    const { url, codec, connectTimeout } = this.#options;
    const { clock, connect } = this.#environment;
    const session: WorkerSession = new WorkerSession(url, [codecs[codec].subprotocol], connect, {
      clock,
      timers: this.#timers,
      connectTimeoutMs: connectTimeout,
      describe: () => this.#describe(),
      welcomed: (id) => this.#welcomed(session, id),
      run: (task, answer) => this.#run(task, answer),
      ended: (code, reason) => this.#disconnected(code, reason),
    });
    return session;
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

  #welcomed(session: WorkerSession, id: string): void {
    const { url, logger } = this.#options;
    this.#failures = 0;
    this.#state = { kind: 'connected', session, id };
    this.#firstTry?.resolve();
    this.#firstTry = undefined;
    logger.info(`Connected to ${url} as ${id}`);
    this.#events.emit({ type: 'connected', url, id });
  }

  #disconnected(code: number, reason: string): void {
    const { url, logger } = this.#options;
    logger.info(`Disconnected from ${url}: ${code} ${reason}`);
    const retryDelay = this.#scheduleRetry(code);
    const problem = isFinal(code)
      ? new TaskdistError('TASKDIST_REFUSED', `The master at ${url} refused this worker: ${reason}`)
      : new TaskdistError('TASKDIST_CONNECT', `No connection to the master at ${url}: ${reason || `code ${code}`}`);
    this.#firstTry?.reject(problem);
    this.#firstTry = undefined;
    this.#events.emit({ type: 'disconnected', code, reason, retryDelay });
  }

  /** Sees to what comes after a connection; returns the time until the next try, if there is one. */
  #scheduleRetry(code: number): number | undefined {
    // Ended by ourselves: the state says already what comes.
    if (this.#state.kind === 'stopping' || this.#state.kind === 'hidden') return undefined;
    this.#failures += 1;
    if (this.#reconnection === undefined || isFinal(code)) {
      void this.stop();
      return undefined;
    }
    const delayMs = this.#reconnection.delayMs(this.#failures);
    this.#state = { kind: 'waiting', cancel: this.#environment.clock.setTimer(delayMs, () => this.#connect()) };
    return delayMs;
  }

  async #stop(before: ConnectionState): Promise<void> {
    this.#unwatchPage();
    const socketClosed = this.#leave(before, 'The worker was stopped');
    await this.#executor.abortAll(abortError('The worker was stopped'));
    try {
      await this.#handler.stop?.();
    } catch (error) {
      this.#options.logger.error('The handler failed to stop', error);
    }
    await socketClosed;
    this.#firstTry?.reject(new TaskdistError('TASKDIST_STOPPED', 'The worker was stopped'));
    this.#firstTry = undefined;
    this.#state = { kind: 'stopped' };
  }

  /** Ends whatever connection there is or would be; resolves when its socket is closed. */
  async #leave(state: ConnectionState, reason: string): Promise<void> {
    if (state.kind === 'waiting') state.cancel();
    if (state.kind !== 'connecting' && state.kind !== 'connected') return;
    state.session.end(reason);
    await state.session.socketClosed;
  }

  #pageHidden(): void {
    const before = this.#state;
    if (before.kind === 'stopping' || before.kind === 'stopped') return;
    this.#state = { kind: 'hidden' };
    void this.#leave(before, 'The page was left');
  }

  #pageShown(): void {
    if (this.#state.kind === 'hidden') this.#connect();
  }

  #online(): void {
    if (this.#state.kind !== 'waiting') return;
    this.#state.cancel();
    this.#connect();
  }

  get #effectiveConcurrency(): number {
    return this.#isPaused ? 0 : this.#concurrency;
  }

  get #prefetch(): number {
    return this.#options.prefetch ?? this.#concurrency;
  }

  #applyConcurrency(): void {
    const concurrency = this.#effectiveConcurrency;
    if (this.#state.kind === 'connecting' || this.#state.kind === 'connected') {
      this.#state.session.changeCredit(concurrency, this.#prefetch);
    }
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
