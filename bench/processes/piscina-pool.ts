// Piscina with one thread.
import { fileURLToPath } from 'node:url';
import { FixedQueue, Piscina } from 'piscina';
import { serve } from '../harness/serve.ts';
import { computeAtOnce } from './at-once.ts';

const thread = {
  filename: fileURLToPath(new URL('./piscina-thread.js', import.meta.url)),
  minThreads: 1,
  maxThreads: 1,
};

/** More tasks at once, and other `atomics`, make no difference that could be measured. */
const forTinyTasks = { concurrentTasksPerWorker: 64, taskQueue: new FixedQueue(), recordTiming: false };

let pool = new Piscina(thread);

const calls = {
  /** Call it first, or all is as Piscina has it by default. */
  async prepareForTinyTasks(): Promise<void> {
    await pool.destroy();
    pool = new Piscina({ ...thread, ...forTinyTasks });
  },

  /** Runs so many tasks at once, and waits for all results. */
  compute: (tasks: number) => computeAtOnce(tasks, (task) => pool.run(task)),
};

export type PiscinaPool = typeof calls;
serve(calls);
