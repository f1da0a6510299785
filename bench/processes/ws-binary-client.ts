// Raw `ws` in the worker's place: sends the bytes that it is asked for.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { serve } from '../harness/serve.ts';
import { arrayOf, type BinaryTask } from './binary.ts';
import { cpuMs } from './cpu.ts';

const calls = {
  cpuMs,

  async connect(port: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    socket.on('message', (data) => {
      const task: BinaryTask = JSON.parse(data.toString());
      socket.send(arrayOf(task));
    });
    await once(socket, 'open');
  },
};

export type WsBinaryClient = typeof calls;
serve(calls);
