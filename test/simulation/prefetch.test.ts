// Whether workers wait for tasks, and how many they hoard, when the way to the master is long.
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WorkerOptions } from '../../src/worker/options.ts';
import { VirtualCluster } from '../support/virtual-cluster.ts';

const LATENCY_MS = 50;

/** One worker whose tasks take as long as they say, in milliseconds; it has just been welcomed. */
async function setUp(options: WorkerOptions<number> = {}) {
  const cluster = new VirtualCluster<number, null>();
  onTestFinished(() => cluster.stop());
  const { clock, scheduler } = cluster;
  let busyMs = 0;
  cluster.add(
    (durationMs) =>
      new Promise((resolve) => {
        clock.setTimer(durationMs, () => {
          busyMs += durationMs;
          resolve(null);
        });
      }),
    options,
    LATENCY_MS,
  );
  const put = (count: number, durationMs: number): void => {
    for (let task = 0; task < count; task += 1) scheduler.put(durationMs).catch(() => {});
  };
  /** For which share of the next so many milliseconds the slots are busy. */
  const share = async (durationMs: number): Promise<number> => {
    const before = busyMs;
    await clock.advance(durationMs);
    return (busyMs - before) / durationMs / (options.concurrency ?? 1);
  };
  await clock.advanceUntil(() => cluster.sessions.list().length === 1, 'the hello');
  return { cluster, put, share };
}

describe('a worker that is 50 ms away', () => {
  it.each([1, 3])('is busy with tasks of 1 ms after one second: concurrency %i', async (concurrency) => {
    const { put, share } = await setUp({ concurrency });
    put(4000 * concurrency, 1);
    await share(1000);
    expect(await share(1500)).toBeGreaterThanOrEqual(0.95);
  });

  it('waits most of the time if it asks for a prefetch that is too small', async () => {
    const { put, share } = await setUp({ prefetch: 1 });
    put(4000, 1);
    await share(1000);
    expect(await share(1500)).toBeLessThan(0.05);
  });

  it('hoards no more than one task of a second, and waits for none', async () => {
    const { cluster, put, share } = await setUp();
    put(200, 1000);
    await share(2000);
    for (let second = 0; second < 20; second += 1) {
      await share(1000);
      expect(cluster.worker.waiting).toBeLessThanOrEqual(1);
    }
    expect(await share(20_000)).toBe(1);
  });

  it('hoards no task of a minute', async () => {
    const { cluster, put, share } = await setUp();
    put(200, 60_000);
    // The first two come before anything is known.
    await share(180_000);
    for (let minute = 0; minute < 10; minute += 1) {
      await share(60_000);
      expect(cluster.worker.waiting).toBe(0);
    }
    expect(await share(600_000)).toBeGreaterThan(0.99);
  });

  it('goes from long tasks to short ones and back', async () => {
    const { cluster, put, share } = await setUp();
    put(5, 1000);
    put(3000, 1);
    put(100, 1000);
    await share(6500);
    expect(await share(1000)).toBeGreaterThanOrEqual(0.95);
    expect(cluster.worker.credit).toBeGreaterThan(100);
    await share(15_000);
    expect(cluster.worker.credit).toBeLessThanOrEqual(3);
  });

  it('tells how long its answers take, once that is measured', async () => {
    const { cluster, share } = await setUp();
    expect(cluster.worker).not.toHaveProperty('roundTrip');
    await share(100);
    expect(cluster.worker.roundTrip).toBe(100);
  });
});
