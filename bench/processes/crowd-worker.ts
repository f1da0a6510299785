// Many workers in one process, which have nothing to do, or never end what they are given.
import { Worker, type WorkerOptions } from 'taskdist';
import { serve } from '../harness/serve.ts';

/** Connections that are made at the same time: fewer than a listening socket keeps waiting. */
const AT_ONCE = 100;

const calls = {
  /**
   * Resolves when so many workers are connected. `accepts` says which types of tasks they take, `kinds` how many
   * different labels there are among them; none, if it is not given.
   */
  async connect(port: number, workers: number, accepts?: string[], kinds?: number): Promise<void> {
    for (let connected = 0; connected < workers; connected += AT_ONCE) {
      const length = Math.min(AT_ONCE, workers - connected);
      const labelsOf = (index: number) => (kinds === undefined ? {} : { kind: (connected + index) % kinds });
      await Promise.all(Array.from({ length }, (_, index) => connectOne(port, { accepts, labels: labelsOf(index) })));
    }
  },
};

function connectOne(port: number, options: WorkerOptions<unknown>): Promise<void> {
  const handler = () => new Promise<number>(() => {});
  return new Worker(handler, { url: `ws://127.0.0.1:${port}`, ...options }).start();
}

export type CrowdWorker = typeof calls;
serve(calls);
