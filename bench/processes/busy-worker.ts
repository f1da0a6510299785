// taskdist's worker for tasks that keep it busy, inline or in one thread.
import { Worker as Thread } from 'node:worker_threads';
import { sandbox, type TaskFunction, type TaskHandler, Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { type BusyTask, runBusyTask } from './busy.ts';
import { cpuMs } from './cpu.ts';

const calls = {
  cpuMs,

  connectInline: (port: number) => connect(port, runBusyTask),

  connectWithSandbox: (port: number) =>
    connect(
      port,
      sandbox(() => new Thread(new URL('./busy-thread.js', import.meta.url)), { size: 1 }),
    ),
};

/** Resolves when it is connected. */
function connect(port: number, handler: TaskHandler<BusyTask, number> | TaskFunction<BusyTask, number>): Promise<void> {
  return new Worker(handler, { url: `ws://127.0.0.1:${port}` }).start();
}

export type BusyWorker = typeof calls;
serve(calls);
