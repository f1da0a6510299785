// One end of a connection in memory, as the library's Socket.
import type { Clock, Frame, Socket, SocketListener } from '../ports.ts';
import type { VirtualLink } from './virtual-link.ts';

/** Which end of a connection. */
export type Side = 'client' | 'server';

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
