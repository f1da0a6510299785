// Leases that wait at a busy worker while another one is idle.
import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import { follow, type Outcome } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { grant, cancel, recall, done, rejected, released, credit, pong, ping } = MessageType;

/** A worker that is welcome; it says only what the test says. */
async function join(master: VirtualMaster, description: Partial<WorkerDescription> = {}): Promise<WorkerPeer> {
  const peer = await master.connect();
  peer.send(helloOf(description));
  await master.clock.settle();
  return peer;
}

/** A master that put those tasks, and a worker that runs the first, and holds the others. */
async function setUp(tasks: readonly unknown[], description: Partial<WorkerDescription> = {}) {
  const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 600_000, socketTimeoutMs: 30_000 });
  const { clock, scheduler } = master;
  const controllers = tasks.map(() => new AbortController());
  const outcomes: (() => Outcome<unknown>)[] = tasks.map((task, index) =>
    follow(scheduler.put(task, { signal: controllers[index]!.signal })),
  );
  const busy = await join(master, { name: 'busy', concurrency: 1, prefetch: tasks.length - 1, ...description });
  busy.news();
  return { master, clock, scheduler, busy, outcomes, controllers };
}

/** What a worker has heard of leases since this was asked last: `grant` and the task, or the word and the lease. */
function heard(peer: WorkerPeer): string[] {
  return peer.news().flatMap((message) => {
    switch (message[0]) {
      case grant:
        return [`grant ${JSON.stringify(message[4])}`];
      case recall:
        return [`recall ${message[1]}`];
      case cancel:
        return [`cancel ${message[1]} ${message[2]}`];
      default:
        return [];
    }
  });
}

