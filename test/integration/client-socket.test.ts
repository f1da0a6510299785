// The WebSocket of a worker, as the library's Socket.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { deferred } from '../../src/deferred.ts';
import { connectWebSocket } from '../../src/platform/websocket.ts';
import './nothing-left.ts';

it('sends nothing once it is closing, of which browsers would complain in the console', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  await once(server, 'listening');
  const send = vi.spyOn(WebSocket.prototype, 'send');
  onTestFinished(() => send.mockRestore());
  const opened = deferred();
  const closed = deferred();
  const { port } = server.address() as AddressInfo;
  const socket = connectWebSocket(`ws://127.0.0.1:${port}`, [], {
    opened: () => opened.resolve(),
    received() {},
    drained() {},
    closed: () => closed.resolve(),
  });
  await opened.promise;
  socket.send('first');
  socket.close(1000, '');
  socket.send('second');
  await closed.promise;
  expect(send.mock.calls.map(([frame]) => frame)).toEqual(['first']);
});
