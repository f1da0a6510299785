// Moving leases that have not started from workers that are busy to those that are idle.
import { describe, expect, it, vi } from 'vitest';
import { Session } from '../../../src/master/session.ts';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import type { PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { grant, recall, cancel, done, failed, rejected, released, credit, pong, progress } = MessageType;

/**
 * A master with tasks 0, 1, 2, …, and a worker that holds them all, of which the first runs. `isNear`: it has answered the
 * first ping at once; otherwise it has not answered yet.
 */
async function setUp(
  tasks: number,
  description: Partial<WorkerDescription> = {},
  options: PutOptions = {},
  isNear = true,
) {
  const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 60_000, socketTimeoutMs: 600_000 });
  const outcomes = Array.from({ length: tasks }, (_, task) => follow(master.scheduler.put(task, options)));
  const busy = await join(master, { prefetch: tasks - 1, ...description }, isNear);
  busy.news();
  return { master, outcomes, busy, ...master };
}

async function join(
  master: VirtualMaster,
  description: Partial<WorkerDescription> = {},
  isNear = true,
): Promise<WorkerPeer> {
  const peer = await master.connect();
  peer.send(helloOf(description));
  await master.clock.settle();
  if (isNear) peer.send([pong, 1]);
  await master.clock.settle();
  return peer;
}

/** The tasks granted since this was asked last. */
function granted(peer: WorkerPeer): unknown[] {
  return peer.news().flatMap((message) => (message[0] === grant ? [message[4]] : []));
}

