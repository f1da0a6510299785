// BullMQ's worker, which also counts the results: that is cheaper for it than to send them to the producer as events.
import { Worker } from 'bullmq';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, type Fibonacci, fibonacci } from './fibonacci.ts';

let worker: Worker<Fibonacci, number> | undefined;

const calls = {
  cpuMs,

  async connect(port: number, concurrency: number): Promise<void> {
    worker = new Worker<Fibonacci, number>('fibonacci', async ({ data }) => fibonacci(data), {
      connection: { host: '127.0.0.1', port },
      concurrency,
    });
    await worker.waitUntilReady();
  },

  /** Resolves when so many further jobs are completed. */
  completed(tasks: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let [count, sum] = [0, 0];
      const completed = (_job: unknown, result: number) => {
        sum += result;
        if (++count < tasks) return;
        worker?.off('completed', completed);
        try {
          expectSum(sum, tasks);
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      worker?.on('completed', completed);
    });
  },
};

export type BullmqWorker = typeof calls;
serve(calls);
