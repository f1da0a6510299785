// Raw `ws` in the worker's place: answers each JSON text frame with one, or with itself.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { type Fibonacci, fibonacci } from './fibonacci.ts';

const calls = {
  cpuMs,

  /** Computes what it is sent. */
  async connect(port: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    socket.on('message', (data) => {
      const { id, task }: { id: number; task: Fibonacci } = JSON.parse(data.toString());
      socket.send(JSON.stringify({ id, result: fibonacci(task) }));
    });
    await once(socket, 'open');
  },

  /** Sends everything back as it came. */
  async echo(port: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    await once(socket, 'open');
  },
};

export type WsClient = typeof calls;
serve(calls);