describe('a lease that waits while another worker is idle', () => {
  it('is asked back, and granted to that worker', async () => {
    const { clock, master, busy, outcomes } = await setUp(['a', 'b']);
    const idle = await join(master, { name: 'idle' });
    expect([heard(busy), heard(idle)]).toEqual([['recall 2'], []]);
    busy.send([released, 2]);
    await clock.settle();
    expect([heard(busy), heard(idle)]).toEqual([[], ['grant "b"']]);
    idle.send([done, 1, 'B']);
    busy.send([done, 1, 'A']);
    await clock.settle();
    expect(outcomes.map((outcome) => outcome())).toEqual([
      { status: 'fulfilled', value: 'A' },
      { status: 'fulfilled', value: 'B' },
    ]);
  });

  it('is told of, and counted, once it is given back', async () => {
    const { clock, master, busy } = await setUp(['a', 'b']);
    await join(master, { name: 'idle' });
    const recalled = () => master.events.filter(({ type }) => type === 'leaseRecalled');
    expect(recalled()).toEqual([]);
    busy.send([released, 2]);
    await clock.settle();
    expect(recalled()).toMatchObject([{ worker: { name: 'busy', recalled: 1 }, key: '1', task: 'b' }]);
    expect(master.sessions.list()).toMatchObject([{ recalled: 1 }, { recalled: 0 }]);
    // It had not started there.
    expect(master.attempts).toEqual([]);
  });

  it('costs the task neither an attempt nor a delivery', async () => {
    const { clock, master, busy } = await setUp(['a', 'b']);
    const idle = await join(master);
    busy.send([released, 2]);
    await clock.settle();
    expect(idle.news().at(-1)).toEqual([grant, 1, 1, '1', 'b']);
    expect(master.scheduler.stats().total).toMatchObject({ failures: 0, losses: 0, rejections: 0 });
  });

  it('is the one that was granted last', async () => {
    const { clock, master, busy } = await setUp(['a', 'b', 'c', 'd', 'e']);
    const idle = await join(master, { concurrency: 2 });
    expect(heard(busy)).toEqual(['recall 5', 'recall 4']);
    busy.send([released, 5], [released, 4]);
    await clock.settle();
    // The older one first, as in any queue.
    expect(heard(idle)).toEqual(['grant "d"', 'grant "e"']);
  });

  it('is not asked back for more slots than are idle, however often the load changes', async () => {
    const { clock, master, busy, scheduler } = await setUp(['a', 'b', 'c', 'd', 'e', 'f']);
    await join(master, { concurrency: 2 });
    expect(heard(busy)).toEqual(['recall 6', 'recall 5']);
    busy.send([credit, 1, 5]);
    await clock.settle();
    busy.send([credit, 1, 4]);
    await clock.settle();
    expect(heard(busy)).toEqual([]);
    expect(scheduler.leased).toBe(6);
  });

  it('is not asked back for slots of workers that could not take it, whoever else is idle', async () => {
    const tasks = ['a', 'b', 'c', 'd', 'e'].map((n) => ({ type: 'x', n }));
    const { clock, master, busy } = await setUp(tasks);
    const y = await join(master, { accepts: ['y'], concurrency: 4 });
    const x = await join(master, { accepts: ['x'], concurrency: 1 });
    expect(heard(busy)).toEqual(['recall 5']);
    busy.send([credit, 1, 3]);
    await clock.settle();
    expect(heard(busy)).toEqual([]);
    busy.send([released, 5]);
    await clock.settle();
    expect([heard(busy), heard(x), heard(y)]).toEqual([[], ['grant {"type":"x","n":"e"}'], []]);
  });

  it('is taken from whoever would keep it waiting for longest', async () => {
    const { clock, master, busy, scheduler } = await setUp(['a', 'b']);
    for (const task of ['c', 'd', 'e']) void scheduler.put(task);
    const busier = await join(master, { name: 'busier', prefetch: 2 });
    // Both know by now that their tasks take a second; the queue is empty.
    await clock.advance(1000);
    heard(busy);
    heard(busier);
    void scheduler.put('f');
    void scheduler.put('g');
    busy.send([done, 1, 0]);
    busier.send([done, 1, 0]);
    await clock.settle();
    expect([heard(busy), heard(busier)]).toEqual([['grant "f"'], ['grant "g"']]);
    await join(master);
    expect([heard(busy), heard(busier)]).toEqual([[], ['recall 4']]);
  });

  it('goes to the idle worker also if the same frame frees a slot where it waited', async () => {
    const { clock, master, busy } = await setUp(['a', 'b', 'c', 'd']);
    const idle = await join(master);
    expect(heard(busy)).toEqual(['recall 4']);
    busy.send([done, 1, 'A'], [released, 4]);
    await clock.settle();
    expect([heard(busy), heard(idle)]).toEqual([[], ['grant "d"']]);
  });

  it('does not go back and forth between two workers', async () => {
    const { clock, master, busy } = await setUp(['a', 'b']);
    const idle = await join(master, { prefetch: 1 });
    busy.send([released, 2]);
    await clock.settle();
    expect([heard(busy), heard(idle)]).toEqual([['recall 2'], ['grant "b"']]);
    // Both run one, and each would like to hold another.
    for (let second = 0; second < 20; second += 1) {
      await clock.advance(1000);
      for (const peer of [busy, idle]) peer.send([pong, 0]);
      expect([heard(busy), heard(idle)]).toEqual([[], []]);
    }
  });

  it('is asked back when a worker falls idle, too', async () => {
    const { clock, master, busy, scheduler } = await setUp(['a', 'b', 'c']);
    void scheduler.put('d');
    const other = await join(master);
    expect([heard(busy), heard(other)]).toEqual([[], ['grant "d"']]);
    other.send([done, 1, 'D']);
    await clock.settle();
    expect(heard(busy)).toEqual(['recall 3']);
  });

  it('is not asked back while the queue has something for the idle one', async () => {
    const { master, busy, scheduler } = await setUp(['a', 'b']);
    void scheduler.put('c');
    const other = await join(master);
    expect([heard(busy), heard(other)]).toEqual([[], ['grant "c"']]);
  });
});

