// Workers that change their concurrency, pause and resume while tasks flow: nobody is blamed for what has not started.
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Random } from '../../src/ports.ts';
import { integerBelow, pick, seededRandom } from '../../src/testing/seeded-random.ts';
import type { Worker } from '../../src/worker/worker.ts';
import { VirtualCluster } from '../support/virtual-cluster.ts';

const TIMEOUT_MS = 1000;
/** A task takes no longer; the rest is for the way to the worker, and back. */
const MAX_TASK_MS = 600;
const MAX_LATENCY_MS = 150;

function change(random: Random, worker: Worker<number, null>): void {
  if (worker.isPaused) worker.resume();
  else if (integerBelow(random, 5) === 0) worker.pause();
  else worker.setConcurrency(1 + integerBelow(random, 4));
}

describe('a worker that lowers its concurrency while grants are on their way', () => {
  it('runs one task after the other, and each has its time', async () => {
    const cluster = new VirtualCluster<number, null>();
    onTestFinished(() => cluster.stop());
    const { clock, scheduler, events, workers } = cluster;
    const ended: string[] = [];
    events.on('attemptEnded', ({ key, outcome }) => ended.push(`${key} ${outcome}`));
    const doTask = (ms: number): Promise<null> => new Promise((resolve) => clock.setTimer(ms, () => resolve(null)));
    cluster.add(doTask, { concurrency: 3, prefetch: 2 }, 50);
    await clock.advance(500);
    for (let task = 0; task < 5; task += 1) void scheduler.put(800, { timeout: TIMEOUT_MS });
    await clock.settle();
    workers[0]?.setConcurrency(1);
    await clock.advance(60);
    expect(cluster.worker).toMatchObject({ running: 1, waiting: 4 });
    await clock.advance(6000);
    expect(ended).toEqual(['0 done', '1 done', '2 done', '3 done', '4 done']);
  });
});

describe('workers that change their concurrency all the time, and lose their connections now and then', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))('run out of time for no task: seed %i', async (seed) => {
    const random = seededRandom(seed);
    const cluster = new VirtualCluster<number, null>({ timeout: TIMEOUT_MS, maxDeliveries: 1000 });
    onTestFinished(() => cluster.stop());
    const { clock, scheduler, events, workers } = cluster;
    const outcomes = new Set<string>();
    /** Attempts of which was told that they started, and not yet that they ended. */
    const underWay = new Set<string>();
    const wrong: string[] = [];
    events.on('attemptStarted', ({ worker, key }) => {
      if (underWay.has(`${worker.id} ${key}`)) wrong.push(`${key} started twice at ${worker.id}`);
      underWay.add(`${worker.id} ${key}`);
    });
    events.on('attemptEnded', ({ worker, key, outcome }) => {
      outcomes.add(outcome);
      if (!underWay.delete(`${worker.id} ${key}`)) wrong.push(`${key} ended at ${worker.id}, and had not started`);
    });
    const networks = [0, 1, 2].map(() => {
      const prefetch = integerBelow(random, 3) === 0 ? 'auto' : integerBelow(random, 6);
      return cluster.add(
        // It does not listen to its signal, and so goes on when its connection is lost.
        (durationMs) => new Promise((resolve) => clock.setTimer(durationMs, () => resolve(null))),
        { concurrency: 1 + integerBelow(random, 4), prefetch },
        1 + integerBelow(random, MAX_LATENCY_MS),
      );
    });
    await clock.advance(1000);
    let done = 0;
    for (let step = 0; step < 200; step += 1) {
      for (let count = integerBelow(random, 4); count > 0; count -= 1) {
        void scheduler.put(integerBelow(random, MAX_TASK_MS)).then(() => {
          done += 1;
        });
      }
      if (integerBelow(random, 2) === 0) change(random, pick(random, workers));
      if (integerBelow(random, 25) === 0) pick(random, networks).lastLink.reset();
      await clock.advance(integerBelow(random, 200));
    }
    for (const worker of workers) worker.resume();
    await clock.advanceUntil(() => done === scheduler.stats().total.put, 'all tasks', 600_000);
    expect([wrong, [...underWay], outcomes.has('timeout'), outcomes.has('done')]).toEqual([[], [], false, true]);
  });
});
