// A socket whose peer is the test: what it is sent is dropped, and what the peer says is heard at once.
import type { Frame, Socket, SocketListener } from '../../src/ports.ts';

/** The longest close reason that WebSocket allows (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/** A socket as strict as a real one: what that would throw for, this one does too. */
export class FakeSocket implements Socket {
  readonly subprotocol: string;
  readonly bufferedBytes = 0;
  isClosed = false;
  readonly #listener: SocketListener;

  constructor(subprotocol: string, listener: SocketListener) {
    this.subprotocol = subprotocol;
    this.#listener = listener;
  }

  send(): void {}

  close(code: number, reason: string): void {
    const isSendable =
      (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000);
    if (!isSendable) throw new RangeError(`Close code ${code} cannot be sent`);
    if (new TextEncoder().encode(reason).length > MAX_REASON_BYTES) throw new RangeError('The reason is too long');
    this.#shut(code, reason);
  }

  terminate(): void {
    this.#shut(1006, '');
  }

  /** The peer says something. */
  hear(frame: Frame): void {
    if (!this.isClosed) this.#listener.received(typeof frame === 'string' ? frame : frame.slice().buffer);
  }

  open(): void {
    this.#listener.opened();
  }

  /** The connection breaks. */
  break(): void {
    this.#shut(1006, '');
  }

  #shut(code: number, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    // Never in the midst of what it was called from.
    queueMicrotask(() => this.#listener.closed(code, reason));
  }
}
