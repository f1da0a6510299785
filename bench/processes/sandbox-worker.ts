// taskdist's worker, with one worker thread in a sandbox and all else by default.
import { Worker as Thread } from 'node:worker_threads';
import { sandbox, Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import type { Fibonacci } from './fibonacci.ts';

const calls = {
  cpuMs,

  /** Resolves when it is connected. */
  async connect(port: number): Promise<void> {
    const thread = () => new Thread(new URL('./sandbox-thread.js', import.meta.url));
    const handler = sandbox<Fibonacci, number>(thread, { size: 1 });
    await new Worker(handler, { url: `ws://127.0.0.1:${port}` }).start();
  },
};

export type SandboxWorker = typeof calls;
serve(calls);