describe('a lease that waits at a busy worker while another is idle', () => {
  it('is asked back, and granted to the idle one when it is given back', async () => {
    const { master, clock, busy, outcomes } = await setUp(2);
    const idle = await join(master);
    expect(busy.news()).toEqual([[recall, 2]]);
    expect(granted(idle)).toEqual([]);
    busy.send([released, 2]);
    await clock.settle();
    expect(granted(idle)).toEqual([1]);
    // Though it has room for it.
    expect(busy.news()).toEqual([]);
    idle.send([done, 1, 'moved']);
    await clock.settle();
    expect(outcomes[1]?.()).toEqual({ status: 'fulfilled', value: 'moved' });
  });

  it('goes to the idle worker also if the frame that gives it back frees a slot where it waited', async () => {
    const { master, clock, busy } = await setUp(4);
    const idle = await join(master);
    expect(busy.news()).toEqual([[recall, 4]]);
    busy.send([done, 1, 'result'], [released, 4]);
    await clock.settle();
    expect([granted(busy), granted(idle)]).toEqual([[], [3]]);
  });

  it('is the last one of those that wait; moved ones keep their order', async () => {
    const { master, clock, busy } = await setUp(5);
    const idle = await join(master, { concurrency: 3 });
    expect(busy.news()).toEqual([
      [recall, 5],
      [recall, 4],
      [recall, 3],
    ]);
    busy.send([released, 5], [released, 4], [released, 3]);
    await clock.settle();
    expect(granted(idle)).toEqual([2, 3, 4]);
  });

  it('is asked back once, and no more leases than there are idle slots', async () => {
    const { master, clock, busy, scheduler } = await setUp(8);
    await join(master, { concurrency: 2 });
    expect(busy.news()).toHaveLength(2);
    // Whatever makes the master look again meanwhile.
    busy.send([progress, 1, 'still there'], [credit, 1, 7]);
    await join(master, { concurrency: 0 });
    void scheduler.put('for the one that is idle');
    await clock.settle();
    expect(busy.news()).toEqual([]);
  });

  it('moves as well when a worker becomes idle', async () => {
    const { master, clock, busy, scheduler } = await setUp(3);
    const other = await join(master, { concurrency: 0 });
    void scheduler.put('own', { priority: 1 });
    await clock.settle();
    other.send([credit, 1, 0]);
    await clock.settle();
    expect(granted(other)).toEqual(['own']);
    expect(busy.news()).toEqual([]);
    other.send([done, 1, null]);
    await clock.settle();
    expect(busy.news()).toEqual([[recall, 3]]);
  });

  it('is taken from the worker where it would wait longest', async () => {
    const { master, clock, busy, scheduler } = await setUp(1, { prefetch: 1 });
    await clock.advance(10);
    busy.send([done, 1, null]);
    const slow = await join(master, { concurrency: 0 });
    void scheduler.put('for both');
    void scheduler.put('for both');
    await clock.settle();
    slow.send([credit, 1, 1]);
    void scheduler.put('for slow');
    await clock.advance(500);
    slow.send([done, 1, null]);
    for (const task of [1, 2]) void scheduler.put(task);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ waiting: 1 }, { waiting: 1 }]);
    busy.send([done, 2, null]);
    void scheduler.put('next');
    await clock.settle();
    busy.news();
    slow.news();
    await join(master);
    expect([busy.news(), slow.news()]).toEqual([[], [[recall, 3]]]);
  });

  it('stays if it starts before the worker hears of it', async () => {
    const { master, clock, busy, outcomes } = await setUp(2);
    const idle = await join(master);
    expect(busy.news()).toEqual([[recall, 2]]);
    busy.send([done, 1, null]);
    await clock.advance(10_000);
    expect(busy.news()).toEqual([]);
    busy.send([done, 2, 'stayed']);
    await clock.settle();
    expect(outcomes[1]?.()).toEqual({ status: 'fulfilled', value: 'stayed' });
    expect(granted(idle)).toEqual([]);
    expect(master.attempts).toEqual(['done 0', 'done 10000']);
    expect(master.sessions.list()).toMatchObject([{ recalled: 0, done: 2 }, { recalled: 0 }]);
  });

  it.each([
    ['accept', { accepts: ['b'] }, {}],
    ['have what it requires', { labels: { gpu: false } }, { requires: { gpu: true } }],
  ])('is not asked back for one that does not %s', async (_what, idle, options: PutOptions) => {
    const { master, clock, busy } = await setUp(3, { labels: { gpu: true } }, options);
    await join(master, idle);
    await clock.advance(5000);
    expect(busy.news()).toEqual([]);
  });

  it('is not asked back for one that has refused it', async () => {
    const { master, clock, busy } = await setUp(2);
    const picky = await join(master);
    busy.news();
    busy.send([released, 2]);
    await clock.settle();
    picky.send([rejected, 1, 'not here']);
    await clock.advance(5000);
    expect(granted(busy)).toEqual([1]);
    // Another one may well have it.
    await join(master);
    expect(busy.news()).toEqual([[recall, 3]]);
  });

  it('is asked back for the one among many idle ones that has not refused it', async () => {
    const { master, clock, busy, scheduler } = await setUp(1, { concurrency: 1, prefetch: 0 });
    for (let count = 0; count < 20; count += 1) {
      const picky = await join(master);
      if (count === 0) void scheduler.put('disliked');
      await clock.settle();
      expect(granted(picky)).toEqual(['disliked']);
      picky.send([rejected, 1, 'not here']);
      await clock.settle();
    }
    busy.send([credit, 1, 1, 1]);
    await clock.settle();
    expect(granted(busy)).toEqual(['disliked']);
    expect(busy.news()).toEqual([]);
    const keen = await join(master);
    expect(busy.news()).toEqual([[recall, 2]]);
    busy.send([released, 2]);
    await clock.settle();
    expect(granted(keen)).toEqual(['disliked']);
  });

  it('is asked back only as often as there are idle slots that suit', async () => {
    const { master, clock, busy, scheduler } = await setUp(1, { concurrency: 1, prefetch: 6 });
    for (const type of ['a', 'a', 'b', 'a', 'b', 'b']) void scheduler.put({ type });
    await clock.settle();
    expect(granted(busy)).toHaveLength(6);
    await join(master, { accepts: ['a'] });
    expect(busy.news()).toEqual([[recall, 5]]);
    await join(master, { accepts: ['c'], concurrency: 100 });
    expect(busy.news()).toEqual([]);
    await join(master, { accepts: ['b'], concurrency: 2 });
    expect(busy.news()).toEqual([
      [recall, 7],
      [recall, 6],
    ]);
  });

  it('tells of it, and is counted, when it is given back', async () => {
    const { master, clock, busy } = await setUp(2);
    await join(master);
    expect(master.events.filter(({ type }) => type === 'leaseRecalled')).toEqual([]);
    busy.send([released, 2]);
    await clock.settle();
    expect(master.events.filter(({ type }) => type === 'leaseRecalled')).toMatchObject([
      { worker: { id: 'w1', recalled: 1, waiting: 0 }, key: '1', task: 1 },
    ]);
    expect(master.sessions.list()).toMatchObject([{ recalled: 1 }, { recalled: 0 }]);
    // It has not started there, so nothing has ended.
    expect(master.attempts).toEqual([]);
  });

  it('comes again as the same attempt, of which there are as many as before', async () => {
    const { master, clock, busy, outcomes } = await setUp(2, {}, { maxAttempts: 1 });
    const idle = await join(master);
    busy.send([released, 2]);
    await clock.settle();
    expect(idle.news().at(-1)).toEqual([grant, 1, 1, '1', 1]);
    idle.send([failed, 1, { name: 'E', message: 'm' }]);
    await clock.settle();
    expect(outcomes[1]?.()).toMatchObject({ reason: { attempts: [{ attempt: 1 }] } });
  });

  it('is not missed when its worker leaves', async () => {
    const { master, clock, busy } = await setUp(2);
    const idle = await join(master);
    busy.close(1000, 'bye');
    await clock.settle();
    expect(granted(idle)).toEqual([0]);
    expect([master.scheduler.queued, master.scheduler.leased]).toEqual([1, 1]);
  });

  it('is asked back from a worker that is paused, too', async () => {
    const { master, clock, busy } = await setUp(2);
    busy.send([credit, 0, 1]);
    await clock.settle();
    const idle = await join(master);
    expect(busy.news()).toEqual([[recall, 2]]);
    busy.send([released, 2]);
    await clock.settle();
    expect(granted(idle)).toEqual([1]);
  });

  it('ends like any other if its task is aborted meanwhile', async () => {
    const controller = new AbortController();
    const { master, clock, busy, scheduler } = await setUp(1, { prefetch: 1 });
    const outcome = follow(scheduler.put('aborted', { signal: controller.signal }));
    await clock.settle();
    await join(master);
    controller.abort('why');
    await clock.advance(1000);
    expect(busy.news().slice(1)).toEqual([
      [recall, 2],
      [cancel, 2, 'aborted'],
    ]);
    expect(outcome()).toEqual({ status: 'rejected', reason: 'why' });
    busy.send([released, 2]);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ waiting: 0, recalled: 0 }, {}]);
  });
});

