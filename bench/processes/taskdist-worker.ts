// taskdist's worker, with a function as its handler and all defaults.
import { Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { type Fibonacci, fibonacci } from './fibonacci.ts';

const calls = {
  cpuMs,

  /** Resolves when it is connected. */
  async connect(port: number): Promise<void> {
    await new Worker<Fibonacci, number>(fibonacci, { url: `ws://127.0.0.1:${port}` }).start();
  },
};

export type TaskdistWorker = typeof calls;
serve(calls);
