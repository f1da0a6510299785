// taskdist's master, with all defaults.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { computeAtOnce } from './at-once.ts';
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
  compute: (tasks: number) => computeAtOnce(tasks, (task) => scheduler.put(task)),
};

export type TaskdistMaster = typeof calls;
serve(calls);
