// taskdist's master, whose tasks keep their worker busy for a given time.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { BUSY_RESULT, type BusyTask } from './busy.ts';
import { listen } from './listening.ts';

const scheduler = new FifoScheduler<BusyTask, number>();
const master = new Master(scheduler, { port: 0 });

const calls = {
  listen: () => listen(master),

  /** How many steps of a task a microsecond has where the worker computes. */
  stepsPerUs: () => scheduler.put({ type: 'calibrate' }),

  /** Puts so many tasks at once. Resolves to the time from when all are put, which is when the first can start, to the last result. */
  async compute(tasks: number, steps: number): Promise<number> {
    const promises = Array.from({ length: tasks }, () => scheduler.put({ type: 'busy', steps }));
    const startedAt = performance.now();
    const results = await Promise.all(promises);
    const elapsedMs = performance.now() - startedAt;
    if (results.some((result) => result !== BUSY_RESULT)) throw new Error('A task has another result than it must');
    return elapsedMs;
  },
};

export type BusyMaster = typeof calls;
serve(calls);
