// A raw `ws` server with one client.
import { type WebSocket, WebSocketServer } from 'ws';
import { portOf } from './ws-port.ts';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
let client: WebSocket | undefined;
server.on('connection', (socket) => {
  client = socket;
});

/** Resolves to its port. */
export function listen(): Promise<number> {
  return portOf(server);
}

/** The one that has connected. */
export function connected(): WebSocket {
  if (client === undefined) throw new Error('Nobody is connected');
  return client;
}
