// Where a raw `ws` server listens.
import { once } from 'node:events';
import type { WebSocketServer } from 'ws';

export async function portOf(server: WebSocketServer): Promise<number> {
  if (server.address() === null) await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`Expected a port, got ${address}`);
  return address.port;
}
