// A master in the test's process, the server of the page that works for it, and what both have seen.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  FifoScheduler,
  type FifoSchedulerOptions,
  Master,
  type MasterEvent,
  type MasterOptions,
  type PutOptions,
  Worker,
} from 'taskdist';
import type { FaultResult, FaultTask } from '../page/task.ts';
import type { PageFiles } from './page-files.ts';

type EventType = MasterEvent<FaultTask>['type'];
type Told<Type extends EventType> = Extract<MasterEvent<FaultTask>, { type: Type }> & { readonly atMs: number };

const FOLLOWED = [
  'workerConnected',
  'workerDisconnected',
  'workerInterrupted',
  'workerResumed',
  'attemptStarted',
  'progress',
  'attemptEnded',
] as const;

/** Another page of the same site, which has nothing to do with tasks. */
const ELSEWHERE = '<!doctype html><title>Elsewhere</title><link rel="icon" href="data:," />';

/** With these a page may share memory with its threads. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

export class Cluster {
  readonly scheduler: FifoScheduler<FaultTask, unknown>;
  readonly master: Master<FaultTask, unknown>;
  /** The sockets below the WebSockets, in the order in which they came. */
  readonly #sockets: Duplex[] = [];
  readonly #server: Server;
  readonly #events: Told<EventType>[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #helpers: Worker<FaultTask, FaultResult>[] = [];

  constructor(files: PageFiles, masterOptions: MasterOptions, schedulerOptions: FifoSchedulerOptions = {}) {
    this.#server = createServer(({ url = '/', headers }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://localhost');
      const file = pathname === '/elsewhere' ? { type: 'text/html', body: ELSEWHERE } : files.get(pathname);
      const isIsolated = searchParams.has('isolated') || headers.referer?.includes('isolated') === true;
      response.writeHead(file === undefined ? 404 : 200, {
        'content-type': file?.type ?? 'text/plain',
        ...(isIsolated ? ISOLATED : {}),
      });
      response.end(file?.body);
    });
    this.#server.on('upgrade', (_request, socket) => this.#sockets.push(socket));
    this.scheduler = new FifoScheduler(schedulerOptions);
    this.master = new Master(this.scheduler, { server: this.#server, path: '/taskdist', ...masterOptions });
    for (const type of FOLLOWED) {
      this.master.on(type, (event) => {
        this.#events.push({ ...event, atMs: performance.now() });
        for (const listener of this.#listeners) listener();
      });
    }
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    await this.master.start();
  }

  async stop(): Promise<void> {
    await this.stopHelpers();
    await this.master.stop();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Another page of the same site. */
  get elsewhere(): string {
    return `http://localhost:${this.port}/elsewhere`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  put(task: FaultTask, options?: PutOptions): Promise<unknown> {
    const settled = this.scheduler.put(task, options);
    // Whoever waits for it, later, hears of it all the same.
    settled.catch(() => {});
    return settled;
  }

  /** Puts so many tasks that hold until their gates are opened. */
  putHolds(count: number): Promise<unknown>[] {
    return Array.from({ length: count }, (_, n) => this.put({ type: 'hold', gate: `gate ${n}` }));
  }

  putSquares(count: number): Promise<unknown>[] {
    return Array.from({ length: count }, (_, n) => this.put({ type: 'square', n }));
  }

  /** The attempts that have ended so. */
  outcomes(outcome: Told<'attemptEnded'>['outcome']): Told<'attemptEnded'>[] {
    return this.all('attemptEnded').filter((event) => event.outcome === outcome);
  }

  /** The keys of the tasks that this worker was given. */
  keysHeldBy(workerId: string): string[] {
    return this.all('attemptStarted').flatMap(({ worker, key }) => (worker.id === workerId ? [key] : []));
  }

  /** Pings the page below the protocol, as WebSockets do; resolves when the browser has answered. */
  async pingSocket(index: number): Promise<void> {
    const socket = this.#sockets[index];
    if (socket === undefined) throw new Error(`There is no socket ${index}`);
    const ponged = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk[0] === 0x8a) resolve();
      });
    });
    socket.write(Buffer.from([0x89, 0]));
    await ponged;
  }

  /** All that the master told of this type, so far. */
  all<Type extends EventType>(type: Type): Told<Type>[] {
    return this.#events.filter((event): event is Told<Type> => event.type === type);
  }

  /** What the master tells of this type, the first time or a later one. */
  async told<Type extends EventType>(type: Type, times = 1): Promise<Told<Type>> {
    for (;;) {
      const event = this.all(type)[times - 1];
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  async stopHelpers(): Promise<void> {
    await Promise.all(this.#helpers.map((helper) => helper.stop()));
  }

  /** A worker in the test's own process, which holds at no gate. */
  async startHelper(): Promise<void> {
    const helper = new Worker<FaultTask, FaultResult>((task) => ({ by: 'helper', value: task.type }), {
      url: `ws://127.0.0.1:${this.port}/taskdist`,
      name: 'helper',
    });
    this.#helpers.push(helper);
    await helper.start();
  }
}
