// A connection in memory, with both its ends: how long it takes, what is lost on it, and who looks on.
import type { ConnectionRequest } from '../master/authentication.ts';
import type { Clock, Frame, Random, Socket, SocketListener } from '../ports.ts';
import { type Place, requestOf } from './place.ts';
import { VirtualClock, VirtualProcess } from './virtual-clock.ts';
import { type Side, VirtualSocket } from './virtual-socket.ts';

/** Takes a connection that was made; the shape of `Sessions.accept`. */
export type Accept = (adopt: (listener: SocketListener) => Socket) => void;

/** Judges who wants to connect, to this host; undefined: the connection is refused. */
export type Admit = (request: ConnectionRequest, host: string) => Accept | undefined;

/** What the server makes of the subprotocols it is offered; undefined: it takes none of them. */
export type ChooseSubprotocol = (offered: readonly string[]) => string | undefined;

/** Which way packets go: `up` from the client to the server. */
export type Direction = 'up' | 'down';

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
