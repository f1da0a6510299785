// Short tasks in several threads, of which one gets through more than another: those that overtake are told of as any other.
import { Worker as Thread } from 'node:worker_threads';
import { sandbox } from 'taskdist';
import { expect, it } from 'vitest';
import { Cluster } from './cluster.ts';

type Task = { type: string; n?: number; ms?: number };

/** A cluster with a sandbox of so many threads, to which short tasks are sent ahead. */
async function setUp(size: number) {
  const factory = (): Thread => new Thread(new URL('./fixtures/thread.mjs', import.meta.url));
  const cluster = await Cluster.start<Task, unknown>();
  await cluster.join(sandbox<Task, unknown>(factory, { size }));
  const { scheduler, master } = cluster;
  await Promise.all(Array.from({ length: 3000 }, (_, n) => scheduler.put({ type: 'square', n })));
  /** One of twenty holds up its thread for a while, that is, not for long. */
  const putAll = async (count: number, put: (n: number) => Promise<unknown>): Promise<void> => {
    const tasks = Array.from({ length: count }, (_, n) =>
      n % 20 === 0 ? scheduler.put({ type: 'busy', ms: 1.5 }) : put(n),
    );
    await Promise.all(tasks);
  };
  return { scheduler, master, putAll };
}

it.each([1, 2, 3])('all of their progress is told, by a sandbox of %i', async (size) => {
  const { scheduler, putAll } = await setUp(size);
  let silent = 0;
  await putAll(400, async () => {
    const told: unknown[] = [];
    await scheduler.put({ type: 'progress', n: 2 }, { onProgress: (value) => void told.push(value) });
    if (told.length < 2) silent += 1;
  });
  expect(silent).toBe(0);
});

it.each([1, 2, 3])('their starts and ends are told and recorded, by a sandbox of %i', async (size) => {
  const { scheduler, master, putAll } = await setUp(size);
  const before = scheduler.stats().runTime.count;
  const started = new Set<string>();
  const done = new Set<string>();
  master.on('attemptStarted', ({ key }) => void started.add(key));
  master.on('attemptEnded', ({ key, outcome }) => {
    if (outcome === 'done' && started.has(key)) done.add(key);
  });
  await putAll(1000, (n) => scheduler.put({ type: 'square', n }));
  expect([done.size, scheduler.stats().runTime.count - before]).toEqual([1000, 1000]);
});
