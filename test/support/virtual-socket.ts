// A network in memory: WebSockets as the library sees them, whose latency and faults are the test's to choose.
import type { Clock, Connect, Frame, Socket, SocketListener } from '../../src/ports.ts';

/** Takes a connection that was made; the shape of `Sessions.accept`. */
export type Accept = (adopt: (listener: SocketListener) => Socket) => void;

/** How a {@link VirtualNetwork} behaves. */
export interface VirtualNetworkOptions {
  /** How long a packet travels, in milliseconds; every link can be given another. @defaultValue 5 */
  readonly latencyMs?: number;
  /** How long a side that closes waits for the peer to say the same, in milliseconds. @defaultValue 30000, as `ws` */
  readonly closeTimeoutMs?: number;
}

/** What the server makes of the subprotocols it is offered; undefined: it takes none of them. */
export type ChooseSubprotocol = (offered: readonly string[]) => string | undefined;

/** Which way packets go: `up` from the client to the server. */
export type Direction = 'up' | 'down';

/**
 * One server and any number of clients. Frames arrive in order, copied, binary ones as an ArrayBuffer. A failed or
 * broken connection is told as 1006, and a close as the code and reason of the side that closed.
 */
export class VirtualNetwork {
  /** Every connection ever tried, the oldest first. */
  readonly links: VirtualLink[] = [];
  /** While true, nobody answers a client that connects: neither opened nor refused. */
  isSilent = false;
  /** For connections to come. */
  latencyMs: number;
  readonly #closeTimeoutMs: number;
  #server: { readonly clock: Clock; readonly accept: Accept; readonly choose: ChooseSubprotocol } | undefined;

