// Bare Comlink over one worker thread: a call per task, and nothing that looks after thread or task.
import { Worker as Thread } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { serve } from '../harness/serve.ts';
import type { ComlinkThread } from './comlink-thread.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, tenth } from './fibonacci.ts';

const thread = new Thread(new URL('./comlink-thread.js', import.meta.url));
const remote = wrap<ComlinkThread>(nodeEndpoint(thread));

const calls = {
  /** Makes so many calls, `outstanding` of them at a time. */
  async compute(tasks: number, outstanding: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
    let [called, sum] = [0, 0];
    const callOneByOne = async () => {
      while (called++ < tasks) {
        const result = await remote.fibonacci({ ...tenth });
        sum += result;
      }
    };
    await Promise.all(Array.from({ length: outstanding }, callOneByOne));
    const figures = { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
    expectSum(sum, tasks);
    return figures;
  },
};

export type ComlinkCaller = typeof calls;
serve(calls);
