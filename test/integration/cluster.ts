// A master and workers on loopback for one test, stopped when it ends.
import { once } from 'node:events';
import {
  FifoScheduler,
  type FifoSchedulerOptions,
  Master,
  type MasterEvent,
  type MasterOptions,
  type TaskFunction,
  type TaskHandler,
  Worker,
  type WorkerEvent,
  type WorkerOptions,
} from 'taskdist';
import { onTestFinished } from 'vitest';
import WebSocket from 'ws';
import './nothing-left.ts';

/** Resolves to the next event of this type. */
export function nextWorkerEvent<T, R, Type extends WorkerEvent<T>['type']>(
  worker: Worker<T, R>,
  type: Type,
): Promise<Extract<WorkerEvent<T>, { type: Type }>> {
  return new Promise((resolve) => {
    const off = worker.on(type, (event) => {
      off();
      resolve(event);
    });
  });
}

/** Resolves to the next event of this type. */
export function nextMasterEvent<T, R, Type extends MasterEvent<T>['type']>(
  master: Master<T, R>,
  type: Type,
): Promise<Extract<MasterEvent<T>, { type: Type }>> {
  return new Promise((resolve) => {
    const off = master.on(type, (event) => {
      off();
      resolve(event);
    });
  });
}

/** A master that listens on a port of its own choice. */
export class Cluster<T, R> {
  readonly scheduler: FifoScheduler<T, R>;
  readonly master: Master<T, R>;

  constructor(options: MasterOptions = {}, schedulerOptions: FifoSchedulerOptions = {}) {
    this.scheduler = new FifoScheduler<T, R>(schedulerOptions);
    this.master = new Master(this.scheduler, { port: 0, ...options });
    onTestFinished(() => this.master.stop());
  }

  static async start<T, R>(options?: MasterOptions, schedulerOptions?: FifoSchedulerOptions): Promise<Cluster<T, R>> {
    const cluster = new Cluster<T, R>(options, schedulerOptions);
    await cluster.master.start();
    return cluster;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.master.address?.port}/`;
  }

  /** A worker that has been welcomed. */
  async join(handler: TaskHandler<T, R> | TaskFunction<T, R>, options: WorkerOptions<T> = {}): Promise<Worker<T, R>> {
    const worker = new Worker<T, R>(handler, { url: this.url, ...options });
    onTestFinished(() => worker.stop());
    await worker.start();
    return worker;
  }

  /** A client that speaks whatever the test makes it say; it has said nothing yet. */
  async connectRaw(subprotocol = 'taskdist.v1.json'): Promise<RawClient> {
    const socket = new WebSocket(this.url, subprotocol === '' ? [] : [subprotocol]);
    const client = new RawClient(socket);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    return client;
  }
}

/** A WebSocket whose messages and end can be awaited. */
export class RawClient {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #messages: unknown[][] = [];
  readonly #waiters: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      this.#messages.push(...JSON.parse(data.toString()));
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  send(...messages: unknown[]): void {
    this.socket.send(JSON.stringify(messages));
  }

  hello(overrides: object = {}): void {
    this.send([0, { version: 1, name: 'raw', platform: 'test', concurrency: 1, prefetch: 0, ...overrides }]);
  }

  /** The next message of this type; those of other types before it are dropped. */
  async next(type: number): Promise<unknown[]> {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined) await new Promise<void>((resolve) => this.#waiters.push(resolve));
      else if (message[0] === type) return message;
    }
  }
}

/** A promise and how to settle it. */
export function gate<V = void>(): { promise: Promise<V>; open: (value: V) => void } {
  let open!: (value: V) => void;
  const promise = new Promise<V>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
