// A TCP proxy between workers and their master, with the faults of a network that a test chooses.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Which way bytes go. */
export type Direction = 'toMaster' | 'toWorker';

/** What befalls the bytes of connections that are made from now on. */
export interface Faults {
  /** How long each piece is on its way, in milliseconds. */
  readonly latencyMs?: number;
  /** By how much longer at most; the order stays. */
  readonly jitterMs?: number;
  /** Every byte comes alone. */
  readonly isByteByByte?: boolean;
  /** The connection is reset after so many bytes to the master. */
  readonly cutAfterBytes?: number;
}

/** One direction of one connection. Bytes keep their order, and are never lost while the connection lasts. */
class Line {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: Faults;
  /** Where the delay of each piece ends, so that none overtakes another. */
  #lastAtMs = 0;
  #isStopped = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Ends after all that was read before it. */
  #written: Promise<void> = Promise.resolve();

  constructor(from: Socket, to: Socket, faults: Faults) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    from.on('data', (bytes) => this.#pass(() => this.#write(bytes)));
    from.on('end', () => {
      // A socket that is paused tells of its end all the same, if there is nothing before it.
      if (!this.#isStopped) this.#pass(async () => void to.end());
    });
  }

  /** Nobody is told: what is sent waits in the system's buffers, as for packets that are lost and sent again in vain. */
  stop(): void {
    this.#isStopped = true;
    this.#from.pause();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #pass(send: () => Promise<void>): void {
    const { latencyMs = 0, jitterMs = 0 } = this.#faults;
    if (latencyMs + jitterMs === 0) {
      this.#enqueue(send);
      return;
    }
    const nowMs = performance.now();
    this.#lastAtMs = Math.max(this.#lastAtMs, nowMs + latencyMs + Math.random() * jitterMs);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#enqueue(send);
    }, this.#lastAtMs - nowMs);
    this.#timers.add(timer);
  }

  #enqueue(send: () => Promise<void>): void {
    this.#written = this.#written.then(send);
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#faults.isByteByByte !== true) {
      this.#to.write(bytes);
      return;
    }
    for (const byte of bytes) {
      if (this.#to.destroyed) return;
      this.#to.write(Buffer.of(byte));
      // The other side reads in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** One connection of a worker, in both directions. */
class Link {
  readonly #worker: Socket;
  readonly #master: Socket;
  readonly #lines: Readonly<Record<Direction, Line>>;

  constructor(worker: Socket, masterPort: number, faults: Faults, closed: (link: Link) => void) {
    const master = connect({ port: masterPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#worker = worker;
    this.#master = master;
    this.#lines = { toMaster: new Line(worker, master, faults), toWorker: new Line(master, worker, faults) };
    if (faults.cutAfterBytes !== undefined) this.#cutAfter(faults.cutAfterBytes);
    // An error is always followed by `close`.
    worker.on('error', () => {}).on('close', (isFailure) => this.#closed('toMaster', isFailure));
    master.on('error', () => {}).on('close', (isFailure) => this.#closed('toWorker', isFailure));
    worker.once('close', () => {
      if (master.closed) closed(this);
    });
    master.once('close', () => {
      if (worker.closed) closed(this);
    });
  }

  stop(directions: readonly Direction[]): void {
    for (const direction of directions) this.#lines[direction].stop();
  }

  /** Both sides get an RST. */
  reset(): void {
    for (const line of Object.values(this.#lines)) line.end();
    this.#worker.resetAndDestroy();
    this.#master.resetAndDestroy();
  }

  #cutAfter(bytes: number): void {
    let passed = 0;
    this.#worker.on('data', (data) => {
      passed += data.length;
      if (passed >= bytes) this.reset();
    });
  }

  /** One side is gone. If by force, the other hears of it, unless nothing gets through to it; else that is on its way. */
  #closed(direction: Direction, isFailure: boolean): void {
    if (!isFailure || this.#lines[direction].isStopped) return;
    this.reset();
  }
}

/** Listens on a port of its own, and connects whoever comes to a master. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #masterPort: number;
  readonly #links = new Set<Link>();
  /** Who has connected while nobody is accepted. */
  #waiting: Socket[] | undefined = undefined;
  faults: Faults = {};
  /** How many connections it has accepted. */
  accepted = 0;

  private constructor(masterPort: number) {
    this.#masterPort = masterPort;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (worker) => {
      worker.on('error', () => {});
      if (this.#waiting === undefined) this.#accept(worker);
      else this.#waiting.push(worker);
    });
  }

  static async start(masterPort: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(masterPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    onTestFinished(() => {
      proxy.#server.close();
      proxy.resetAll();
    });
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Stops forwarding on all connections that there are, for good, and tells nobody. Others are not concerned. */
  stopForwarding(...directions: readonly Direction[]): void {
    for (const link of this.#links) link.stop(directions);
  }

  /** Resets all connections that there are. */
  resetAll(): void {
    for (const link of this.#links) link.reset();
    for (const socket of this.#waiting ?? []) socket.resetAndDestroy();
  }

  /** From now on, whoever connects is let wait. */
  holdBack(): void {
    this.#waiting ??= [];
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting?.filter((socket) => !socket.destroyed).length ?? 0;
  }

  /** Accepts whoever waits, and whoever comes. */
  accept(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const socket of waiting) this.#accept(socket);
  }

  #accept(worker: Socket): void {
    this.accepted += 1;
    this.#links.add(new Link(worker, this.#masterPort, this.faults, (link) => this.#links.delete(link)));
    worker.resume();
  }
}
