// taskdist's worker, with a function as its handler and all defaults.
import { Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { type Fibonacci, fibonacci } from './fibonacci.ts';
import { heapBytes } from './garbage.ts';

let worker: Worker<Fibonacci, number> | undefined;

const calls = {
  cpuMs,
  heapBytes,

  /** Resolves when it is connected. */
  async connect(port: number): Promise<void> {
    worker = new Worker<Fibonacci, number>(fibonacci, { url: `ws://127.0.0.1:${port}` });
    await worker.start();
  },

  pause: () => worker?.pause(),
  resume: () => worker?.resume(),
};

export type TaskdistWorker = typeof calls;
serve(calls);
