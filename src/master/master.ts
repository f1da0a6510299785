// The master: takes a scheduler's tasks to the workers that connect.
/// <reference lib="esnext.disposable" preserve="true" />
import { deferred } from '../deferred.ts';
import { checkGrace, type DrainOptions, within } from '../drain.ts';
import { TaskdistError } from '../errors.ts';
import { type Dropped, Emitter, type EventOf, type StreamOptions } from '../events.ts';
import { expectObject, expectString, refuse } from '../options.ts';
import { systemClock, systemSecret } from '../platform/system.ts';
import { silentLogger } from '../ports.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import type { TaskScheduler } from '../scheduling/scheduler.ts';
import { createAuthenticator } from './authentication.ts';
import { Door } from './door.ts';
import type { ListenEvents, Listener, ListenOptions, MasterEnvironment } from './environment.ts';
import { type MasterAddress, type MasterEvent, masterEventTypes, type WorkerInfo } from './events.ts';
import { AttachedListener, type ListenerEvents, PortListener } from './listener.ts';
import { type CheckedMasterOptions, checkMasterOptions, type MasterOptions } from './options.ts';
import { Sessions } from './sessions.ts';

/** Of an id, and of what a worker is told. */
const MAX_CHARACTERS = 256;

type MasterState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'running'; readonly listener: Listener }
  | { readonly kind: 'draining'; readonly listener: Listener; readonly drained: Promise<void> }
  | { readonly kind: 'stopping'; readonly stopped: Promise<void> };

/** Listens for workers and hands them the tasks of a scheduler. */
export class Master<T, R> {
  readonly #scheduler: TaskScheduler<T, R>;
  readonly #options: CheckedMasterOptions;
  readonly #environment: MasterEnvironment;
  readonly #events = new Emitter<MasterEvent<T>>(masterEventTypes);
  readonly #sessions: Sessions<T, R>;
  readonly #door: Door;
  #state: MasterState = { kind: 'stopped' };
  #address: MasterAddress | undefined = undefined;

