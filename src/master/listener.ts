// The listening server: one of our own on a port, or one that the user has already.
import { createServer, IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { Duplex } from 'node:stream';
import { type Server as SocketServer, WebSocketServer } from 'ws';
import { TaskdistError } from '../errors.ts';
import { refuse } from '../options.ts';
import { AcceptedSocket } from '../platform/accepted-socket.ts';
import type { Clock } from '../ports.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { isTaskdistSubprotocol, SUBPROTOCOLS } from '../protocol/codec.ts';
import { Limits } from '../protocol/decode.ts';
import type { ConnectionRequest } from './authentication.ts';
import { type Door, Refusal } from './door.ts';
import type { Listener } from './environment.ts';
import type { MasterAddress } from './events.ts';
import type { Guest } from './guest.ts';
import type { UpgradeServer } from './upgrade-server.ts';

/** What comes of listening. */
export interface ListenerEvents {
  connected(socket: AcceptedSocket, guest: Guest): void;
  listening(address: MasterAddress): void;
  failed(error: TaskdistError): void;
}

/** What upgrades are made of. */
export interface UpgradeOptions {
  readonly path: string;
  readonly maxFrameBytes: number;
  readonly door: Door;
}

/**
 * A message may come in so many fragments, and a fragment in so many chunks, as each costs memory beside its bytes: browsers send a
 * large message in fragments, of what they have at hand, and a network in packets.
 */
const BYTES_PER_FRAGMENT = 1024;
const BYTES_PER_CHUNK = 128;

/** How long a peer may take to answer the closing handshake, where `ws` has begun it. */
const CLOSE_TIMEOUT_MS = 1000;

/** A hello, and as much again for what else may be said before the welcome, and for what WebSocket adds. */
const MAX_BYTES_BEFORE_WELCOME = 2 * Limits.frameBytes;

/** Completes the upgrade of requests for one path. */
class Upgrader {
  readonly #webSockets: SocketServer<typeof AcceptedSocket>;
  readonly #path: string;
  readonly #door: Door;
  readonly #connected: (socket: AcceptedSocket, guest: Guest) => void;

  constructor(options: UpgradeOptions, connected: (socket: AcceptedSocket, guest: Guest) => void) {
    const { path, maxFrameBytes, door } = options;
    this.#path = path;
    this.#door = door;
    this.#connected = connected;
    // Not written into the call, as the types do not know all of them yet.
    const settings = {
      noServer: true,
      WebSocket: AcceptedSocket,
      clientTracking: false,
      maxPayload: maxFrameBytes,
      maxFragments: Math.ceil(maxFrameBytes / BYTES_PER_FRAGMENT),
      maxBufferedChunks: Math.ceil(maxFrameBytes / BYTES_PER_CHUNK),
      closeTimeout: CLOSE_TIMEOUT_MS,
      // Answered where it is known whether anybody reads it.
      autoPong: false,
      // Tasks and results are small or binary, and deflate costs each socket memory.
      perMessageDeflate: false,
      handleProtocols: chooseSubprotocol,
    };
    this.#webSockets = new WebSocketServer(settings);
  }

  isFor(request: IncomingMessage): boolean {
    return request.url?.split('?', 1)[0] === this.#path;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const guest = this.#door.knock(describe(request), request.headers.host);
    if (guest instanceof Refusal) {
      answer(socket, guest.status, guest.retryAfterMs);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (accepted) => {
      this.#door.enter(guest);
      this.#connected(accepted, guest);
      // After the listeners of `ws`: what a chunk says has been heard by then.
      socket.on('data', limitUntilLetIn(socket, guest));
    });
  }
}

/** Cuts off who sends too much before it is let in: until then, nobody needs to hold a whole frame for it. */
function limitUntilLetIn(socket: Duplex, guest: Guest): (chunk: Buffer) => void {
  let bytes = 0;
  return function count(chunk) {
    bytes += chunk.length;
    if (guest.connection !== undefined && bytes <= MAX_BYTES_BEFORE_WELCOME) return;
    socket.off('data', count);
    guest.connection?.dismiss(
      CloseCode.frameTooLarge,
      `More than ${MAX_BYTES_BEFORE_WELCOME} bytes before the welcome`,
    );
  };
}

function describe({ socket, headers, url = '/' }: IncomingMessage): ConnectionRequest {
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return {
    address: socket.remoteAddress ?? '',
    origin: headers.origin,
    headers: Object.fromEntries(texts),
    url,
  };
}

/**
 * A client of another version is let in far enough to be told so with a close code: a handshake that fails says
 * nothing to a browser.
 */
function chooseSubprotocol(offered: Set<string>): string | false {
  const known = SUBPROTOCOLS.find((subprotocol) => offered.has(subprotocol));
  return known ?? [...offered].find(isTaskdistSubprotocol) ?? false;
}

function answer(socket: Duplex, status: number, retryAfterMs?: number): void {
  const retryAfter = retryAfterMs === undefined ? '' : `Retry-After: ${Math.ceil(retryAfterMs / 1000)}\r\n`;
  socket.on('error', () => socket.destroy());
  // Whoever asked may never close its half.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${retryAfter}Connection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

/** Which listeners are attached to which server. */
const attached = new WeakMap<object, Map<string, AttachedListener>>();

/** Attaches to a server of the user's, which stays theirs: it is neither opened nor closed here. */
export class AttachedListener implements Listener {
  readonly #server: UpgradeServer;
  readonly #path: string;
  readonly #upgrader: Upgrader;
  readonly #onUpgrade = (request: unknown, socket: unknown, head: unknown): void => {
    // Always so; said for the compiler, as the public type of a server must not need Node's types.
    if (!(request instanceof IncomingMessage && socket instanceof Duplex && Buffer.isBuffer(head))) return;
    if (this.#upgrader.isFor(request)) this.#upgrader.upgrade(request, socket, head);
    else if (this.#isLastResort(request)) answer(socket, 404);
  };

  constructor(server: UpgradeServer, options: UpgradeOptions, events: ListenerEvents) {
    this.#server = server;
    this.#path = options.path;
    this.#upgrader = new Upgrader(options, (socket, guest) => events.connected(socket, guest));
  }

  start(): Promise<void> {
    const listeners = attached.get(this.#server) ?? new Map<string, AttachedListener>();
    if (listeners.has(this.#path)) refuse('path', 'one that no other master on this server has', this.#path);
    listeners.set(this.#path, this);
    attached.set(this.#server, listeners);
    this.#server.on('upgrade', this.#onUpgrade);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    const listeners = attached.get(this.#server);
    if (listeners?.get(this.#path) === this) listeners.delete(this.#path);
    this.#server.off('upgrade', this.#onUpgrade);
  }

  /**
   * Whether this one must answer for a path that no master has. Not if another listener may know it; but if all are
   * ours, the last of them must, or nobody ever would.
   */
  #isLastResort(request: IncomingMessage): boolean {
    const listeners = [...(attached.get(this.#server)?.values() ?? [])];
    if (listeners.at(-1) !== this || listeners.some((each) => each.#upgrader.isFor(request))) return false;
    return this.#server.listenerCount('upgrade') === listeners.length;
  }
}

/** How often the server looks for connections that have not asked for anything in time. */
const MAX_CHECKING_INTERVAL_MS = 1000;

/** Where and how to listen. */
export interface PortOptions extends UpgradeOptions {
  readonly host: string;
  readonly port: number;
  /** How long a connection may take to ask for its upgrade. */
  readonly upgradeTimeoutMs: number;
  /** How long after a failure the server is made anew. */
  readonly retryMs: number;
}

type PortState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'serving'; readonly server: Server; readonly stopped: (error: TaskdistError) => void }
  | { readonly kind: 'waiting'; readonly cancel: () => void };

/** Listens on a port with a server of its own, and makes a new one whenever that fails, until it is stopped. */
export class PortListener implements Listener {
  readonly #options: PortOptions;
  readonly #clock: Clock;
  readonly #events: ListenerEvents;
  readonly #upgrader: Upgrader;
  #state: PortState = { kind: 'stopped' };

  constructor(options: PortOptions, clock: Clock, events: ListenerEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#upgrader = new Upgrader(options, (socket, guest) => events.connected(socket, guest));
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#serve(resolve, reject));
  }

  async stop(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'stopped' };
    if (state.kind === 'waiting') state.cancel();
    if (state.kind !== 'serving') return;
    state.stopped(new TaskdistError('TASKDIST_STOPPED', 'The master was stopped before it listened'));
    await close(state.server);
  }

  #serve(listening: () => void, failed: (error: TaskdistError) => void): void {
    const { host, port, upgradeTimeoutMs, door } = this.#options;
    const timeouts = {
      requestTimeout: upgradeTimeoutMs,
      connectionsCheckingInterval: Math.min(upgradeTimeoutMs, MAX_CHECKING_INTERVAL_MS),
    };
    const server = createServer(timeouts, (_request, response) => {
      // Whoever asks again and again would stay, and be counted nowhere.
      response.writeHead(426, { 'Content-Type': 'text/plain', Connection: 'close' });
      response.end('This is a taskdist master: connect with WebSocket.\n');
    });
    this.#state = { kind: 'serving', server, stopped: failed };
    server.on('connection', (socket) => door.arrive(socket, socket.remoteAddress ?? ''));
    server.on('upgrade', (request, socket, head) => {
      door.asked(socket);
      if (this.#upgrader.isFor(request)) this.#upgrader.upgrade(request, socket, head);
      else answer(socket, 404);
    });
    server.on('listening', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) {
        this.#events.listening({ host: address.address, port: address.port });
      }
      listening();
    });
    server.on('error', (cause) => {
      const error = new TaskdistError('TASKDIST_LISTEN', `Cannot listen on ${host}:${port}: ${cause.message}`, {
        cause,
      });
      this.#retry(server);
      this.#events.failed(error);
      failed(error);
    });
    server.listen(port, host);
  }

  #retry(failed: Server): void {
    if (this.#state.kind !== 'serving' || this.#state.server !== failed) return;
    failed.close();
    const ignore = (): void => {};
    const cancel = this.#clock.setTimer(this.#options.retryMs, () => this.#serve(ignore, ignore));
    this.#state = { kind: 'waiting', cancel };
  }
}

/** Closes a server whose WebSockets are closed already; what is left are plain requests that idle. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
