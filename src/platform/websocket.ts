// WebSockets: the browser's own or `ws`, on either side of a connection, as the library's Socket.
import WebSocket from 'isomorphic-ws';
import type { Connect, Socket, SocketListener } from '../ports.ts';

/** What `close` reports for a connection that ended without a handshake (RFC 6455, section 7.1.5). */
const ABNORMAL_CLOSE = 1006;

/** Wraps a WebSocket that was just made, by us or by a server. */
export function adoptWebSocket(webSocket: WebSocket, listener: SocketListener): Socket {
  let failure = '';
  // Only `ws` calls back, when the frame has left the process.
  const onSent = (): void => listener.drained();
  webSocket.binaryType = 'arraybuffer';
  webSocket.onopen = () => listener.opened();
  webSocket.onmessage = (event) => listener.received(event.data);
  // Always followed by `close`. Only `ws` says what happened; a browser tells nothing.
  webSocket.onerror = (event) => {
    failure = event.message ?? '';
  };
  webSocket.onclose = (event) => listener.closed(event.code, event.reason || failure);
  return {
    get subprotocol() {
      return webSocket.protocol;
    },
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    send: (frame) => webSocket.send(frame, onSent),
    close: (code, reason) => webSocket.close(code, reason),
    terminate() {
      if (typeof webSocket.terminate === 'function') {
        webSocket.terminate();
        return;
      }
      // Browsers have no such thing: they would wait for the peer. Here, nobody does any longer.
      webSocket.onopen = webSocket.onmessage = webSocket.onclose = null;
      webSocket.close();
      queueMicrotask(() => listener.closed(ABNORMAL_CLOSE, 'Cut off'));
    },
  };
}

export const connectWebSocket: Connect = (url, subprotocols, listener) =>
  // The third argument is for `ws` alone: tasks and results are small or binary, and deflate costs memory per socket.
  adoptWebSocket(new WebSocket(url, [...subprotocols], { perMessageDeflate: false }), listener);
