// taskdist's master, whose tasks have large binary results.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { type BinaryTask, expectArrayOf } from './binary.ts';
import { cpuMs } from './cpu.ts';
import { listen } from './listening.ts';

const scheduler = new FifoScheduler<BinaryTask, Float64Array>();
const master = new Master(scheduler, { port: 0 });

const calls = {
  listen: () => listen(master),

  /** Puts so many tasks at once, and lets go of each result when it has been checked. */
  async compute(tasks: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
    await Promise.all(
      Array.from({ length: tasks }, async (_, seed) => {
        const result = await scheduler.put({ seed });
        if (!(result instanceof Float64Array)) throw new Error(`Expected a Float64Array, got ${result}`);
        expectArrayOf({ seed }, result);
      }),
    );
    return { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
  },
};

export type BinaryMaster = typeof calls;
serve(calls);
