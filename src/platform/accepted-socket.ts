// The WebSockets that a server accepts, as the library's Socket.
import { WebSocket } from 'ws';
import type { Frame, Socket, SocketListener } from '../ports.ts';
import { ABNORMAL_CLOSE } from './websocket.ts';

/** What a browser closes with of its own accord; programs in it cannot. */
const GOING_AWAY = 1001;

/** What `ws` closes a connection with for what the peer has sent (RFC 6455, section 7.4.1); all else of its kind is a 1002. */
const CLOSE_CODES: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};
const PROTOCOL_ERROR = 1002;

/** Nobody but a peer that does not read has so much to read yet; what it asks for would pile up. */
const MAX_PONG_BACKLOG_BYTES = 16_384;

/**
 * Made by the server of `ws` (its option `WebSocket`), which must leave pings to it (`autoPong: false`). It hears what `ws` emits
 * without a listener for each, and is the Socket itself: a master may have thousands, and both take memory.
 */
export class AcceptedSocket extends WebSocket implements Socket {
  #listener: SocketListener | undefined = undefined;
  /** What went wrong; `ws` says so before it says that the connection is over. */
  #failure = '';
  /** How it ended, unless a handshake says something else. */
  #code = ABNORMAL_CLOSE;

  /** Tells this listener from now on. */
  tell(listener: SocketListener): this {
    this.binaryType = 'arraybuffer';
    this.#listener = listener;
    return this;
  }

  get subprotocol(): string {
    return this.protocol;
  }

  get bufferedBytes(): number {
    return this.bufferedAmount;
  }

  override send(frame: Frame): void {
    // Called back when the frame has left the process.
    super.send(frame, () => this.#listener?.drained());
  }

  /** Nobody else listens to these; what else there is goes its usual way. */
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    switch (event) {
      case 'message':
        this.#received(values[0], values[1] === true);
        break;
      case 'ping':
        // As `ws` would by itself, but not to who does not read the answers.
        if (this.bufferedAmount <= MAX_PONG_BACKLOG_BYTES) this.pong(values[0]);
        break;
      case 'error':
        this.#failed(values[0]);
        break;
      case 'close':
        this.#closed(Number(values[0]), String(values[1]));
        break;
      default:
        return super.emit(event, ...values);
    }
    return true;
  }

  #received(data: unknown, isBinary: boolean): void {
    this.#listener?.received(isBinary ? data : String(data));
  }

  /** Always followed by `close`, whose code is 1006 if the peer does not answer the closing handshake. */
  #failed(error: unknown): void {
    if (!(error instanceof Error)) return;
    this.#failure = error.message;
    const kind = 'code' in error ? String(error.code) : '';
    if (kind.startsWith('WS_ERR_')) this.#code = CLOSE_CODES[kind] ?? PROTOCOL_ERROR;
  }

  #closed(code: number, said: string): void {
    const listener = this.#listener;
    const reason = said || this.#failure;
    // No goodbye, as the worker has not said it: its page may have crashed, or have been frozen, and is about to come back.
    if (code === GOING_AWAY) listener?.closed(ABNORMAL_CLOSE, said || 'Its browser closed it (1001)');
    else if (code !== ABNORMAL_CLOSE) listener?.closed(code, reason);
    else listener?.closed(this.#code, reason, this.#code !== ABNORMAL_CLOSE);
  }
}