  constructor({ latencyMs = 5, closeTimeoutMs = 30_000 }: VirtualNetworkOptions = {}) {
    this.latencyMs = latencyMs;
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  /** Accepts connections from now on; without a server they are refused. Returns how to stop that. */
  listen(clock: Clock, accept: Accept, choose: ChooseSubprotocol = (offered) => offered[0]): () => void {
    const server = { clock, accept, choose };
    this.#server = server;
    return () => {
      if (this.#server === server) this.#server = undefined;
    };
  }

  /** How a client connects that lives by this clock. */
  connectorOf(clock: Clock): Connect {
    return (url, subprotocols, listener) => {
      const link = new VirtualLink(url, clock, listener, this.latencyMs, this.#closeTimeoutMs);
      this.links.push(link);
      if (!this.isSilent) link.dial(subprotocols, () => this.#server);
      return link.client;
    };
  }

  /** The connections that are up. */
  get openLinks(): VirtualLink[] {
    return this.links.filter((link) => link.isOpen);
  }

  /** The connection made last. @throws if there is none */
  get lastLink(): VirtualLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('Nobody has connected');
    return link;
  }
}

/** One connection, with both its ends. */
export class VirtualLink {
  readonly url: string;
  readonly client: VirtualSocket;
  server: VirtualSocket | undefined = undefined;
  latencyMs: number;
  readonly #closeTimeoutMs: number;
  readonly #lost = { up: false, down: false };
  /** When the last packet arrives, each way: a later one does not overtake it. */
  readonly #arrivesMs = { up: 0, down: 0 };

  constructor(url: string, clock: Clock, listener: SocketListener, latencyMs: number, closeTimeoutMs: number) {
    this.url = url;
    this.latencyMs = latencyMs;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.client = this.#createSocket('up', clock, listener);
  }

  get isOpen(): boolean {
    return this.client.state === 'open' && this.server?.state === 'open';
  }

  /** The handshake: a packet to the server, and one back. */
  dial(subprotocols: readonly string[], server: () => Parameters<VirtualLink['accept']>[0] | undefined): void {
    this.#travel('up', this.client.clock, () => {
      const found = server();
      const chosen = found?.choose(subprotocols);
      // A client that offered some gives up if none is taken.
      if (found === undefined || (chosen === undefined && subprotocols.length > 0)) {
        this.#travel('down', this.client.clock, () => this.client.settleClosed(1006, ''));
        return;
      }
      // First, so that what the server sends at once comes after it.
      this.#travel('down', this.client.clock, () => this.client.settleOpen(chosen ?? ''));
      this.accept(found, chosen ?? '');
    });
  }

  accept(
    { clock, accept }: { readonly clock: Clock; readonly accept: Accept; readonly choose: ChooseSubprotocol },
    subprotocol: string,
  ): void {
    if (this.client.state === 'closed') return;
    accept((listener) => {
      this.server = this.#createSocket('down', clock, listener);
      this.server.settleOpen(subprotocol);
      return this.server;
    });
  }

  /** Packets vanish from now on, those on their way too; neither end is told. `both` is a half-open connection. */
  drop(direction: Direction | 'both' = 'both'): void {
    if (direction !== 'down') this.#lost.up = true;
    if (direction !== 'up') this.#lost.down = true;
  }

  /** The connection breaks, and both ends learn of it: a cable pulled, a process killed. What was on its way is lost. */
  reset(): void {
    this.drop();
    for (const socket of [this.client, this.server]) socket?.clock.soon(() => socket.settleClosed(1006, ''));
  }

  #createSocket(direction: Direction, clock: Clock, listener: SocketListener): VirtualSocket {
    return new VirtualSocket(
      clock,
      listener,
      direction === 'up' ? 'client' : 'server',
      this.#closeTimeoutMs,
      (deliver) => {
        const peer = (): VirtualSocket | undefined => (direction === 'up' ? this.server : this.client);
        this.#travel(direction, peer()?.clock ?? clock, () => {
          const to = peer();
          if (to !== undefined) deliver(to);
        });
      },
    );
  }

  #travel(direction: Direction, receiver: Clock, arrive: () => void): void {
    if (this.#lost[direction]) return;
    const arrivesMs = Math.max(receiver.now() + this.latencyMs, this.#arrivesMs[direction]);
    this.#arrivesMs[direction] = arrivesMs;
    receiver.setTimer(arrivesMs - receiver.now(), () => {
      if (!this.#lost[direction]) arrive();
    });
  }
}

/** What can be sent to the other end of a link. */
type Deliver = (deliver: (peer: VirtualSocket) => void) => void;

/** One end of a connection. The methods named `settle…` and `receive…` are the network's. */
export class VirtualSocket implements Socket {
  state: 'connecting' | 'open' | 'closing' | 'closed' = 'connecting';
  subprotocol = '';
  readonly clock: Clock;
  /** What was sent through it, the oldest first. */
  readonly sent: Frame[] = [];
  /** Whether the peer reads nothing, so that all that is sent stays in this process. */
  #isStalled = false;
  #stalled: (() => void)[] = [];
  bufferedBytes = 0;
  readonly #listener: SocketListener;
  readonly #side: 'client' | 'server';
  readonly #closeTimeoutMs: number;
  readonly #toPeer: Deliver;
  #cancelCloseTimer: () => void = () => {};

  constructor(
    clock: Clock,
    listener: SocketListener,
    side: 'client' | 'server',
    closeTimeoutMs: number,
    toPeer: Deliver,
  ) {
    this.clock = clock;
    this.#listener = listener;
    this.#side = side;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#toPeer = toPeer;
  }

  send(frame: Frame): void {
    if (this.state === 'connecting') throw new Error('The socket is not open yet');
    if (this.state !== 'open') return;
    // Copied: what the sender does with its bytes afterwards does not matter.
    const copy = typeof frame === 'string' ? frame : frame.slice();
    this.sent.push(copy);
    const leave = (): void => this.#toPeer((peer) => peer.receive(typeof copy === 'string' ? copy : copy.buffer));
    if (this.#isStalled) {
      this.#stalled.push(leave);
      this.bufferedBytes += copy.length;
    } else {
      leave();
    }
  }

  /** The peer reads nothing any more. */
  stall(): void {
    this.#isStalled = true;
  }

  /** The peer reads again: what was sent leaves, and unless this is a browser's socket, that is told. */
  flow(isTold = true): void {
    this.#isStalled = false;
    this.bufferedBytes = 0;
    for (const leave of this.#stalled.splice(0)) leave();
    if (isTold) this.#listener.drained();
  }

  close(code: number, reason: string): void {
    expectCloseArguments(this.#side, code, reason);
    if (this.state === 'connecting') {
      this.terminate();
      return;
    }
    if (this.state !== 'open') return;
    this.state = 'closing';
    this.#toPeer((peer) => peer.receiveClose(code, reason));
    this.#cancelCloseTimer = this.clock.setTimer(this.#closeTimeoutMs, () => this.settleClosed(1006, ''));
  }

  terminate(): void {
    if (this.state === 'closed') return;
    this.state = 'closing';
    this.#toPeer((peer) => peer.settleClosed(1006, ''));
    this.clock.soon(() => this.settleClosed(1006, ''));
  }

  settleOpen(subprotocol: string): void {
    if (this.state !== 'connecting') return;
    this.state = 'open';
    this.subprotocol = subprotocol;
    // A server's socket is open when it is accepted.
    if (this.#side === 'client') this.#listener.opened();
  }

  settleClosed(code: number, reason: string): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#cancelCloseTimer();
    this.#listener.closed(code, reason);
  }

  /** A frame arrives; while this end is closing too, until it has heard the peer's close. */
  receive(frame: unknown): void {
    if (this.state === 'open' || this.state === 'closing') this.#listener.received(frame);
  }

  /** The peer closes: answered with the same, unless this is the answer. */
  receiveClose(code: number, reason: string): void {
    if (this.state === 'closed') return;
    if (this.state === 'open') this.#toPeer((peer) => peer.receiveClose(code, reason));
    this.settleClosed(code, reason);
  }
}

/** What a WebSocket throws on: a browser for the client, `ws` for the server. */
function expectCloseArguments(side: 'client' | 'server', code: number, reason: string): void {
  const isStandard =
    side === 'client' ? code === 1000 : code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  if (!isStandard && !(code >= 3000 && code <= 4999)) throw new RangeError(`Close code ${code} cannot be sent`);
  if (new TextEncoder().encode(reason).length > 123) throw new RangeError('The close reason is longer than 123 bytes');
}