describe('a lease that is not asked back', () => {
  const typed = ['a', 'b'].map((n) => ({ type: 'x', n }));

  it.each<[string, Partial<WorkerDescription>]>([
    ['accepts other types', { accepts: ['y'] }],
    ['takes nothing at the moment', { concurrency: 0, prefetch: 5 }],
  ])('as the only idle worker %s', async (_why, description) => {
    const { clock, master, busy } = await setUp(typed);
    await join(master, description);
    await clock.advance(20_000);
    expect(heard(busy)).toEqual([]);
  });

  it('as the only idle worker lacks a label that it requires', async () => {
    const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 600_000 });
    for (const task of ['a', 'b']) void master.scheduler.put(task, { requires: { gpu: true } });
    const busy = await join(master, { prefetch: 1, labels: { gpu: true } });
    expect(heard(busy)).toEqual(['grant "a"', 'grant "b"']);
    await join(master, { labels: { gpu: false } });
    expect(heard(busy)).toEqual([]);
    await join(master, { labels: { gpu: true, memory: 8 } });
    expect(heard(busy)).toEqual(['recall 2']);
  });

  it('as the only idle worker has rejected it', async () => {
    const { clock, master, busy } = await setUp(['a', 'b']);
    const idle = await join(master);
    busy.send([released, 2]);
    await clock.settle();
    idle.send([rejected, 1, 'no']);
    await clock.settle();
    expect([heard(busy), heard(idle)]).toEqual([['recall 2', 'grant "b"'], ['grant "b"']]);
    await clock.advance(20_000);
    expect(heard(busy)).toEqual([]);
  });

  it('as it has started', async () => {
    const { clock, master, busy, scheduler } = await setUp(['a', 'b', 'c'], { concurrency: 2, prefetch: 1 });
    const idle = await join(master, { concurrency: 3 });
    expect(heard(busy)).toEqual(['recall 3']);
    busy.send([done, 1, 'A']);
    await clock.settle();
    // It runs now where it was; the worker had started it when it was asked.
    expect(master.sessions.list()).toMatchObject([{ running: 2, waiting: 0, recalled: 0 }, { running: 0 }]);
    await clock.advance(20_000);
    busy.send([done, 3, 'C'], [done, 2, 'B']);
    await clock.settle();
    expect(scheduler.stats().total).toMatchObject({ done: 3 });
    expect(heard(idle)).toEqual([]);
    expect(master.attempts).toEqual(['done 0', 'done 20000', 'done 20000']);
  });

  it('as it will start before it could be moved', async () => {
    const master = new VirtualMaster<unknown, unknown>({
      taskTimeoutMs: 600_000,
      socketTimeoutMs: 30_000,
      helloTimeoutMs: 5000,
    });
    const { clock, scheduler } = master;
    for (let task = 0; task < 3; task += 1) void scheduler.put(task);
    const far = await master.connect();
    master.network.lastLink.latencyMs = 500;
    far.send(helloOf({ prefetch: 'auto' }));
    await clock.advance(1000);
    far.send([pong, 1]);
    await clock.advance(600);
    // Its tasks take a second, as the way to it and back does.
    for (let lease = 1; lease <= 2; lease += 1) {
      far.send([done, lease, 0]);
      await clock.advance(1000);
    }
    void scheduler.put('next');
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ roundTrip: 1000, running: 1, waiting: 1 }]);
    heard(far);
    const near = await join(master);
    expect(heard(near)).toEqual([]);
    await clock.advance(2400);
    expect(heard(far)).toEqual(['grant "next"']);
    // It did not start when it should have: what is before it takes longer than what came before.
    await clock.advance(200);
    expect(heard(far)).toEqual(['recall 4']);
  });
});

