// Which leases run, when a worker changes its concurrency while grants are on their way to it.
import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import type { PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { recall, cancel, done, released, credit, progress, pong } = MessageType;

/** A master that has granted tasks 0, 1, 2, … to a worker of concurrency 3, which has not said anything since. */
async function setUp(tasks: number, description: Partial<WorkerDescription> = {}, options: PutOptions = {}) {
  const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 1000, socketTimeoutMs: 60_000 });
  const { clock, scheduler } = master;
  const started: unknown[] = [];
  const begin = scheduler.started.bind(scheduler);
  scheduler.started = (lease) => {
    started.push(lease.task);
    begin(lease);
  };
  const controller = new AbortController();
  const outcomes = Array.from({ length: tasks }, (_, task) =>
    follow(scheduler.put(task, { signal: controller.signal, maxAttempts: 1, ...options })),
  );
  const peer = await master.connect();
  peer.send(helloOf({ concurrency: 3, prefetch: 9, ...description }), [pong, 1]);
  await clock.settle();
  peer.news();
  /** What was told of attempts, by task. */
  const told = (): string[] =>
    master.events.flatMap((event) => {
      if (event.type === 'attemptStarted') return [`${event.task} started`];
      if (event.type === 'leaseRecalled') return [`${event.task} recalled`];
      return event.type === 'attemptEnded' ? [`${event.task} ${event.outcome} ${event.durationMs}`] : [];
    });
  const ended = (): string[] => told().filter((each) => !each.endsWith('started'));
  const info = () => master.sessions.list()[0];
  return { master, clock, scheduler, peer, controller, outcomes, started, told, ended, info };
}

