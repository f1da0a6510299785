// Connections that are lost all the time, and come back within the window: nothing is lost, and nothing is done twice.
import { describe, expect, it } from 'vitest';
import { integerBelow, seededRandom } from '../../src/testing/seeded-random.ts';
import type { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import { VirtualCluster } from '../support/virtual-cluster.ts';

const LATENCY_MS = 20;

interface Hustle {
  readonly seed: number;
  readonly tasks: number;
  /** How long a task takes at most. */
  readonly longestMs: number;
  readonly prefetch: number | 'auto';
}

/** Runs tasks while connections break, or fall silent, about ten times a second. */
async function hustle({ seed, tasks, longestMs, prefetch }: Hustle) {
  const random = seededRandom(seed);
  const cluster = new VirtualCluster<number, number>({}, { resumeWindowMs: 5000, socketTimeoutMs: 500 });
  const { clock, scheduler, events } = cluster;
  const runs = new Map<number, number>();
  const counts = { workerResumed: 0, workerDisconnected: 0 };
  /** Taken back for somebody idle from who was away, and may have started them. */
  const recalled = new Set<number>();
  events.on('leaseRecalled', ({ task }) => recalled.add(task));
  events.on('workerResumed', () => (counts.workerResumed += 1));
  events.on('workerDisconnected', ({ worker }) => {
    // One that held nothing need not come back.
    if (worker.running + worker.waiting > 0) counts.workerDisconnected += 1;
  });
  const networks: VirtualNetwork[] = [];
  for (let index = 0; index < 3; index += 1) {
    networks.push(
      cluster.add(
        (task) => {
          runs.set(task, (runs.get(task) ?? 0) + 1);
          return new Promise((resolve) => clock.setTimer(integerBelow(random, longestMs), () => resolve(2 * task)));
        },
        { concurrency: 1 + index, prefetch, reconnect: { base: 50, cap: 200 }, connectTimeout: 1000 },
        LATENCY_MS,
      ),
    );
  }
  const results = new Map<number, number>();
  let failures = 0;
  for (let task = 0; task < tasks; task += 1) {
    scheduler.put(task).then(
      (result) => results.set(task, result),
      () => (failures += 1),
    );
  }
  for (let step = 0; step < 3000 && results.size + failures < tasks; step += 1) {
    await clock.advance(integerBelow(random, 60));
    const link = networks[integerBelow(random, 3)]?.openLinks.at(-1);
    if (link !== undefined && random() < 0.3) link.reset();
    else if (link !== undefined && random() < 0.05) link.drop();
  }
  await clock.advance(20_000);
  await cluster.stop();
  return { results, failures, runs, counts, recalled };
}

describe('a cluster whose connections break all the time', () => {
  it.each<Hustle>([
    { seed: 1, tasks: 300, longestMs: 300, prefetch: 2 },
    { seed: 2, tasks: 300, longestMs: 300, prefetch: 'auto' },
    { seed: 3, tasks: 5000, longestMs: 3, prefetch: 20 },
    { seed: 4, tasks: 15_000, longestMs: 4, prefetch: 'auto' },
    { seed: 5, tasks: 30, longestMs: 5000, prefetch: 0 },
  ])('does every task once, and loses no result: seed $seed', async (options) => {
    const { results, failures, runs, counts, recalled } = await hustle(options);
    expect(failures).toBe(0);
    expect(results.size).toBe(options.tasks);
    for (const [task, result] of results) expect(result).toBe(2 * task);
    expect([...runs].filter(([task, count]) => count !== 1 && !recalled.has(task))).toEqual([]);
    expect([...runs.values()].filter((count) => count !== 1).length).toBeLessThan(5);
    expect(counts.workerResumed).toBeGreaterThan(10);
    expect(counts.workerDisconnected).toBe(0);
  });
});
