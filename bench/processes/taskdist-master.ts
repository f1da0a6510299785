// taskdist's master, with all defaults.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, type Fibonacci, tenth } from './fibonacci.ts';

const scheduler = new FifoScheduler<Fibonacci, number>();
const master = new Master(scheduler, { port: 0 });

const calls = {
  async listen(): Promise<number> {
    const listening = new Promise<number>((resolve) => master.on('listening', ({ address }) => resolve(address.port)));
    await master.start();
    return listening;
  },

  /** Puts so many tasks at once, and waits for all results. */
  async compute(tasks: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
    const results = await Promise.all(Array.from({ length: tasks }, () => scheduler.put({ ...tenth })));
    const figures = { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
    expectSum(
      results.reduce((sum, result) => sum + result, 0),
      tasks,
    );
    return figures;
  },
};

export type TaskdistMaster = typeof calls;
serve(calls);
