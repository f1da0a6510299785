// Lines that stop and go while large tasks and results are on their way: everything settles all the same.
import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/ports.ts';
import { integerBelow, pick, seededRandom } from '../../src/testing/seeded-random.ts';
import type { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import type { VirtualSocket } from '../../src/testing/virtual-socket.ts';
import { VirtualCluster } from '../support/virtual-cluster.ts';

interface Task {
  readonly n: number;
  readonly payload: unknown;
}

const TASKS = 600;
const WORKERS = 3;
/** The last ones are some at which a worker was once held back for ever by a line that had been lost. */
const SEEDS = [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 3, 32, 37, 48, 56];

/** Adds workers whose results are large, and which tell of large progress, decline, and fail. The last one declines nothing. */
function addWorkers(cluster: VirtualCluster<Task, Uint8Array>, random: Random): VirtualNetwork[] {
  return Array.from({ length: WORKERS }, (_, index) =>
    cluster.add(
      async ({ n }, context) => {
        if (random() < 0.2) context.progress(new Uint8Array(20_000));
        if (random() < 0.3) {
          await new Promise<void>((resolve) => void cluster.clock.setTimer(integerBelow(random, 50), resolve));
        }
        if (index < WORKERS - 1 && random() < 0.1) context.reject('not this one');
        if (random() < 0.1) throw new Error('failed');
        return new Uint8Array(1 + integerBelow(random, 60_000)).fill(n);
      },
      { concurrency: 1 + index, prefetch: pick(random, ['auto', 0, 20, 200] as const), grace: 500 },
      1 + integerBelow(random, 20),
    ),
  );
}

function socketsOf({ links }: VirtualNetwork): VirtualSocket[] {
  return links.flatMap(({ client, server }) => (server === undefined ? [client] : [client, server]));
}

/** One end of one line reads nothing any more, reads again, or is gone. */
function disturb(networks: readonly VirtualNetwork[], random: Random): void {
  const ends = networks.flatMap((network) => socketsOf(network).slice(-2));
  if (ends.length === 0) return;
  const end = pick(random, ends);
  const chance = random();
  if (chance < 0.5) end.stall();
  else if (chance < 0.85) end.flow(random() < 0.6);
  else end.terminate();
}

describe('a cluster whose lines stop and go', () => {
  it.each(SEEDS)('settles everything, once (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const cluster = new VirtualCluster<Task, Uint8Array>({ maxAttempts: 50, maxDeliveries: 500 });
    const { clock, scheduler } = cluster;
    const networks = addWorkers(cluster, random);
    const controllers: AbortController[] = [];
    const outcomes: string[] = [];
    for (let n = 0; n < TASKS; n += 1) {
      const controller = new AbortController();
      controllers.push(controller);
      const payload = random() < 0.05 ? () => {} : new Uint8Array(integerBelow(random, 50_000));
      scheduler.put({ n, payload }, { signal: controller.signal, priority: integerBelow(random, 3) }).then(
        (result) => outcomes.push(result[0] === n % 256 ? 'done' : 'wrong'),
        () => outcomes.push('rejected'),
      );
      if (random() < 0.1) await clock.advance(integerBelow(random, 30));
      if (random() < 0.05) disturb(networks, random);
      if (random() < 0.02) pick(random, controllers).abort();
    }
    for (let step = 0; step < 600 && outcomes.length < TASKS; step += 1) {
      for (const socket of networks.flatMap(socketsOf)) socket.flow(random() < 0.5);
      await clock.advance(500);
    }
    const { queued, leased, delayed } = scheduler;
    expect({ settled: outcomes.length, wrong: outcomes.includes('wrong'), queued, leased, delayed }).toEqual({
      settled: TASKS,
      wrong: false,
      queued: 0,
      leased: 0,
      delayed: 0,
    });
    await cluster.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