describe('a worker that lowers its concurrency while grants are on their way', () => {
  it('runs as many as it says, and as it may; the time of the others counts when they start', async () => {
    const { clock, peer, ended, told, started, info } = await setUp(5);
    expect(info()).toMatchObject({ running: 3, waiting: 2 });
    await clock.advance(100);
    // None of them had arrived.
    peer.send([credit, 1, 9, 0]);
    await clock.advance(800);
    expect(info()).toMatchObject({ running: 1, waiting: 4 });
    peer.send([done, 1, null]);
    await clock.advance(900);
    peer.send([done, 2, null]);
    await clock.advance(900);
    peer.send([done, 3, null]);
    await clock.advance(999);
    expect(ended()).toEqual(['0 done 900', '1 done 900', '2 done 900']);
    await clock.advance(1);
    expect(ended().at(-1)).toBe('3 timeout 1000');
    // Once each, to whoever listens; to the scheduler, again when it was turned back.
    expect(told().filter((each) => each.endsWith('started'))).toEqual([0, 1, 2, 3].map((task) => `${task} started`));
    expect(started).toEqual([0, 1, 2, 1, 2, 3]);
  });

  it('is known to the scheduler to run no more than it does: the others are no stragglers, and are recalled', async () => {
    const { master, clock, scheduler, peer, ended } = await setUp(
      3,
      { prefetch: 0 },
      { speculate: true, timeout: 1e6 },
    );
    peer.send([credit, 1, 9, 0]);
    await clock.settle();
    expect(scheduler.stats()).toMatchObject({ leased: 3, running: 1 });
    const idle = await master.connect();
    idle.send(helloOf({ concurrency: 3 }), [pong, 1]);
    await clock.settle();
    expect(peer.news()).toEqual([
      [recall, 3],
      [recall, 2],
    ]);
    peer.send([released, 3], [released, 2]);
    await clock.advance(999);
    expect([scheduler.stats().running, scheduler.stats().total.speculated]).toEqual([3, 0]);
    // The one that does run.
    await clock.advance(1);
    expect(scheduler.stats()).toMatchObject({ running: 4, total: { speculated: 1, recalled: 2 } });
    expect(ended().sort()).toEqual(['1 recalled', '1 returned 0', '2 recalled', '2 returned 0']);
  });

  it('lets those go on that it says run, though they are more than it may start', async () => {
    const { clock, peer, ended, info } = await setUp(5);
    await clock.advance(100);
    peer.send([credit, 1, 9, 2]);
    await clock.settle();
    expect(info()).toMatchObject({ running: 2, waiting: 3 });
    await clock.advance(900);
    expect(ended()).toEqual(['0 timeout 1000', '1 timeout 1000']);
    peer.send([released, 1]);
    await clock.settle();
    // The other one, though it is called off, still has its slot.
    expect(info()).toMatchObject({ running: 1, waiting: 3 });
    peer.send([released, 2]);
    await clock.advance(999);
    expect(ended()).toHaveLength(2);
    await clock.advance(1);
    expect(ended().at(-1)).toBe('2 timeout 1000');
  });

  it('starts at once what it may run besides, as it does while it yields between two tasks', async () => {
    const { clock, peer, info, ended } = await setUp(5);
    await clock.advance(100);
    peer.send([credit, 2, 9, 1]);
    await clock.advance(900);
    expect(info()).toMatchObject({ running: 2, waiting: 3 });
    expect(ended()).toEqual(['0 timeout 1000', '1 timeout 1000']);
  });

  it('keeps the order, also of what is called off', async () => {
    const { clock, peer, scheduler, info, controller } = await setUp(2);
    for (const task of [2, 3, 4]) void scheduler.put(task);
    await clock.settle();
    controller.abort();
    await clock.settle();
    peer.send([credit, 1, 9, 0]);
    await clock.settle();
    expect(info()).toMatchObject({ running: 1, waiting: 4 });
    peer.send([released, 1], [released, 2]);
    await clock.settle();
    peer.send([done, 3, null]);
    await clock.settle();
    expect(info()).toMatchObject({ running: 1, waiting: 1, done: 1 });
  });

  it('may be asked for those back that have not started, and everybody is told that they have ended', async () => {
    const { clock, peer, master, told } = await setUp(3);
    peer.send([credit, 1, 9, 1]);
    const idle = await master.connect();
    idle.send(helloOf());
    await clock.settle();
    expect(peer.news()).toEqual([[recall, 3]]);
    peer.send([released, 3]);
    await clock.settle();
    expect(idle.news().at(-1)).toMatchObject([MessageType.grant, 1, 1, '2', 2]);
    expect(told()).toEqual(['0 started', '1 started', '2 started', '2 recalled', '2 returned 0', '2 started']);
  });

  it('may take too long to give one back', async () => {
    const { clock, peer, master, told } = await setUp(3);
    peer.send([credit, 1, 9, 1]);
    (await master.connect()).send(helloOf());
    await clock.settle();
    peer.news();
    await clock.advance(600);
    expect(peer.news()).toEqual([[cancel, 3, 'recalled']]);
    expect(told().slice(3)).toEqual(['2 recalled', '2 returned 0', '2 started']);
  });

  it('is asked anew for one that was taken to run since it was asked for, and has its time anew', async () => {
    const { clock, peer, master } = await setUp(5, {}, { timeout: 1e6 });
    (await master.connect()).send(helloOf({ concurrency: 1, prefetch: 0 }));
    await clock.settle();
    expect(peer.news()).toEqual([[recall, 5]]);
    peer.send([done, 1, null], [done, 2, null]);
    await clock.advance(600);
    expect(peer.news()).toEqual([]);
    // It had not heard of the last two when it said so.
    peer.send([credit, 1, 9, 1]);
    await clock.settle();
    expect(peer.news()).toEqual([[recall, 5]]);
    await clock.advance(99);
    expect(peer.news()).toEqual([]);
    await clock.advance(501);
    expect(peer.news()).toEqual([[cancel, 5, 'recalled']]);
  });

  it('has not lost those that had not started when its connection breaks', async () => {
    const { clock, master, peer, ended, scheduler } = await setUp(3);
    await clock.advance(100);
    peer.send([credit, 1, 9, 1]);
    await clock.advance(100);
    master.network.lastLink.reset();
    await clock.settle();
    expect(ended()).toEqual(['0 lost 200', '1 returned 0', '2 returned 0']);
    expect([scheduler.queued, scheduler.stats().total.losses]).toEqual([3, 1]);
  });

  it('may be told that those are not wanted any more', async () => {
    const { clock, peer, ended, controller } = await setUp(3);
    await clock.advance(100);
    peer.send([credit, 1, 9, 1]);
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect(peer.news()).toEqual([1, 2, 3].map((lease) => [cancel, lease, 'aborted']));
    expect(ended()).toEqual(['0 aborted 100', '1 aborted 0', '2 aborted 0']);
  });

  it('has been paused if it may run none, and gives back what waits', async () => {
    const { clock, peer, ended, scheduler, info } = await setUp(4);
    await clock.advance(100);
    peer.send([credit, 0, 9, 1], [released, 2]);
    await clock.advance(100);
    // The others were on their way.
    peer.send([released, 3], [released, 4]);
    await clock.settle();
    expect(ended()).toEqual(['1 returned 0', '2 returned 0']);
    expect([scheduler.queued, scheduler.leased, info()?.running]).toEqual([3, 1, 1]);
    await clock.advance(800);
    expect(ended().at(-1)).toBe('0 timeout 1000');
  });

  it('starts anew what it had not started when it raises it again', async () => {
    const { clock, peer, ended, told } = await setUp(3);
    await clock.advance(100);
    peer.send([credit, 1, 9, 1]);
    await clock.advance(400);
    peer.send([credit, 3, 9, 1]);
    await clock.advance(999);
    expect(ended()).toEqual(['0 timeout 1000']);
    await clock.advance(1);
    expect(ended().slice(1)).toEqual(['1 timeout 1000', '2 timeout 1000']);
    expect(told().filter((each) => each.endsWith('started'))).toHaveLength(3);
  });

  it('may do so before it knows that it is welcome', async () => {
    const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 1000 });
    const { clock, scheduler } = master;
    for (const task of [0, 1, 2]) void scheduler.put(task);
    const peer = await master.connect();
    peer.send(helloOf({ concurrency: 3 }));
    await clock.advance(50);
    peer.send([credit, 1, 0, 0]);
    await clock.advance(950);
    expect(master.attempts).toEqual(['timeout 1000']);
  });
});