describe('a lease that is not given back in time', () => {
  it('is taken back, and granted to the idle worker', async () => {
    const { master, clock, busy, outcomes } = await setUp(2);
    const idle = await join(master);
    busy.news();
    await clock.advance(99);
    expect(granted(idle)).toEqual([]);
    await clock.advance(1);
    expect(busy.news()).toEqual([[cancel, 2, 'recalled']]);
    expect(granted(idle)).toEqual([1]);
    expect(master.events.filter(({ type }) => type === 'leaseRecalled')).toHaveLength(1);
    expect(master.sessions.list()).toMatchObject([{ recalled: 1 }, {}]);
    // A late result changes nothing, and is counted.
    busy.send([done, 1, 'of the first'], [done, 2, 'late']);
    idle.send([done, 1, 'in time']);
    await clock.settle();
    expect(outcomes.map((outcome) => outcome())).toMatchObject([{ value: 'of the first' }, { value: 'in time' }]);
    expect(master.sessions.list()).toMatchObject([{ done: 1, late: 1 }, { done: 1 }]);
    expect(master.attempts).toEqual(['done 100', 'done 0']);
  });

  it.each(['auto', 1] as const)('has as long as it takes over a long line: prefetch %s', async (prefetch) => {
    const { master, clock, busy } = await setUp(1, { prefetch }, {}, false);
    await clock.advance(200);
    busy.send([pong, 1]);
    await clock.settle();
    void master.scheduler.put('waits');
    await clock.settle();
    expect(granted(busy)).toEqual(['waits']);
    // It is not worth it before.
    await clock.advance(200);
    await join(master);
    expect(busy.news()).toEqual([[recall, 2]]);
    await clock.advance(799);
    expect(busy.news()).toEqual([]);
    await clock.advance(1);
    expect(busy.news()).toEqual([[cancel, 2, 'recalled']]);
  });

  it('has two seconds as long as the line is not known', async () => {
    const { master, clock, busy } = await setUp(3, {}, {}, false);
    const first = await join(master);
    expect(busy.news()).toEqual([[recall, 3]]);
    await clock.advance(1999);
    expect(busy.news()).toEqual([]);
    await clock.advance(1);
    expect(busy.news()).toEqual([[cancel, 3, 'recalled']]);
    expect(granted(first)).toEqual([2]);
  });

  it('keeps its room at the worker until that has answered', async () => {
    const { master, clock, busy, scheduler } = await setUp(2);
    await join(master);
    await clock.advance(100);
    busy.news();
    void scheduler.put('next');
    await clock.settle();
    expect(busy.news()).toEqual([]);
    busy.send([released, 2]);
    await clock.settle();
    expect(granted(busy)).toEqual(['next']);
  });
});

