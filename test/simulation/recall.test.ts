// Whether work that is moved between workers gets anywhere.
import { describe, expect, it, onTestFinished } from 'vitest';
import { integerBelow, seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualCluster } from '../support/virtual-cluster.ts';

/** Counts by key. */
class Counter {
  readonly #counts = new Map<string, number>();

  count(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  get most(): number {
    return Math.max(0, ...this.#counts.values());
  }
}

describe('tasks that are moved between idle and busy workers', () => {
  it.each([1, 2, 3, 4, 5])('are not moved back and forth, and run once: seed %i', async (seed) => {
    const random = seededRandom(seed);
    const cluster = new VirtualCluster<number, null>();
    onTestFinished(() => cluster.stop());
    const { clock, scheduler, events } = cluster;
    const moves = new Counter();
    const starts = new Counter();
    events.on('leaseRecalled', ({ key }) => moves.count(key));
    events.on('attemptStarted', ({ key }) => starts.count(key));
    for (let worker = 0; worker < 4; worker += 1) {
      cluster.add(
        (durationMs) => new Promise((resolve) => clock.setTimer(durationMs, () => resolve(null))),
        { concurrency: 1 + integerBelow(random, 2), prefetch: 2 + integerBelow(random, 20) },
        1 + integerBelow(random, 40),
      );
    }
    await clock.advance(500);
    let done = 0;
    const tasks = 150;
    for (let task = 0; task < tasks; task += 1) {
      const durationMs = integerBelow(random, 10) === 0 ? 2000 : integerBelow(random, 200);
      void scheduler.put(durationMs).then(() => {
        done += 1;
      });
      if (integerBelow(random, 8) === 0) await clock.advance(integerBelow(random, 1000));
    }
    await clock.advanceUntil(() => done === tasks, 'all tasks', 600_000);
    expect(moves.most).toBeGreaterThan(0);
    expect(moves.most).toBeLessThanOrEqual(3);
    expect(starts.most).toBe(1);
  });
});
