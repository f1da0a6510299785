// taskdist's master with much of something: tasks that wait, or types of tasks.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, type Fibonacci, tenth } from './fibonacci.ts';
import { listen } from './listening.ts';

/** As the worker knows it, but of whatever type. */
type Task = Omit<Fibonacci, 'type'> & { readonly type: string };

const scheduler = new FifoScheduler<Task, number>();
const master = new Master(scheduler, { port: 0 });
let types = 1;
let put = 0;
let completed = () => {};

const calls = {
  listen: () => listen(master),

  /** Fills the queue: from now on, whenever a task is done, another one is put. */
  fill(backlog: number, ofTypes: number): void {
    types = ofTypes;
    for (let i = 0; i < backlog; i++) putOne();
  },

  /** Resolves when so many further tasks are done, to what they took from the first result on. */
  done(tasks: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    return new Promise((resolve) => {
      let left = tasks;
      let [startedAt, cpuBefore] = [0, 0];
      completed = () => {
        if (left === tasks) [startedAt, cpuBefore] = [performance.now(), cpuMs()];
        if (left-- > 0) return;
        completed = () => {};
        resolve({ elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore });
      };
    });
  },
};

function putOne(): void {
  const task: Task = { ...tenth, type: `fibonacci ${put++ % types}` };
  void scheduler.put(task).then((result) => {
    expectSum(result, 1);
    putOne();
    completed();
  });
}

export type GrowthMaster = typeof calls;
serve(calls);
