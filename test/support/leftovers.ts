// What a test leaves behind in its process: sockets, servers, threads, child processes, timers, listeners, and errors that
// nobody caught.
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import { Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Worker as Thread } from 'node:worker_threads';
import { beforeEach, onTestFinished } from 'vitest';

const LOOK_MS = 5;

/** From now on, each test of this file fails if anything that it made is still there so long after its end. */
export function failOnLeftovers(patienceMs: number): void {
  const leftovers = new Leftovers();
  beforeEach(() => {
    leftovers.begin();
    // The first that is registered is the last that is called: what the test itself has for its end comes before.
    onTestFinished(async () => {
      const endsAtMs = performance.now() + patienceMs;
      for (let left = leftovers.list(); left.length > 0; left = leftovers.list()) {
        if (performance.now() > endsAtMs) throw new Error(`The test has left behind:\n- ${left.join('\n- ')}`);
        await wait(LOOK_MS);
      }
    });
  });
}

/** Something that was made while the watch was on, and how to see that it is gone. */
interface Made {
  readonly what: string;
  /** Where it was made. */
  readonly trace: Error;
  readonly isGone: () => boolean;
}

/** How many listeners there are for each event. */
type ListenerCounts = ReadonlyMap<string | symbol, number>;

interface Before {
  readonly resources: ReadonlyMap<string, number>;
  readonly processListeners: ListenerCounts;
}

/** Of all that is made, Node tells by these channels. */
interface Channels {
  readonly 'net.client.socket': { readonly socket: Socket };
  readonly 'net.server.socket': { readonly socket: Socket };
  readonly worker_threads: { readonly worker: Thread };
  readonly child_process: { readonly process: ChildProcess };
}

function onMade<Name extends keyof Channels>(name: Name, listener: (made: Channels[Name]) => void): void {
  // What these channels carry is documented by Node.
  subscribe(name, (message) => listener(message as Channels[Name]));
}

/** Sees all that is made in this process from its construction on; there is to be one, as it is never switched off. */
class Leftovers {
  #made: Made[] = [];
  /** Servers that listen or have listened since {@link begin}, with the listeners that they had then. */
  readonly #servers = new Map<Server, ListenerCounts>();
  readonly #errors: string[] = [];
  #before: Before = { resources: new Map(), processListeners: new Map() };

  constructor() {
    onMade('net.client.socket', ({ socket }) => this.#add('a socket to a server', () => socket.closed));
    onMade('net.server.socket', ({ socket }) => this.#add('a socket of a server', () => socket.closed));
    onMade('worker_threads', ({ worker }) => this.#add('a thread', () => worker.threadId === -1));
    onMade('child_process', ({ process: child }) => this.#add('a child process', () => hasEnded(child)));
    this.#watchServers();
    this.#watchTimers();
    process.on('uncaughtException', (error) =>
      this.#errors.push(`an exception that nobody caught: ${describe(error)}`),
    );
    process.on('unhandledRejection', (error) =>
      this.#errors.push(`a rejection that nobody caught: ${describe(error)}`),
    );
  }

  /** From now on, all that is made counts. */
  begin(): void {
    this.#made = [];
    this.#servers.clear();
    this.#errors.length = 0;
    this.#before = { resources: activeResources(), processListeners: listenerCounts(process) };
  }

  /** All that is there and was not when it began. */
  list(): string[] {
    const made = this.#made
      .filter(({ isGone }) => !isGone())
      .map(({ what, trace }) => `${what}, made ${placeOf(trace)}`);
    const servers = [...this.#servers].flatMap(([server, before]) =>
      more(before, listenerCounts(server)).map((event) => `a listener of a server for ${event}`),
    );
    const resources = more(this.#before.resources, activeResources()).map((type) => `an active resource: ${type}`);
    const listeners = more(this.#before.processListeners, listenerCounts(process));
    return [
      ...this.#errors,
      ...made,
      ...servers,
      ...resources,
      ...listeners.map((event) => `a listener of the process for ${event}`),
    ];
  }

  #add(what: string, isGone: () => boolean): void {
    this.#made.push({ what, trace: new Error(), isGone });
  }

  /** No channel of Node 20 tells of one that listens. */
  #watchServers(): void {
    const leftovers = this;
    const { listen } = Server.prototype;
    const watched = function (this: Server, ...parameters: Parameters<Server['listen']>): Server {
      if (!leftovers.#servers.has(this)) {
        leftovers.#servers.set(this, listenerCounts(this));
        leftovers.#add('a server that listens', () => !this.listening);
      }
      return listen.apply(this, parameters);
    };
    Object.assign(Server.prototype, { listen: watched });
  }

  /** Those that keep nothing alive, too. The test's runner has taken the functions for its own timers before. */
  #watchTimers(): void {
    const watched = <F extends typeof setTimeout | typeof setInterval>(make: F): F =>
      // Beside what it does, it has properties.
      new Proxy(make, {
        apply: (_target, _this, parameters: Parameters<F>) => {
          const timer: unknown = Reflect.apply(make, globalThis, parameters);
          this.#add('a timer', () => Reflect.get(Object(timer), '_destroyed') === true);
          return timer;
        },
      });
    globalThis.setTimeout = watched(globalThis.setTimeout);
    globalThis.setInterval = watched(globalThis.setInterval);
  }
}

/** Or has never begun. */
const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null;

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

function activeResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

function listenerCounts(emitter: EventEmitter): ListenerCounts {
  return new Map(emitter.eventNames().map((name) => [name, emitter.listenerCount(name)]));
}

/** What there is more of, with how many. */
function more<K extends string | symbol>(before: ReadonlyMap<K, number>, after: ReadonlyMap<K, number>): string[] {
  return [...after]
    .map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .map(([key, count]) => `${String(key)}, ${count} more`);
}

/** The first line of this project on the stack, which Node and its packages are not. */
function placeOf({ stack }: Error): string {
  const lines = stack?.split('\n') ?? [];
  const line = lines.find((each) => /\/(src|dist|test)\//.test(each) && !/node_modules|leftovers\.ts/.test(each));
  return line?.trim() ?? 'by Node itself';
}
