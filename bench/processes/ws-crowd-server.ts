// Raw `ws` with many idle connections, by the options that taskdist's master gives it.
import { WebSocketServer } from 'ws';
import { serve } from '../harness/serve.ts';
import { residentBytes } from './garbage.ts';
import { portOf } from './ws-port.ts';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  clientTracking: false,
  maxPayload: 1_048_576,
});
let connections = 0;
const ignore = () => {};
const closed = () => {
  connections--;
};
server.on('connection', (socket) => {
  connections++;
  // One function for all: the least that a program would listen to.
  socket.on('message', ignore);
  socket.on('error', ignore);
  socket.on('close', closed);
});

const calls = {
  listen: () => portOf(server),
  residentBytes,
  connections: () => connections,
};

export type WsCrowdServer = typeof calls;
serve(calls);
