// Many raw `ws` connections in one process.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { serve } from '../harness/serve.ts';

const AT_ONCE = 100;

const calls = {
  async connect(port: number, connections: number): Promise<void> {
    for (let connected = 0; connected < connections; connected += AT_ONCE) {
      const length = Math.min(AT_ONCE, connections - connected);
      await Promise.all(Array.from({ length }, () => connectOne(port)));
    }
  },
};

async function connectOne(port: number): Promise<void> {
  await once(new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false }), 'open');
}

export type WsCrowdClient = typeof calls;
serve(calls);
