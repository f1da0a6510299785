// Raw `ws` in the master's place: one JSON text frame per task and per result, and nothing that could be left out.
import { once } from 'node:events';
import { type WebSocket, WebSocketServer } from 'ws';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, tenth } from './fibonacci.ts';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
let client: WebSocket | undefined;
server.on('connection', (socket) => {
  client = socket;
});

const calls = {
  async listen(): Promise<number> {
    if (server.address() === null) await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error(`Expected a port, got ${address}`);
    return address.port;
  },

  /** Sends so many tasks, never more than `outstanding` of them unanswered. */
  compute(tasks: number, outstanding: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const socket = client;
    if (socket === undefined) throw new Error('Nobody is connected');
    return new Promise((resolve, reject) => {
      const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
      let [sent, received, sum] = [0, 0, 0];
      const send = () => socket.send(JSON.stringify({ id: ++sent, task: tenth }));
      socket.on('message', function receive(data) {
        const { result }: { id: number; result: number } = JSON.parse(data.toString());
        sum += result;
        if (sent < tasks) send();
        if (++received < tasks) return;
        socket.off('message', receive);
        const figures = { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
        try {
          expectSum(sum, tasks);
          resolve(figures);
        } catch (error) {
          reject(error);
        }
      });
      while (sent < Math.min(outstanding, tasks)) send();
    });
  },
};

export type WsServer = typeof calls;
serve(calls);
