// The WebSocket of a worker, the browser's own or `ws`, as the library's Socket.
import WebSocket from 'isomorphic-ws';
import type { Connect, Frame, Socket, SocketListener } from '../ports.ts';

/** What `close` reports for a connection that ended without a handshake (RFC 6455, section 7.1.5). */
export const ABNORMAL_CLOSE = 1006;

/** A WebSocket, of either make. */
class ClientSocket implements Socket {
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
    // A page that thaws may not have been told yet that its browser has closed it, which would then complain.
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
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

/** Opens a client's WebSocket, of either make: listens by the properties that both have. */
export const connectWebSocket: Connect = (url, subprotocols, listener) => {
  // The third argument is for `ws` alone: tasks and results are small or binary, and deflate costs memory per socket.
  const webSocket = new WebSocket(url, [...subprotocols], { perMessageDeflate: false });
  webSocket.binaryType = 'arraybuffer';
  const socket = new ClientSocket(webSocket, listener);
  webSocket.onopen = () => listener.opened();
  webSocket.onmessage = (event) => listener.received(event.data);
  // Browsers say nothing of what went wrong.
  webSocket.onerror = ({ message = '' }) => {
    socket.failure = message;
  };
  webSocket.onclose = (event) => listener.closed(event.code, event.reason || socket.failure);
  return socket;
};
