// Many workers in one process, which have nothing to do, or never end what they are given.
import { Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';

/** Connections that are made at the same time: fewer than a listening socket keeps waiting. */
const AT_ONCE = 100;

const calls = {
  /** Resolves when so many workers are connected. `accepts` says which types of tasks they take. */
  async connect(port: number, workers: number, accepts?: string[]): Promise<void> {
    for (let connected = 0; connected < workers; connected += AT_ONCE) {
      const length = Math.min(AT_ONCE, workers - connected);
      await Promise.all(Array.from({ length }, () => connectOne(port, accepts)));
    }
  },
};

function connectOne(port: number, accepts: string[] | undefined): Promise<void> {
  const handler = () => new Promise<number>(() => {});
  return new Worker(handler, { url: `ws://127.0.0.1:${port}`, accepts }).start();
}

export type CrowdWorker = typeof calls;
serve(calls);
