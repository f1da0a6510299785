// taskdist's master for many workers, whose tasks wait for a timer.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { listen } from './listening.ts';
import type { TimerTask } from './timer-task.ts';

const scheduler = new FifoScheduler<TimerTask, number>();
const master = new Master(scheduler, { port: 0 });

const calls = {
  listen: () => listen(master),
  connections: () => master.workers().length,

  /** Puts so many tasks at once; the time runs from the first put to the last result. */
  async compute(tasks: number, waitMs: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
    const results = await Promise.all(
      Array.from({ length: tasks }, (_, id) => scheduler.put({ type: 'timer', waitMs, id })),
    );
    const figures = { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
    if (results.some((result, id) => result !== id)) throw new Error('A task has the result of another');
    return figures;
  },
};

export type TimerMaster = typeof calls;
serve(calls);
