// taskdist's worker, whose results are large and binary.
import { Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { arrayOf, type BinaryTask } from './binary.ts';
import { cpuMs } from './cpu.ts';

const calls = {
  cpuMs,

  async connect(port: number): Promise<void> {
    await new Worker<BinaryTask, Float64Array>(arrayOf, { url: `ws://127.0.0.1:${port}` }).start();
  },
};

export type BinaryWorker = typeof calls;
serve(calls);
