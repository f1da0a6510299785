// A network in memory: WebSockets as the library sees them, whose latency and faults are the program's to choose.
import type { ConnectionRequest } from '../master/authentication.ts';
import type { Clock, Connect, Frame, Random, Socket, SocketListener } from '../ports.ts';
import { type Place, requestOf } from './place.ts';
import { VirtualClock, VirtualProcess } from './virtual-clock.ts';

/** Takes a connection that was made; the shape of `Sessions.accept`. */
export type Accept = (adopt: (listener: SocketListener) => Socket) => void;

/** Judges who wants to connect, to this host; undefined: the connection is refused. */
export type Admit = (request: ConnectionRequest, host: string) => Accept | undefined;

/** What the server makes of the subprotocols it is offered; undefined: it takes none of them. */
export type ChooseSubprotocol = (offered: readonly string[]) => string | undefined;

/** Which way packets go: `up` from the client to the server. */
export type Direction = 'up' | 'down';

/** Which end of a connection. */
export type Side = 'client' | 'server';

/** Who looks on, at either end of every connection. */
export interface WireObserver {
  /** One end says something. */
  sent(link: VirtualLink, from: Side, frame: Frame): void;
  /** One end is about to read something. */
  received(link: VirtualLink, by: Side, frame: Frame): void;
  /** One end closes the connection by itself; 1006 if it cuts it off. */
  ending(link: VirtualLink, by: Side, code: number): void;
  /** One end is about to be told that the connection is over. */
  closed(link: VirtualLink, side: Side, code: number): void;
}

/** Who listens on a port. */
export interface Server {
  readonly clock: Clock;
  readonly admit: Admit;
  readonly choose: ChooseSubprotocol;
  /** Undefined: it takes connections for any path. */
  readonly path: string | undefined;
}

/** The ports of all machines; undefined: whatever else is asked for. */
export type Servers = Map<string | undefined, Server>;

/** How a {@link VirtualNetwork} behaves. */
export interface VirtualNetworkOptions {
  /** How long a packet travels, in milliseconds; every link can be given another. @defaultValue 5 */
  readonly latencyMs?: number;
  /** By how much longer it may take, in milliseconds. @defaultValue 0 */
  readonly jitterMs?: number;
  /** Draws the jitter. @defaultValue none */
  readonly random?: Random;
  /** How long a side that closes waits for the peer to say the same, in milliseconds. @defaultValue 30000, as `ws` */
  readonly closeTimeoutMs?: number;
  /** Networks that share these reach the same servers. @defaultValue its own */
  readonly servers?: Servers;
  /** Where those who connect are. @defaultValue nowhere: they have no address, and are no page */
  readonly place?: Place;
  /** Whether sockets keep all that was sent through them. @defaultValue true */
  readonly isRecording?: boolean;
  readonly observer?: WireObserver | undefined;
}

/**
 * Servers, and clients that are as far away. Frames arrive in order, copied, binary ones as an ArrayBuffer. A failed or
 * broken connection is told as 1006, and a close as the code and reason of the side that closed.
 */
export class VirtualNetwork {
  /** Every connection ever tried, the oldest first. */
  readonly links: VirtualLink[] = [];
  /** While true, nobody answers a client that connects: neither opened nor refused. */
  isSilent = false;
  /** For connections to come. */
  latencyMs: number;
  /** For connections to come. */
  jitterMs: number;
  readonly #options: VirtualNetworkOptions;
  readonly #servers: Servers;

  constructor(options: VirtualNetworkOptions = {}) {
    this.#options = options;
    this.latencyMs = options.latencyMs ?? 5;
    this.jitterMs = options.jitterMs ?? 0;
    this.#servers = options.servers ?? new Map();
  }

  /** Accepts all connections from now on; without a server they are refused. Returns how to stop that. */
  listen(
    clock: Clock,
    accept: Accept,
    choose: ChooseSubprotocol = (offered) => offered[0],
    { port, path }: { readonly port?: string; readonly path?: string } = {},
  ): () => void {
    return this.serve(port, { clock, admit: () => accept, choose, path });
  }

