// The listening server: one of our own on a port, or one that the user has already.
import { createServer, IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { TaskdistError } from '../errors.ts';
import { refuse } from '../options.ts';
import type { Clock } from '../ports.ts';
import { isTaskdistSubprotocol, SUBPROTOCOLS } from '../protocol/codec.ts';
import type { Listener } from './environment.ts';
import type { MasterAddress } from './events.ts';
import type { UpgradeServer } from './upgrade-server.ts';

/** What comes of listening. */
export interface ListenerEvents {
  connected(webSocket: WebSocket): void;
  listening(address: MasterAddress): void;
  failed(error: TaskdistError): void;
}

/** Completes the upgrade of requests for one path. */
class Upgrader {
  readonly #webSockets: WebSocketServer;
  readonly #path: string;
  readonly #connected: (webSocket: WebSocket) => void;

  constructor(path: string, maxFrameBytes: number, connected: (webSocket: WebSocket) => void) {
    this.#path = path;
    this.#connected = connected;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: maxFrameBytes,
      // Tasks and results are small or binary, and deflate costs each socket memory.
      perMessageDeflate: false,
      handleProtocols: chooseSubprotocol,
    });
  }

  isFor(request: IncomingMessage): boolean {
    return request.url?.split('?', 1)[0] === this.#path;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#connected(webSocket));
  }
}

/**
 * A client of another version is let in far enough to be told so with a close code: a handshake that fails says
 * nothing to a browser.
 */
function chooseSubprotocol(offered: Set<string>): string | false {
  const known = SUBPROTOCOLS.find((subprotocol) => offered.has(subprotocol));
  return known ?? [...offered].find(isTaskdistSubprotocol) ?? false;
}

function answer(socket: Duplex, status: number): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
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

  constructor(server: UpgradeServer, path: string, maxFrameBytes: number, events: ListenerEvents) {
    this.#server = server;
    this.#path = path;
    this.#upgrader = new Upgrader(path, maxFrameBytes, (webSocket) => events.connected(webSocket));
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

/** Where and how to listen. */
export interface PortOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly maxFrameBytes: number;
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
    this.#upgrader = new Upgrader(options.path, options.maxFrameBytes, (webSocket) => events.connected(webSocket));
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
    const { host, port } = this.#options;
    const server = createServer((_request, response) => {
      response.writeHead(426, { 'Content-Type': 'text/plain' });
      response.end('This is a taskdist master: connect with WebSocket.\n');
    });
    this.#state = { kind: 'serving', server, stopped: failed };
    server.on('upgrade', (request, socket, head) => {
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
