// WebSockets: the browser's own or `ws`, on either side of a connection, as the library's Socket.
import WebSocket from 'isomorphic-ws';
import type { Connect, Frame, Socket, SocketListener } from '../ports.ts';

/** What `close` reports for a connection that ended without a handshake (RFC 6455, section 7.1.5). */
const ABNORMAL_CLOSE = 1006;

/** A WebSocket, of either make. */
class AdoptedWebSocket implements Socket {
  readonly listener: SocketListener;
  /** What went wrong; only `ws` says so, and before it says that the connection is over. */
  failure = '';
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

/** Those of `ws`, which calls its listeners with the socket as `this`: so that they can be the same for all sockets. */
const adopted = new WeakMap<WebSocket, AdoptedWebSocket>();

function onOpen(this: WebSocket): void {
  adopted.get(this)?.listener.opened();
}

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  adopted.get(this)?.listener.received(isBinary ? data : data.toString());
}

/** Always followed by `close`. */
function onError(this: WebSocket, error: Error): void {
  const socket = adopted.get(this);
  if (socket !== undefined) socket.failure = error.message;
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  const socket = adopted.get(this);
  socket?.listener.closed(code, reason.toString() || socket.failure);
}

/** A master may have thousands: what `ws` makes of the properties below takes 2 kB a socket. */
function listenByEmitter(webSocket: WebSocket, socket: AdoptedWebSocket): void {
  adopted.set(webSocket, socket);
  // A server's is open already.
  if (webSocket.readyState === webSocket.CONNECTING) webSocket.on('open', onOpen);
  webSocket.on('message', onMessage);
  webSocket.on('error', onError);
  webSocket.on('close', onClose);
}

/** As browsers tell it, which say nothing of what went wrong. */
function listenByProperties(webSocket: WebSocket, { listener }: AdoptedWebSocket): void {
  webSocket.onopen = () => listener.opened();
  webSocket.onmessage = (event) => listener.received(event.data);
  webSocket.onclose = (event) => listener.closed(event.code, event.reason);
}

/** Wraps a WebSocket that was just made, by us or by a server. */
export function adoptWebSocket(webSocket: WebSocket, listener: SocketListener): Socket {
  webSocket.binaryType = 'arraybuffer';
  const socket = new AdoptedWebSocket(webSocket, listener);
  if (typeof webSocket.on === 'function') listenByEmitter(webSocket, socket);
  else listenByProperties(webSocket, socket);
  return socket;
}

export const connectWebSocket: Connect = (url, subprotocols, listener) =>
  // The third argument is for `ws` alone: tasks and results are small or binary, and deflate costs memory per socket.
  adoptWebSocket(new WebSocket(url, [...subprotocols], { perMessageDeflate: false }), listener);