  /** As {@link listen}, by a server that may refuse some. */
  serve(port: string | undefined, server: Server): () => void {
    this.#servers.set(port, server);
    return () => {
      if (this.#servers.get(port) === server) this.#servers.delete(port);
    };
  }

  /** How a client connects that lives by this clock. */
  connectorOf(clock: Clock): Connect {
    return (url, subprotocols, listener) => {
      const { random = () => 0, closeTimeoutMs = 30_000, isRecording = true, place, observer } = this.#options;
      const { latencyMs, jitterMs } = this;
      const line = { latencyMs, jitterMs, random, closeTimeoutMs, isRecording, place, observer };
      const link = new VirtualLink(url, clock, listener, line);
      this.links.push(link);
      if (!this.isSilent) link.dial(subprotocols, () => this.#serverOf(url));
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

  #serverOf(url: string): Server | undefined {
    const { port, pathname } = new URL(url);
    const server = this.#servers.get(port) ?? this.#servers.get(undefined);
    return server?.path === undefined || server.path === pathname ? server : undefined;
  }
}

/** How a link behaves. */
interface Line {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly random: Random;
  readonly closeTimeoutMs: number;
  readonly isRecording: boolean;
  readonly place: Place | undefined;
  readonly observer: WireObserver | undefined;
}

/** What is on its way, or has come and was not read yet. */
interface Packet {
  readonly arrivesMs: number;
  /** Undefined if it is a part of a handshake. */
  readonly frame: Frame | undefined;
}

/** One connection, with both its ends. */
export class VirtualLink {
  readonly url: string;
  readonly client: VirtualSocket;
  server: VirtualSocket | undefined = undefined;
  latencyMs: number;
  jitterMs: number;
  readonly isRecording: boolean;
  readonly observer: WireObserver | undefined;
  readonly #random: Random;
  readonly #closeTimeoutMs: number;
  readonly #place: Place | undefined;
  readonly #lost = { up: false, down: false };
  /** When the last packet arrives, each way: a later one does not overtake it. */
  readonly #arrivesMs = { up: 0, down: 0 };
  readonly #underway: Readonly<Record<Direction, Packet[]>> = { up: [], down: [] };

  constructor(url: string, clock: Clock, listener: SocketListener, line: Line) {
    this.url = url;
    this.latencyMs = line.latencyMs;
    this.jitterMs = line.jitterMs;
    this.isRecording = line.isRecording;
    this.observer = line.observer;
    this.#random = line.random;
    this.#closeTimeoutMs = line.closeTimeoutMs;
    this.#place = line.place;
    this.client = this.#createSocket('client', clock, listener);
  }

  get isOpen(): boolean {
    return this.client.state === 'open' && this.server?.state === 'open';
  }

  /** Whether packets of that direction vanish. */
  loses(direction: Direction): boolean {
    return this.#lost[direction];
  }

  /** The frames that had come to one end before that moment, and that it has not read. */
  unreadBy(side: Side, beforeMs: number): Frame[] {
    const direction = side === 'server' ? 'up' : 'down';
    if (this.#lost[direction]) return [];
    return this.#underway[direction].flatMap(({ arrivesMs, frame }) =>
      frame !== undefined && arrivesMs < beforeMs ? [frame] : [],
    );
  }

  /** The handshake: a packet to the server, and one back. */
  dial(subprotocols: readonly string[], server: () => Server | undefined): void {
    this.#travel('up', this.client.clock, undefined, () => {
      const found = server();
      const refuse = (): void =>
        this.#travel('down', this.client.clock, undefined, () => this.client.settleClosed(1006, ''));
      if (found === undefined) {
        refuse();
        return;
      }
      // It may be standing still.
      found.clock.soon(() => {
        const { host } = new URL(this.url);
        // It may listen no more.
        const accept = server() === found ? found.admit(requestOf(this.url, this.#place), host) : undefined;
        const chosen = found.choose(subprotocols);
        // A client that offered some gives up if none is taken.
        if (accept === undefined || (chosen === undefined && subprotocols.length > 0)) {
          refuse();
          return;
        }
        // First, so that what the server sends at once comes after it.
        this.#travel('down', this.client.clock, undefined, () => this.client.settleOpen(chosen ?? ''));
        this.accept(found.clock, accept, chosen ?? '');
      });
    });
  }

  accept(clock: Clock, accept: Accept, subprotocol: string): void {
    if (this.client.state === 'closed') return;
    accept((listener) => {
      this.server = this.#createSocket('server', clock, listener);
      this.server.settleOpen(subprotocol);
      return this.server;
    });
  }

  /** Packets vanish from now on, those on their way too; neither end is told. `both` is a half-open connection. */
  drop(direction: Direction | 'both' = 'both'): void {
    if (direction !== 'down') this.#lost.up = true;
    if (direction !== 'up') this.#lost.down = true;
  }

  /** The connection breaks, and both ends learn of it: a cable pulled. What was on its way is lost. */
  reset(): void {
    this.drop();
    for (const socket of [this.client, this.server]) socket?.clock.soon(() => socket.settleClosed(1006, ''));
  }

  /** The process at one end is gone: its system tells the other one, if the line lets it. */
  abandon(side: Side): void {
    const socket = side === 'client' ? this.client : this.server;
    if (socket !== undefined && socket.state !== 'closed') socket.abandon();
  }

  #createSocket(side: Side, clock: Clock, listener: SocketListener): VirtualSocket {
    const direction = side === 'client' ? 'up' : 'down';
    return new VirtualSocket(clock, listener, side, this.#closeTimeoutMs, this, (deliver, frame) => {
      const peer = (): VirtualSocket | undefined => (direction === 'up' ? this.server : this.client);
      this.#travel(direction, peer()?.clock ?? clock, frame, () => {
        const to = peer();
        if (to !== undefined) deliver(to);
      });
    });
  }

  #travel(direction: Direction, receiver: Clock, frame: Frame | undefined, arrive: () => void): void {
    if (this.#lost[direction]) return;
    const delayMs = this.latencyMs + (this.jitterMs === 0 ? 0 : this.#random() * this.jitterMs);
    const arrivesMs = Math.max(receiver.now() + delayMs, this.#arrivesMs[direction]);
    this.#arrivesMs[direction] = arrivesMs;
    const packet = { arrivesMs, frame };
    const underway = this.#underway[direction];
    underway.push(packet);
    const read = (): void => {
      underway.splice(underway.indexOf(packet), 1);
      if (!this.#lost[direction]) arrive();
    };
    // To what comes from outside, a page in the background is as awake as ever.
    if (receiver instanceof VirtualProcess || receiver instanceof VirtualClock) receiver.at(arrivesMs, read);
    else receiver.setTimer(arrivesMs - receiver.now(), read);
  }
}

/** What can be sent to the other end of a link. */
type Deliver = (deliver: (peer: VirtualSocket) => void, frame?: Frame) => void;

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
  readonly #side: Side;
  readonly #link: VirtualLink;
  readonly #closeTimeoutMs: number;
  readonly #toPeer: Deliver;
  #cancelCloseTimer: () => void = () => {};

  constructor(
    clock: Clock,
    listener: SocketListener,
    side: Side,
    closeTimeoutMs: number,
    link: VirtualLink,
    toPeer: Deliver,
  ) {
    this.clock = clock;
    this.#listener = listener;
    this.#side = side;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#link = link;
    this.#toPeer = toPeer;
  }

  send(frame: Frame): void {
    if (this.state === 'connecting') throw new Error('The socket is not open yet');
    if (this.state !== 'open') return;
    // Copied: what the sender does with its bytes afterwards does not matter.
    const copy = typeof frame === 'string' ? frame : frame.slice();
    if (this.#link.isRecording) this.sent.push(copy);
    this.#link.observer?.sent(this.#link, this.#side, copy);
    const leave = (): void => this.#toPeer((peer) => peer.receive(copy), copy);
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
    this.#link.observer?.ending(this.#link, this.#side, code);
    this.#toPeer((peer) => peer.receiveClose(code, reason));
    this.#cancelCloseTimer = this.clock.setTimer(this.#closeTimeoutMs, () => this.settleClosed(1006, ''));
  }

  terminate(): void {
    if (this.state === 'closed') return;
    if (this.state !== 'closing') this.#link.observer?.ending(this.#link, this.#side, 1006);
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
    this.#link.observer?.closed(this.#link, this.#side, code);
    this.#listener.closed(code, reason);
  }

  /** A frame arrives; while this end is closing too, until it has heard the peer's close. */
  receive(frame: Frame): void {
    if (this.state !== 'open' && this.state !== 'closing') return;
    this.#link.observer?.received(this.#link, this.#side, frame);
    this.#listener.received(typeof frame === 'string' ? frame : frame.buffer);
  }

  /** Its process is gone. */
  abandon(): void {
    this.state = 'closed';
    this.#cancelCloseTimer();
    this.#toPeer((peer) => peer.settleClosed(1006, ''));
  }

  /** The peer closes: answered with the same, unless this is the answer. */
  receiveClose(code: number, reason: string): void {
    if (this.state === 'closed') return;
    if (this.state === 'open') this.#toPeer((peer) => peer.receiveClose(code, reason));
    this.settleClosed(code, reason);
  }
}

/** What a WebSocket throws on: a browser for the client, `ws` for the server. */
function expectCloseArguments(side: Side, code: number, reason: string): void {
  const isStandard =
    side === 'client' ? code === 1000 : code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  if (!isStandard && !(code >= 3000 && code <= 4999)) throw new RangeError(`Close code ${code} cannot be sent`);
  if (new TextEncoder().encode(reason).length > 123) throw new RangeError('The close reason is longer than 123 bytes');
}
