// taskdist's worker that computes the demo's tiles in threads of Node.
import { Worker as Thread } from 'node:worker_threads';
import { sandbox, Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';
import type { TileTask } from './tiles.ts';

const THREAD = new URL('../../dist-demo/server/tile-thread.js', import.meta.url);

let worker: Worker<TileTask, Uint8ClampedArray> | undefined;

const calls = {
  /** Resolves when it is connected. It is paused then. */
  async connect(url: string, threads: number): Promise<void> {
    worker = new Worker(
      sandbox<TileTask, Uint8ClampedArray>(() => new Thread(THREAD), { size: threads }),
      { url },
    );
    await worker.start();
    worker.pause();
  },

  pause: () => worker?.pause(),
  resume: () => worker?.resume(),
};

export type TileWorker = typeof calls;
serve(calls);
