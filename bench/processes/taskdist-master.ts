// taskdist's master, with all defaults.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, type Fibonacci, tenth } from './fibonacci.ts';
import { heapBytes } from './garbage.ts';
import { listen } from './listening.ts';
import { TripStopwatch, type Trips } from './trips.ts';

const scheduler = new FifoScheduler<Fibonacci, number>();
const master = new Master(scheduler, { port: 0 });

const calls = {
  heapBytes,

  listen: () => listen(master),

  /** Puts so many tasks one after the other, each when the result of the one before is there. */
  async trips(tasks: number): Promise<Trips> {
    const stopwatch = new TripStopwatch(tasks);
    let sum = 0;
    for (let i = 0; i < tasks; i++) {
      sum += await scheduler.put({ ...tenth });
      stopwatch.lap();
    }
    expectSum(sum, tasks);
    return stopwatch.trips();
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
