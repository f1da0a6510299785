// WebSockets: the browser's own or `ws`, on either side of a connection, as the library's Socket.
import WebSocket from 'isomorphic-ws';
import type { Connect, Frame, Socket, SocketListener } from '../ports.ts';

/** What `close` reports for a connection that ended without a handshake (RFC 6455, section 7.1.5). */
const ABNORMAL_CLOSE = 1006;
/** What a browser closes with of its own accord; programs in it cannot. */
const GOING_AWAY = 1001;

/** A WebSocket, of either make. */
class AdoptedWebSocket implements Socket {
  readonly listener: SocketListener;
  /** What went wrong; only `ws` says so, and before it says that the connection is over. */
  failure = '';
  /** How it ended, unless a handshake says something else. */
  code = ABNORMAL_CLOSE;
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket, listener: SocketListener) {
    this.#webSocket = webSocket;
    this.listener = listener;
  }

  get subprotocol(): string {
    return this.#webSocket.protocol;
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  send(frame: Frame): void {
    // Only `ws` calls back, when the frame has left the process.
    this.#webSocket.send(frame, () => this.listener.drained());
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
  }

  terminate(): void {
    const webSocket = this.#webSocket;
    if (typeof webSocket.terminate === 'function') {
      webSocket.terminate();
      return;
    }
    // Browsers have no such thing: they would wait for the peer. Here, nobody does any longer.
    webSocket.onopen = webSocket.onmessage = webSocket.onclose = null;
    webSocket.close();
    queueMicrotask(() => this.listener.closed(ABNORMAL_CLOSE, 'Cut off'));
  }
}

/** Those that a server accepted. Their listeners are called with the socket as `this`, and so can be the same for all. */
const adopted = new WeakMap<WebSocket, AdoptedWebSocket>();

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  adopted.get(this)?.listener.received(isBinary ? data : data.toString());
}

/** What `ws` closes a connection with for what the peer has sent (RFC 6455, section 7.4.1); all else of its kind is a 1002. */
const CLOSE_CODES: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};
const PROTOCOL_ERROR = 1002;

/** Always followed by `close`, whose code is 1006 if the peer does not answer the closing handshake. */
function onError(this: WebSocket, error: Error): void {
  const socket = adopted.get(this);
  if (socket === undefined) return;
  socket.failure = error.message;
  const kind = 'code' in error ? String(error.code) : '';
  if (kind.startsWith('WS_ERR_')) socket.code = CLOSE_CODES[kind] ?? PROTOCOL_ERROR;
}

/** Nobody but a peer that does not read has so much to read yet; what it asks for would pile up. */
const MAX_PONG_BACKLOG_BYTES = 16_384;

/** Answers WebSocket's own pings, as `ws` would, but not to who does not read the answers. */
function onPing(this: WebSocket, data: Buffer): void {
  if (this.bufferedAmount <= MAX_PONG_BACKLOG_BYTES) this.pong(data);
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  const socket = adopted.get(this);
  // No goodbye, as the worker has not said it: its page may have crashed, or have been frozen, and is about to come back.
  if (socket === undefined) return;
  const { listener, failure } = socket;
  if (code === GOING_AWAY) listener.closed(ABNORMAL_CLOSE, reason.toString() || 'Its browser closed it (1001)');
  else if (code !== ABNORMAL_CLOSE) listener.closed(code, reason.toString() || failure);
  else listener.closed(socket.code, reason.toString() || failure, socket.code !== ABNORMAL_CLOSE);
}

/**
 * Wraps a WebSocket that a server of `ws` has accepted, which is open. Listens by its emitter: a master may have
 * thousands, and what `ws` makes of the properties that browsers have takes 2 kB a socket. Its server must leave pings to
 * this (`autoPong: false`).
 */
export function adoptWebSocket(webSocket: WebSocket, listener: SocketListener): Socket {
  webSocket.binaryType = 'arraybuffer';
  const socket = new AdoptedWebSocket(webSocket, listener);
  adopted.set(webSocket, socket);
  webSocket.on('message', onMessage);
  webSocket.on('error', onError);
  webSocket.on('ping', onPing);
  webSocket.on('close', onClose);
  return socket;
}

/** Opens a client's WebSocket, of either make: listens by the properties that both have. */
export const connectWebSocket: Connect = (url, subprotocols, listener) => {
  // The third argument is for `ws` alone: tasks and results are small or binary, and deflate costs memory per socket.
  const webSocket = new WebSocket(url, [...subprotocols], { perMessageDeflate: false });
  webSocket.binaryType = 'arraybuffer';
  const socket = new AdoptedWebSocket(webSocket, listener);
  webSocket.onopen = () => listener.opened();
  webSocket.onmessage = (event) => listener.received(event.data);
  // Browsers say nothing of what went wrong.
  webSocket.onerror = ({ message = '' }) => {
    socket.failure = message;
  };
  webSocket.onclose = (event) => listener.closed(event.code, event.reason || socket.failure);
  return socket;
};