describe('a worker that is asked for a lease', () => {
  it('loses it if it does not answer in time, and a late result changes nothing', async () => {
    const { clock, master, busy, outcomes } = await setUp(['a', 'b']);
    const idle = await join(master);
    await clock.advance(99);
    expect([heard(busy), heard(idle)]).toEqual([['recall 2'], []]);
    await clock.advance(1);
    expect([heard(busy), heard(idle)]).toEqual([['cancel 2 recalled'], ['grant "b"']]);
    expect(master.events.filter(({ type }) => type === 'leaseRecalled')).toHaveLength(1);
    expect(master.sessions.list()).toMatchObject([{ recalled: 1, late: 0 }, { running: 1 }]);
    busy.send([done, 1, 'A'], [done, 2, 'late']);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ done: 1, late: 1, running: 0, waiting: 0 }, { running: 1 }]);
    expect(outcomes[1]?.()).toEqual({ status: 'pending' });
    idle.send([done, 1, 'B']);
    await clock.settle();
    expect(outcomes[1]?.()).toEqual({ status: 'fulfilled', value: 'B' });
  });

  it('has four round trips, if that is longer', async () => {
    const { clock, master, busy } = await setUp(['a', 'b'], { prefetch: 1 });
    await clock.advance(10_000);
    expect(busy.news()).toEqual([[ping, 1]]);
    await clock.advance(200);
    busy.send([pong, 1]);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ roundTrip: 200 }]);
    await join(master);
    await clock.advance(799);
    expect(heard(busy)).toEqual(['recall 2']);
    await clock.advance(1);
    expect(heard(busy)).toEqual(['cancel 2 recalled']);
  });

  it('keeps the slot of one that it lost until it answers', async () => {
    const { clock, master, busy, scheduler } = await setUp(['a', 'b']);
    await join(master);
    await clock.advance(100);
    void scheduler.put('c');
    await clock.settle();
    expect(heard(busy)).toEqual(['recall 2', 'cancel 2 recalled']);
    busy.send([released, 2]);
    await clock.settle();
    expect(heard(busy)).toEqual(['grant "c"']);
  });

  it('may have completed it already', async () => {
    const { clock, master, busy, outcomes } = await setUp(['a', 'b']);
    const idle = await join(master);
    busy.send([done, 1, 'A'], [done, 2, 'B']);
    await clock.advance(1000);
    expect(outcomes[1]?.()).toEqual({ status: 'fulfilled', value: 'B' });
    expect([heard(busy), heard(idle)]).toEqual([['recall 2'], []]);
    expect(master.sessions.list()).toMatchObject([{ done: 2, late: 0, recalled: 0 }, {}]);
  });

  it('may be paused meanwhile', async () => {
    const { clock, master, busy } = await setUp(['a', 'b', 'c']);
    const idle = await join(master);
    busy.send([credit, 0, 2], [released, 2], [released, 3]);
    await clock.settle();
    expect([heard(busy), heard(idle)]).toEqual([['recall 3'], ['grant "b"']]);
    expect(master.scheduler.queued).toBe(1);
    expect(master.sessions.list()).toMatchObject([{ recalled: 1, running: 1, waiting: 0 }, { running: 1 }]);
  });

  it.each(['goodbye', 'break'])('may leave meanwhile: %s', async (how) => {
    const { clock, master, busy } = await setUp(['a', 'b']);
    const idle = await join(master, { concurrency: 2 });
    if (how === 'goodbye') busy.close(1000);
    else master.network.links[0]?.reset();
    await clock.settle();
    expect(heard(idle)).toEqual(['grant "a"', 'grant "b"']);
    await clock.advance(1000);
    expect(heard(idle)).toEqual([]);
    expect(master.events.filter(({ type }) => type === 'leaseRecalled')).toEqual([]);
  });

  it('may give back one whose task was aborted meanwhile', async () => {
    const { clock, master, busy, controllers, outcomes } = await setUp(['a', 'b', 'c']);
    const idle = await join(master);
    expect(heard(busy)).toEqual(['recall 3']);
    controllers[2]?.abort();
    await clock.settle();
    // The idle one is as idle as before.
    expect(heard(busy)).toEqual(['cancel 3 aborted', 'recall 2']);
    busy.send([released, 3], [released, 2]);
    await clock.advance(1000);
    expect([heard(busy), heard(idle)]).toEqual([[], ['grant "b"']]);
    expect(outcomes[2]?.().status).toBe('rejected');
    expect(master.sessions.list()).toMatchObject([{ recalled: 1, late: 0 }, {}]);
    expect(master.scheduler.leased).toBe(2);
  });

  it('is not asked by a master whose workers have all left', async () => {
    const { clock, master, busy } = await setUp(['a', 'b']);
    const idle = await join(master);
    for (const peer of [busy, idle]) peer.close(1000);
    await clock.settle();
    expect([master.scheduler.queued, master.scheduler.leased, clock.pendingTimers]).toEqual([2, 0, 0]);
  });
});