/** The worker has a round trip of 100 ms, has shown that tasks take it 30 ms, and holds tasks 1 to 8. */
async function setUpFarAway() {
  const world = await setUp(9, { prefetch: 'auto' }, {}, false);
  const { clock, busy } = world;
  await clock.advance(100);
  busy.send([pong, 1]);
  await clock.advance(30);
  busy.send([done, 1, null]);
  await clock.settle();
  busy.news();
  expect(world.master.sessions.list()).toMatchObject([{ roundTrip: 100, running: 1, waiting: 7 }]);
  return world;
}

describe('a lease that will start before it could be moved', () => {
  it('stays where it is', async () => {
    const { master, busy } = await setUpFarAway();
    await join(master, { concurrency: 8 });
    // The one at the fourth place is expected to wait for 120 ms, the one at the third for 90 ms.
    expect(busy.news().flatMap((message) => (message[0] === recall ? [message[1]] : []))).toEqual([9, 8, 7, 6]);
  });

  it('is asked back after all if it does not start', async () => {
    const { master, clock, busy } = await setUpFarAway();
    await join(master, { concurrency: 8 });
    busy.news();
    busy.send([released, 9], [released, 8], [released, 7], [released, 6]);
    await clock.advance(100);
    expect(busy.news()).toEqual([]);
    // They have waited longer by now than it takes to move them.
    await clock.advance(100);
    expect(busy.news()).toEqual([
      [recall, 5],
      [recall, 4],
      [recall, 3],
    ]);
  });
});

describe('looking for what can be moved', () => {
  it('leaves nothing behind when the workers are gone', async () => {
    const { master, clock, busy } = await setUpFarAway();
    const idle = await join(master, { concurrency: 8 });
    busy.close(1000);
    idle.close(1000);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes a tenth of the time at most, however much there is to look at', async () => {
    const { master, clock, busy, scheduler } = await setUp(0, { prefetch: 20 });
    let looked = 0;
    const take = scheduler.take.bind(scheduler);
    scheduler.take = async (...args) => {
      const leases = await take(...args);
      for (const lease of leases) {
        lease.suits = () => {
          looked += 1;
          clock.jump(1);
          return false;
        };
      }
      return leases;
    };
    const put = async (): Promise<void> => {
      void scheduler.put('task');
      await clock.settle();
    };
    await join(master, { accepts: ['something else'] });
    for (let task = 0; task < 11; task += 1) await put();
    looked = 0;
    const startMs = clock.now();
    for (let step = 0; step < 500; step += 1) {
      await clock.advance(1);
      busy.send([credit, 1, 20]);
    }
    await clock.settle();
    expect(looked).toBeGreaterThan(10);
    expect(looked / (clock.now() - startMs)).toBeLessThan(0.12);
  });

  it('costs the same, however many idle workers of a kind there are that take nothing of it', async () => {
    const looks = async (others: number): Promise<number> => {
      const { master, clock, busy } = await setUp(3);
      for (let count = 0; count < others; count += 1) await join(master, { accepts: ['something else'] });
      await clock.advance(1000);
      const idleSlots = vi.spyOn(Session.prototype, 'idleSlots', 'get');
      busy.send([credit, 1, 2]);
      await clock.advance(1000);
      const { length } = idleSlots.mock.calls;
      idleSlots.mockRestore();
      return length;
    };
    expect(await looks(50)).toBe(await looks(1));
  });
});