  /**
   * The third parameter is for simulations; leave it out.
   * @throws InvalidOptionError
   */
  constructor(
    scheduler: TaskScheduler<T, R>,
    options: MasterOptions = {},
    environment: MasterEnvironment = systemEnvironment,
  ) {
    expectObject('scheduler', scheduler);
    if (typeof scheduler.take !== 'function') refuse('scheduler', 'a TaskScheduler', scheduler);
    this.#scheduler = scheduler;
    this.#options = checkMasterOptions(options);
    this.#environment = environment;
    const { taskTimeout, socketTimeout, helloTimeout, maxFrameBytes, resumeWindow } = this.#options;
    const { rules, maxConcurrency, maxMessageRate, authenticate, logger } = this.#options;
    const limits = {
      taskTimeoutMs: taskTimeout,
      socketTimeoutMs: socketTimeout,
      helloTimeoutMs: helloTimeout,
      maxFrameBytes,
      resumeWindowMs: resumeWindow,
      maxInterrupted: rules.maxConnections,
      maxInterruptedPerAddress: rules.maxConnectionsPerAddress,
      maxConcurrency,
      maxMessageRate,
      authenticate: authenticate === undefined ? undefined : createAuthenticator(authenticate, logger),
    };
    this.#sessions = new Sessions(scheduler, environment, limits, this.#events);
    this.#door = this.#createDoor();
    // What events tell is only put together if somebody listens.
    if (this.#options.logger !== silentLogger) this.#logEvents();
  }

  /** Where the master listens with its own server, while it does. */
  get address(): MasterAddress | undefined {
    return this.#address;
  }

  /**
   * Starts to serve. Resolves when the master listens. If the first try fails, e.g. as the port is in use, it rejects
   * with `TASKDIST_LISTEN`, and the master tries on every `listenTimeout` ms all the same, until it is stopped; the
   * promise may be ignored.
   */
  start(): Promise<void> {
    const started = this.#start();
    // Whoever ignores the promise learns of failures by the event.
    started.catch(() => {});
    return started;
  }

  /**
   * Stops: every unsettled `put` rejects with `TASKDIST_STOPPED`, workers are told goodbye, and the promise resolves
   * when every connection and the server are closed. May be called at any time, and again.
   */
  async stop(): Promise<void> {
    if (this.#state.kind === 'running' || this.#state.kind === 'draining') {
      const { listener } = this.#state;
      // The state first: what stopping sets off may ask for it.
      const { promise, resolve } = deferred();
      this.#state = { kind: 'stopping', stopped: promise };
      resolve(this.#stop(listener));
    }
    if (this.#state.kind === 'stopping') await this.#state.stopped;
  }

  /**
   * Stops well: hands out nothing new, takes back what has not started, lets what runs end, for up to `grace`
   * milliseconds, and then stops. What is still queued, or still runs, rejects with `TASKDIST_STOPPED` then, and so does what
   * is put meanwhile. Workers that connect meanwhile get nothing. May be called again; `stop()` stops at once.
   * @throws InvalidOptionError
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    const graceMs = checkGrace(options);
    if (this.#state.kind === 'running') {
      const { listener } = this.#state;
      const { promise, resolve } = deferred();
      const draining: MasterState = { kind: 'draining', listener, drained: promise };
      this.#state = draining;
      resolve(this.#drain(graceMs, draining));
    }
    if (this.#state.kind === 'draining') await this.#state.drained;
    else await this.stop();
  }

  /** As {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The connected workers, in the order in which they came. */
  workers(): WorkerInfo[] {
    return this.#sessions.list();
  }

  /**
   * Sends a worker away: its leases go to others, and cost their tasks nothing. A worker of this library that
   * is connected does not come back by itself; what keeps out one that does is `authenticate`.
   *
   * `workerId` is the `id` in {@link WorkerInfo}, `reason` what the worker is told, in at most 123 bytes. Returns whether it was there.
   * @throws InvalidOptionError
   */
  dismiss(workerId: string, reason = 'Dismissed'): boolean {
    expectString('workerId', workerId, MAX_CHARACTERS);
    expectString('reason', reason, MAX_CHARACTERS);
    return this.#sessions.end(workerId, CloseCode.dismissed, reason);
  }

  /**
   * Calls `listener` on every event of that type, until the returned function is called.
   * @throws InvalidOptionError
   */
  on<Type extends MasterEvent<T>['type']>(
    type: Type,
    listener: (event: EventOf<MasterEvent<T>, Type>) => void,
  ): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * The events from now on, as they come, for `for await`. Ends when its loop is left, when `signal` aborts, or when the
   * master has stopped. @throws InvalidOptionError
   */
  events<Type extends MasterEvent<T>['type'] = MasterEvent<T>['type']>(
    options?: StreamOptions<Type>,
  ): AsyncIterableIterator<EventOf<MasterEvent<T>, Type> | Dropped> {
    return this.#events.stream(options);
  }

  async #start(): Promise<void> {
    if (this.#state.kind !== 'stopped') {
      throw new TaskdistError('TASKDIST_INVALID_STATE', `The master is ${this.#state.kind} already`);
    }
    const listener = this.#createListener();
    const listening = listener.start();
    try {
      this.#scheduler.open();
    } catch (error) {
      listening.catch(() => {});
      await listener.stop();
      throw error;
    }
    this.#state = { kind: 'running', listener };
    await listening;
  }

  async #drain(graceMs: number, draining: MasterState): Promise<void> {
    await within(graceMs, this.#environment.clock, this.#sessions.drainAll());
    // It may have been stopped, and even started again, before a scheduler over a store knew of the last result.
    if (this.#state === draining || this.#state.kind === 'stopping') await this.stop();
  }

  async #stop(listener: Listener): Promise<void> {
    this.#scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'The master was stopped'));
    // In this order: nobody new, then those who are here, then the server that they used.
    const stopped = listener.stop();
    await this.#sessions.endAll(CloseCode.goingAway, 'The master was stopped');
    await stopped;
    this.#address = undefined;
    this.#state = { kind: 'stopped' };
    this.#events.end();
  }

  #createDoor(): Door {
    const { rules, logger } = this.#options;
    const { clock } = this.#environment;
    return new Door(rules, clock, logger, {
      refused: (address, { status, reason }) => this.#sessions.refused(status, reason, address),
      banned: (address, reason, durationMs) => {
        const until = clock.epochNow() + durationMs;
        this.#events.emit({ type: 'addressBanned', address, reason, until });
      },
    });
  }

  #createListener(): Listener {
    return this.#environment.createListener(
      { ...this.#options, door: this.#door },
      {
        connected: (adopt, guest) => this.#sessions.accept(adopt, guest),
        listening: (address) => {
          this.#address = address;
          this.#events.emit({ type: 'listening', address });
        },
        failed: (error) => {
          this.#address = undefined;
          this.#events.emit({ type: 'error', error });
        },
      },
    );
  }

  #logEvents(): void {
    const { logger } = this.#options;
    this.#events.on('listening', ({ address }) => logger.info(`Listening on ${address.host}:${address.port}`));
    this.#events.on('error', ({ error }) => logger.error(error.message));
    this.#events.on('workerConnected', ({ worker }) => logger.info(`${worker.name} (${worker.id}) connected`));
    this.#events.on('workerInterrupted', ({ worker, code, reason }) =>
      logger.info(`${worker.name} (${worker.id}) lost its connection: ${code} ${reason}`),
    );
    this.#events.on('workerResumed', ({ worker }) => logger.info(`${worker.name} (${worker.id}) is back`));
    this.#events.on('workerDisconnected', ({ worker, code, reason }) =>
      logger.info(`${worker.name} (${worker.id}) disconnected: ${code} ${reason}`),
    );
    this.#events.on('connectionRefused', ({ address, code, reason }) =>
      logger.warn(`Connection from ${address || 'an unknown address'} refused: ${code} ${reason}`),
    );
    this.#events.on('addressBanned', ({ address, reason }) => logger.warn(`${address} is banned: ${reason}`));
  }
}

/** The real environment. */
const systemEnvironment: MasterEnvironment = { clock: systemClock, secret: systemSecret, createListener };

function createListener(options: ListenOptions, { connected, listening, failed }: ListenEvents): Listener {
  const { server, path, host, port, maxFrameBytes, listenTimeout, helloTimeout, door } = options;
  const events: ListenerEvents = {
    connected: (socket, guest) => connected((socketListener) => socket.tell(socketListener), guest),
    listening,
    failed,
  };
  const upgrades = { path, maxFrameBytes, door };
  if (server !== undefined) return new AttachedListener(server, upgrades, events);
  const own = { ...upgrades, host, port, retryMs: listenTimeout, upgradeTimeoutMs: helloTimeout };
  return new PortListener(own, systemClock, events);
}
