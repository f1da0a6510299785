// Raw `ws` in the master's place: asks for large binary frames.
import { serve } from '../harness/serve.ts';
import { expectArrayOf } from './binary.ts';
import { cpuMs } from './cpu.ts';
import { connected, listen } from './ws-single.ts';

const calls = {
  listen,

  /** Asks for so many results, never more than `outstanding` at once. They come in the order of the questions. */
  compute(tasks: number, outstanding: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const socket = connected();
    return new Promise((resolve) => {
      const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
      let [sent, received] = [0, 0];
      const send = () => socket.send(JSON.stringify({ seed: sent++ }));
      socket.on('message', function receive(data) {
        if (!Buffer.isBuffer(data)) throw new Error('Expected one buffer');
        expectArrayOf({ seed: received++ }, data);
        if (sent < tasks) send();
        if (received < tasks) return;
        socket.off('message', receive);
        resolve({ elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore });
      });
      while (sent < Math.min(outstanding, tasks)) send();
    });
  },
};

export type WsBinaryServer = typeof calls;
serve(calls);
