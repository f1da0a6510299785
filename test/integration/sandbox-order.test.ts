// The order in which a sandbox of several threads begins what it took back from those that take long.
import { Worker as Thread } from 'node:worker_threads';
import { sandbox } from 'taskdist';
import { expect, it } from 'vitest';
import { Cluster } from './cluster.ts';

type Task = { type: string; n?: number; ms?: number };

/** A worker whose two threads have run many short tasks, so that more are sent ahead. */
async function setUp() {
  const factory = (): Thread => new Thread(new URL('./fixtures/thread.mjs', import.meta.url));
  const cluster = await Cluster.start<Task, unknown>({}, { maxAttempts: 1 });
  const worker = await cluster.join(sandbox<Task, unknown>(factory, { size: 2 }));
  const { scheduler, master } = cluster;
  await Promise.all(Array.from({ length: 3000 }, (_, n) => scheduler.put({ type: 'square', n })));
  return { cluster, scheduler, worker, master };
}

it('begins what two threads gave back in its order, so that no attempt is timed out that has not started', async () => {
  const { scheduler, worker, master } = await setUp();
  const started = new Set<string>();
  const timedOut: string[] = [];
  worker.on('taskStarted', ({ key }) => void started.add(key));
  master.on('attemptEnded', ({ key, outcome }) => {
    // It comes again.
    if (outcome === 'returned') started.delete(key);
    if (outcome === 'timeout') timedOut.push(key);
  });
  await Promise.allSettled(
    Array.from({ length: 120 }, () => scheduler.put({ type: 'busy', ms: 20 }, { timeout: 300 })),
  );
  expect(timedOut.filter((key) => !started.has(key))).toEqual([]);
});

it('is not asked back what runs, for somebody idle', async () => {
  const { cluster, scheduler, worker } = await setUp();
  const running = new Set<string>();
  let cutOff = 0;
  worker.on('taskStarted', ({ key }) => void running.add(key));
  worker.on('taskSettled', ({ key, outcome }) => {
    if (running.delete(key) && outcome === 'returned') cutOff += 1;
  });
  const results = Promise.all(Array.from({ length: 40 }, () => scheduler.put({ type: 'busy', ms: 300 })));
  await expect.poll(() => running.size).toBe(2);
  // Takes what waits there, a task in 100 ms.
  await cluster.join(() => new Promise((resolve) => setTimeout(resolve, 100, 'done')));
  await results;
  expect(cutOff).toBe(0);
});
