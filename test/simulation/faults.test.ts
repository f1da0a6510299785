import { describe, expect, it } from 'vitest';
import { integerBelow } from '../../src/testing/seeded-random.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

/** Most of a minute of faults among tasks that come and go, then calm, until all is settled. */
async function live(seed: number): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster(seed);
  for (let step = 0; step < 50; step += 1) {
    for (let count = integerBelow(cluster.random, 4); count > 0; count -= 1) cluster.put();
    if (cluster.settlements.length > 0) cluster.disturb();
    await cluster.clock.advance(integerBelow(cluster.random, 2000));
    cluster.checkAll();
  }
  cluster.calm();
  const isSettled = (): boolean => cluster.settlements.every(({ count }) => count > 0);
  // The longest tasks time out three times each, one after the other in the worst case.
  await cluster.clock.advanceUntil(isSettled, 'every task to settle', cluster.settlements.length * 3 * 5000 + 120_000);
  return cluster;
}

describe('a cluster in which everything goes wrong', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))(
    'settles every task once, and leaves nothing behind: seed %i',
    async (seed) => {
      const cluster = await live(seed);
      expect(cluster.settlements.filter(({ count }) => count !== 1)).toEqual([]);
      expect(cluster.settlements.filter(({ outcome }) => outcome === 'wrong')).toEqual([]);
      const { queued, delayed, leased } = cluster.scheduler;
      expect({ queued, delayed, leased }).toEqual({ queued: 0, delayed: 0, leased: 0 });
      expect(cluster.settlements.some(({ outcome }) => outcome === 'done')).toBe(true);
      await cluster.stop();
      // What is left are handlers that do not listen to their signal.
      await cluster.clock.advance(60_000);
      expect(cluster.clock.pendingTimers).toBe(0);
      expect(cluster.members.map(({ page }) => page.watchers)).toEqual(cluster.members.map(() => 0));
    },
  );

  it('goes the same way again with the same seed', async () => {
    const [first, second] = [await live(7), await live(7)];
    expect(second.trace).toEqual(first.trace);
    expect(first.trace.length).toBeGreaterThan(50);
  });
});
