// A master whose queue is only filled: what a queued task costs.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { type Fibonacci, tenth } from './fibonacci.ts';
import { heapBytes } from './garbage.ts';
import { listen } from './listening.ts';

const scheduler = new FifoScheduler<Fibonacci, number>();
const master = new Master(scheduler, { port: 0 });
/** Keeps alive what is measured. */
const kept: unknown[] = [];

const calls = {
  listen: () => listen(master),

  /** Puts a task, and resolves when it runs. */
  occupy(): Promise<void> {
    return new Promise((resolve) => {
      const unsubscribe = master.on('attemptStarted', () => {
        unsubscribe();
        resolve();
      });
      kept.push(scheduler.put({ ...tenth }));
    });
  },

  /** Bytes of the heap that a task takes by itself, in an array. */
  async bareTask(tasks: number): Promise<number> {
    const before = await heapBytes();
    const array = Array.from({ length: tasks }, () => ({ ...tenth }));
    const bytes = (await heapBytes()) - before;
    return bytes / array.length;
  },

  /** Bytes of the heap that a queued task takes, its promise, and a place for each in an array, included. */
  async queuedTask(tasks: number): Promise<number> {
    const before = await heapBytes();
    const array = Array.from({ length: tasks }, () => ({ ...tenth }));
    const promises = array.map((task) => scheduler.put(task));
    const bytes = (await heapBytes()) - before;
    kept.push(array, promises);
    return bytes / tasks;
  },
};

export type QueueMaster = typeof calls;
serve(calls);
