// BullMQ's producer.
import { Queue } from 'bullmq';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { tenth } from './fibonacci.ts';

const CHUNK = 1000;
let queue: Queue | undefined;

const calls = {
  cpuMs,

  async open(port: number): Promise<void> {
    queue = new Queue('fibonacci', {
      connection: { host: '127.0.0.1', port },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    await queue.waitUntilReady();
  },

  /** Adds so many jobs; who runs them counts the results. */
  async add(tasks: number): Promise<void> {
    for (let added = 0; added < tasks; added += CHUNK) {
      const length = Math.min(CHUNK, tasks - added);
      await queue?.addBulk(Array.from({ length }, () => ({ name: 'fibonacci', data: tenth })));
    }
  },
};

export type BullmqQueue = typeof calls;
serve(calls);
