// Connections that do not hold: how the waits between them grow, and when they start anew.
import { describe, expect, it } from 'vitest';
import { VirtualWorker } from '../../support/worker.ts';

/** Connects, and is disconnected after a while, again and again; returns how long it waits each time. */
async function waitsAfter(durationsMs: readonly number[]): Promise<(number | undefined)[]> {
  const world = new VirtualWorker(() => undefined);
  const { worker, clock, network, master } = world;
  const waits: (number | undefined)[] = [];
  worker.on('disconnected', ({ retryDelay }) => waits.push(retryDelay));
  void worker.start();
  for (const durationMs of durationsMs) {
    await clock.advanceUntil(() => master.connections.length > waits.length, 'the next connection');
    await world.welcome();
    // In steps: a master that says nothing for three seconds is given up.
    for (let left = durationMs; left > 0; left -= 1000) {
      await clock.advance(Math.min(left, 1000));
      master.last.send([4, left]);
      await clock.settle();
    }
    network.lastLink.reset();
    await clock.settle();
  }
  await worker.stop();
  return waits;
}

describe('a Worker whose connections end', () => {
  it('waits ever longer, if each ends as soon as it is welcomed', async () => {
    expect(await waitsAfter(Array(9).fill(0))).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('starts anew after one that held for five seconds', async () => {
    expect(await waitsAfter([0, 0, 0, 5000, 0, 60_000, 0])).toEqual([500, 1000, 2000, 500, 1000, 500, 1000]);
  });

  it('does not for one that held for less', async () => {
    expect(await waitsAfter([0, 4999, 4999])).toEqual([500, 1000, 2000]);
  });
});
