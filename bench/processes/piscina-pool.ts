// Piscina with one thread.
import { fileURLToPath } from 'node:url';
import { FixedQueue, Piscina } from 'piscina';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, tenth } from './fibonacci.ts';

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
  async compute(tasks: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
    const results: number[] = await Promise.all(Array.from({ length: tasks }, () => pool.run({ ...tenth })));
    const figures = { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
    expectSum(
      results.reduce((sum, result) => sum + result, 0),
      tasks,
    );
    return figures;
  },
};

export type PiscinaPool = typeof calls;
serve(calls);
