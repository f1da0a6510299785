import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { grant, cancel, done, failed, rejected, released, credit, pong } = MessageType;

/** A master with tasks 0, 1, 2, … and a worker that is welcome. */
async function setUp(tasks: number, description: Partial<WorkerDescription> = {}, limits = {}, options = {}) {
  const master = new VirtualMaster<unknown, unknown>(limits, options);
  const outcomes = Array.from({ length: tasks }, (_, task) => follow(master.scheduler.put(task)));
  const peer = await join(master, description);
  return { master, outcomes, peer, ...master };
}

async function join(master: VirtualMaster, description: Partial<WorkerDescription> = {}): Promise<WorkerPeer> {
  const peer = await master.connect();
  peer.send(helloOf(description));
  await master.clock.settle();
  return peer;
}

/** The tasks granted since this was asked last. */
function granted(peer: WorkerPeer): unknown[] {
  return peer.news().flatMap((message) => (message[0] === grant ? [message[4]] : []));
}

describe('Session', () => {
  it('grants as many leases as the worker has credit for, in order', async () => {
    const { peer } = await setUp(10, { concurrency: 2, prefetch: 3 });
    expect(peer.news().slice(2)).toEqual([0, 1, 2, 3, 4].map((task) => [grant, task + 1, 1, String(task), task]));
  });

  it('grants the next when one is answered, whatever the answer', async () => {
    const { clock, peer } = await setUp(10, { concurrency: 2 });
    expect(granted(peer)).toEqual([0, 1]);
    peer.send([done, 1, 'result'], [rejected, 2, 'no']);
    await clock.settle();
    expect(granted(peer)).toEqual([2, 3]);
    peer.send([failed, 3, { name: 'E', message: 'm' }], [released, 4]);
    await clock.settle();
    // They come back to their places, before all others.
    expect(granted(peer)).toEqual([2, 3]);
  });

  it('grants what is put later', async () => {
    const { clock, peer, scheduler } = await setUp(0, { concurrency: 2 });
    void scheduler.put('later');
    await clock.settle();
    expect(granted(peer)).toEqual(['later']);
  });

  it('grants nothing while the credit is 0', async () => {
    const { clock, peer, master } = await setUp(10, { concurrency: 0, prefetch: 5 });
    expect(granted(peer)).toEqual([]);
    peer.send([credit, 1, 1]);
    await clock.settle();
    expect(granted(peer)).toEqual([0, 1]);
    peer.send([credit, 0, 1], [done, 1, 'result'], [released, 2]);
    await clock.settle();
    expect(granted(peer)).toEqual([]);
    expect(master.sessions.list()).toMatchObject([{ concurrency: 0, running: 0, done: 1 }]);
  });

  it('takes nothing back when the credit is lowered, and grants up to the new one', async () => {
    const { clock, peer } = await setUp(10, { concurrency: 4 });
    expect(granted(peer)).toEqual([0, 1, 2, 3]);
    peer.send([credit, 2, 0]);
    await clock.settle();
    peer.send([done, 1, null], [done, 2, null]);
    await clock.settle();
    expect(peer.news()).toEqual([]);
    peer.send([done, 3, null]);
    await clock.settle();
    expect(granted(peer)).toEqual([4]);
  });

  it('grants by a credit that was raised while there was nothing to do', async () => {
    const { clock, peer, scheduler } = await setUp(0, { concurrency: 1 });
    peer.send([credit, 3, 0]);
    await clock.settle();
    for (const task of [1, 2, 3, 4]) void scheduler.put(task);
    await clock.settle();
    expect(granted(peer)).toEqual([1, 2, 3]);
  });

  it.each([
    [1, 1],
    [0, 0],
  ])(
    'does not grant by a credit that was lowered since, while there was nothing to do: to %i',
    async (concurrency, count) => {
      const { clock, peer, scheduler } = await setUp(0, { concurrency: 3 });
      peer.send([credit, concurrency, 0]);
      await clock.settle();
      for (const task of [1, 2, 3, 4]) void scheduler.put(task);
      await clock.settle();
      expect(granted(peer)).toHaveLength(count);
    },
  );

  it('grants only what the worker accepts', async () => {
    const { clock, peer, scheduler } = await setUp(0, { concurrency: 9, accepts: ['b'] });
    for (const type of ['a', 'b', 'c', 'b']) void scheduler.put({ type });
    await clock.settle();
    expect(granted(peer)).toEqual([{ type: 'b' }, { type: 'b' }]);
  });

  it('settles a task with its result', async () => {
    const { clock, peer, outcomes, master } = await setUp(1);
    await clock.advance(70);
    peer.send([done, 1, { n: 55n }]);
    await clock.settle();
    expect(outcomes[0]?.()).toEqual({ status: 'fulfilled', value: { n: 55n } });
    expect(master.attempts).toEqual(['done 70']);
    expect(master.sessions.list()).toMatchObject([{ running: 0, done: 1, failed: 0 }]);
  });

  it('fails an attempt with the error that the handler threw', async () => {
    const { clock, peer, outcomes, master } = await setUp(1, {}, {}, { maxAttempts: 1 });
    peer.send([failed, 1, { name: 'RangeError', message: 'no', stack: 'RangeError: no\n at x', code: 'E' }]);
    await clock.settle();
    expect(outcomes[0]?.()).toMatchObject({
      reason: { attempts: [{ attempt: 1, worker: 'peer', error: { name: 'RangeError', message: 'no', code: 'E' } }] },
    });
    expect(master.attempts).toEqual(['failed 0']);
    expect(master.sessions.list()).toMatchObject([{ running: 0, done: 0, failed: 1 }]);
  });

  it('offers a rejected task to another worker', async () => {
    const { clock, peer, master } = await setUp(1);
    peer.send([rejected, 1, 'not here']);
    const other = await join(master);
    await clock.settle();
    expect(granted(other)).toEqual([0]);
    expect(master.attempts).toEqual(['rejected 0']);
  });

  it('cancels the attempt at a task that is aborted, and keeps its slot until it is answered', async () => {
    const { clock, peer, scheduler, master } = await setUp(0, { concurrency: 1 });
    const controller = new AbortController();
    const outcome = follow(scheduler.put('aborted', { signal: controller.signal }));
    void scheduler.put('next');
    await clock.settle();
    expect(granted(peer)).toEqual(['aborted']);
    controller.abort('why');
    await clock.advance(10);
    expect(peer.news()).toEqual([[cancel, 1, 'aborted']]);
    expect(outcome()).toEqual({ status: 'rejected', reason: 'why' });
    expect(master.attempts).toEqual(['aborted 0']);
    peer.send([released, 1]);
    await clock.settle();
    expect(granted(peer)).toEqual(['next']);
    expect(master.sessions.list()).toMatchObject([{ late: 0 }]);
  });

  it('counts results that come after all, and changes nothing', async () => {
    const { clock, peer, scheduler, master } = await setUp(0, { concurrency: 2 });
    const controller = new AbortController();
    for (const task of ['a', 'b']) follow(scheduler.put(task, { signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await clock.settle();
    peer.send([done, 1, 'late'], [failed, 2, { name: 'E', message: 'aborted' }]);
    peer.send([done, 1, 'again']);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ running: 0, done: 0, failed: 0, late: 2 }]);
    expect(peer.end).toBeUndefined();
    expect(master.attempts).toEqual(['aborted 0', 'aborted 0']);
  });

  it('cancels a lease that waits at the worker without telling of an attempt', async () => {
    const { clock, peer, scheduler, master } = await setUp(1, { concurrency: 1, prefetch: 1 });
    const controller = new AbortController();
    follow(scheduler.put('waits', { signal: controller.signal }));
    await clock.settle();
    expect(granted(peer)).toEqual([0, 'waits']);
    controller.abort();
    await clock.settle();
    expect(peer.news()).toEqual([[cancel, 2, 'aborted']]);
    expect(master.attempts).toEqual([]);
  });

  it.each([0, 2, 99])('ends with 4409 at an answer for a lease that it never granted: %i', async (lease) => {
    const { clock, peer, outcomes } = await setUp(1);
    peer.send([done, lease, 'mine'], [done, 1, 'too late']);
    await clock.settle();
    expect(peer.end).toBe(`4409 Lease ${lease} was never granted on this connection`);
    expect(outcomes[0]?.()).toEqual({ status: 'pending' });
  });

  it('cannot be answered for by another worker', async () => {
    const { clock, peer, master, outcomes } = await setUp(2);
    const other = await join(master);
    expect([granted(peer), granted(other)]).toEqual([[0], [1]]);
    // Both know their lease as number 1.
    other.send([done, 1, 'of the other']);
    await clock.settle();
    expect(outcomes.map((outcome) => outcome().status)).toEqual(['pending', 'fulfilled']);
  });

  it('discards a task that cannot be sent, and goes on with the next', async () => {
    const { clock, peer, scheduler, master } = await setUp(0, {}, { maxFrameBytes: 100_000 });
    const outcomes = [() => 1, 'x'.repeat(200_000), 'fits'].map((task) => follow(scheduler.put(task)));
    await clock.settle();
    expect(outcomes.map((outcome) => outcome())).toMatchObject([
      { reason: { code: 'TASKDIST_NOT_SERIALIZABLE' } },
      { reason: { code: 'TASKDIST_TOO_LARGE' } },
      { status: 'pending' },
    ]);
    expect(granted(peer)).toEqual(['fits']);
    expect(master.sessions.list()).toMatchObject([{ running: 1 }]);
  });

  it('discards thousands of them that were put at once', async () => {
    const { clock, scheduler, master } = await setUp(0);
    const outcomes = Array.from({ length: 10_000 }, () => follow(scheduler.put(() => 1)));
    await clock.settle();
    expect(new Set(outcomes.map((outcome) => outcome().status))).toEqual(new Set(['rejected']));
    expect(master.sessions.list()).toMatchObject([{ running: 0 }]);
  });

  it('hears a pong and says nothing', async () => {
    const { clock, peer } = await setUp(0);
    peer.news();
    peer.send([pong, 12]);
    await clock.settle();
    expect([peer.news(), peer.end]).toEqual([[], undefined]);
  });
});
