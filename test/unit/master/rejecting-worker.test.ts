// A worker that declines all that it is given, which says nothing of how long tasks take.
import { describe, expect, it, onTestFinished } from 'vitest';
import { VirtualCluster } from '../../support/virtual-cluster.ts';

describe('a worker that declines every task at once', () => {
  it('is given no more of them for that', async () => {
    const cluster = new VirtualCluster<number, number>();
    onTestFinished(() => cluster.stop());
    cluster.add((task) => task, { accepts: () => false }, 50);
    for (let task = 0; task < 1000; task += 1) cluster.scheduler.put(task).catch(() => {});
    await cluster.clock.advance(5000);
    expect(cluster.worker.credit).toBe(2);
  });
});