describe('a worker that changes its concurrency, and does not say how many run', () => {
  it('never runs out of time for what it may not have started', async () => {
    const { clock, peer, ended, told } = await setUp(3);
    await clock.advance(100);
    peer.send([credit, 1, 9]);
    await clock.advance(800);
    peer.send([done, 1, null]);
    await clock.advance(999);
    expect(ended()).toEqual(['0 done 900']);
    await clock.advance(1);
    expect(ended().at(-1)).toBe('1 timeout 1000');
    peer.send([released, 2]);
    await clock.advance(1000);
    expect(ended().at(-1)).toBe('2 timeout 1000');
    expect(told().filter((each) => each.endsWith('started'))).toHaveLength(3);
  });

  it('is not asked for what it may run', async () => {
    const { clock, peer, master } = await setUp(4);
    peer.send([credit, 0, 9]);
    const idle = await master.connect();
    idle.send(helloOf({ concurrency: 4 }));
    await clock.advance(900);
    expect(peer.news()).toEqual([
      [recall, 4],
      [cancel, 4, 'recalled'],
    ]);
  });

  it('may have lost what it may run', async () => {
    const { clock, peer, master, ended } = await setUp(4);
    await clock.advance(100);
    peer.send([credit, 1, 9]);
    await clock.settle();
    master.network.lastLink.reset();
    await clock.settle();
    expect(ended()).toEqual(['0 lost 100', '1 lost 100', '2 lost 100']);
  });

  it('tells how far it is with what it may run', async () => {
    const values: unknown[] = [];
    const { clock, peer } = await setUp(4, {}, { timeoutFrom: 'progress', onProgress: (value) => values.push(value) });
    await clock.advance(100);
    peer.send([credit, 1, 9], [progress, 2, 'half']);
    await clock.advance(5000);
    expect(values).toEqual(['half']);
    // As it is not known to be one of the oldest, which it may run.
    expect(cancelled(peer.news())).toEqual([1]);
  });

  it('is believed once it says so', async () => {
    const { clock, peer, info, ended } = await setUp(4);
    peer.send([credit, 1, 9]);
    await clock.settle();
    expect(info()).toMatchObject({ running: 1, waiting: 3 });
    await clock.advance(500);
    peer.send([credit, 1, 9, 2]);
    await clock.settle();
    expect(info()).toMatchObject({ running: 2, waiting: 2 });
    await clock.advance(1000);
    expect(ended()).toEqual(['0 timeout 1000', '1 timeout 1000']);
  });
});

/** The leases that were cancelled. */
function cancelled(news: readonly (readonly unknown[])[]): unknown[] {
  return news.flatMap((message) => (message[0] === cancel ? [message[1]] : []));
}
