// WebSockets: the browser's own or `ws`, on either side of a connection, as the library's Socket.
import WebSocket from 'isomorphic-ws';
import type { Connect, Socket, SocketListener } from '../ports.ts';

/** Wraps a WebSocket that was just made, by us or by a server. */
export function adoptWebSocket(webSocket: WebSocket, listener: SocketListener): Socket {
  let failure = '';
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
    send: (frame) => webSocket.send(frame),
    close: (code, reason) => webSocket.close(code, reason),
    terminate() {
      // Browsers have no `terminate`. There, nobody listens to this socket any more.
      if (typeof webSocket.terminate === 'function') webSocket.terminate();
      else webSocket.close();
    },
  };
}

export const connectWebSocket: Connect = (url, subprotocols, listener) =>
  // The third argument is for `ws` alone: tasks and results are small or binary, and deflate costs memory per socket.
  adoptWebSocket(new WebSocket(url, [...subprotocols], { perMessageDeflate: false }), listener);
