// What the master knows of its workers, for a dashboard.
import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { done, failed, credit } = MessageType;

async function setUp(tasks: number, description: Partial<WorkerDescription>) {
  const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 600_000, socketTimeoutMs: 600_000 });
  for (let task = 0; task < tasks; task += 1) master.scheduler.put(task, { maxAttempts: 1 }).catch(() => {});
  const peer = await master.connect();
  peer.send(helloOf(description));
  await master.clock.settle();
  const info = () => master.sessions.list()[0] ?? expect.unreachable('Nobody is connected');
  return { master, clock: master.clock, peer, info };
}

describe('what is known of a worker', () => {
  it('is what it says of itself, and what it holds', async () => {
    const labels = { gpu: true, memory: 8 };
    const accepts = ['a', 'b'];
    const { info, clock, master } = await setUp(0, { concurrency: 2, prefetch: 3, labels, accepts });
    for (let n = 0; n < 10; n += 1) master.scheduler.put({ type: 'a' }).catch(() => {});
    await clock.settle();
    expect(info()).toEqual({
      id: 'w1',
      name: 'peer',
      platform: 'test',
      labels,
      accepts,
      connectedAt: clock.epochNow(),
      isInterrupted: false,
      concurrency: 2,
      prefetch: 3,
      credit: 5,
      running: 2,
      waiting: 3,
      done: 0,
      failed: 0,
      recalled: 0,
      rate: 0,
      late: 0,
    });
  });

  it('has no labels, and accepts all tasks, if it has said nothing of them', async () => {
    const { info } = await setUp(0, {});
    expect(info().labels).toEqual({});
    expect(info()).not.toHaveProperty('accepts');
  });

  it('follows its credit', async () => {
    const { info, clock, peer } = await setUp(0, { prefetch: 'auto' });
    expect(info()).toMatchObject({ concurrency: 1, prefetch: 'auto', credit: 2 });
    peer.send([credit, 4, 7]);
    await clock.settle();
    expect(info()).toMatchObject({ concurrency: 4, prefetch: 7, credit: 11 });
    peer.send([credit, 0, 7]);
    await clock.settle();
    expect(info()).toMatchObject({ concurrency: 0, credit: 0 });
  });

  it('counts results and failures, and tells the rate of results per second', async () => {
    const { info, clock, peer } = await setUp(1000, { concurrency: 1 });
    let lease = 0;
    const answer = async (count: number, everyMs: number): Promise<void> => {
      for (let task = 0; task < count; task += 1) {
        await clock.advance(everyMs);
        lease += 1;
        peer.send([done, lease, null]);
      }
      await clock.settle();
    };
    await answer(100, 250);
    expect(info().done).toBe(100);
    expect(info().rate).toBeCloseTo(4, 0);
    await clock.advance(60_000);
    expect(info().rate).toBeLessThan(0.1);
    lease += 1;
    peer.send([failed, lease, { name: 'E', message: 'm' }]);
    await clock.settle();
    expect(info()).toMatchObject({ done: 100, failed: 1 });
  });
});
