import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import type { TakeSignal, TaskScheduler } from '../../../src/scheduling/scheduler.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { welcome, grant, recall, cancel, done, released, credit, ping, pong } = MessageType;

async function join(master: VirtualMaster, description: Partial<WorkerDescription> = {}): Promise<WorkerPeer> {
  const peer = await master.connect();
  peer.send(helloOf(description));
  await master.clock.settle();
  return peer;
}

/** A master whose worker runs task 0, while 1 and 2 wait there, and 3 in the queue; it has just begun to drain. */
async function setUp() {
  const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 60_000, socketTimeoutMs: 60_000 });
  const outcomes = [0, 1, 2, 3].map((task) => follow(master.scheduler.put(task)));
  const peer = await join(master, { prefetch: 2 });
  peer.send([pong, 1]);
  await master.clock.settle();
  peer.news();
  const drained = follow(master.sessions.drainAll());
  await master.clock.settle();
  return { master, clock: master.clock, scheduler: master.scheduler, outcomes, peer, drained };
}

describe('sessions that drain', () => {
  it('ask back what has not started, let the rest end, and grant nothing more', async () => {
    const { master, clock, scheduler, outcomes, peer, drained } = await setUp();
    expect(peer.news()).toEqual([
      [recall, 3],
      [recall, 2],
    ]);
    peer.send([released, 2], [released, 3]);
    await clock.settle();
    expect([drained().status, scheduler.queued, scheduler.leased]).toEqual(['pending', 3, 1]);
    expect(master.sessions.list()).toMatchObject([{ credit: 0, running: 1, waiting: 0 }]);
    peer.send([done, 1, 'result']);
    await clock.settle();
    expect(outcomes[0]?.()).toEqual({ status: 'fulfilled', value: 'result' });
    expect(drained().status).toBe('fulfilled');
    void scheduler.put('later');
    await clock.settle();
    expect(peer.news()).toEqual([]);
    expect(outcomes.slice(1).map((outcome) => outcome().status)).toEqual(['pending', 'pending', 'pending']);
  });

  it('take back what is not given back in time', async () => {
    const { clock, peer, drained } = await setUp();
    peer.news();
    peer.send([done, 1, null]);
    await clock.advance(99);
    // It may have started meanwhile, and has by the master's reckoning.
    expect(peer.news()).toEqual([]);
    await clock.advance(1);
    expect(peer.news()).toEqual([[cancel, 3, 'recalled']]);
    expect(drained().status).toBe('pending');
    peer.send([done, 2, null]);
    await clock.settle();
    expect(drained().status).toBe('fulfilled');
  });

  it('ask back what turns out not to have started', async () => {
    const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 60_000 });
    for (const task of [0, 1, 2]) void master.scheduler.put(task);
    const peer = await join(master, { concurrency: 3 });
    const drained = follow(master.sessions.drainAll());
    await master.clock.settle();
    peer.news();
    peer.send([credit, 1, 0, 1]);
    await master.clock.settle();
    expect(peer.news()).toEqual([
      [recall, 3],
      [recall, 2],
    ]);
    peer.send([released, 2], [released, 3], [done, 1, null]);
    await master.clock.settle();
    expect([drained().status, master.scheduler.queued]).toEqual(['fulfilled', 2]);
  });

  it('do not wait for what was cancelled', async () => {
    const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 60_000 });
    const controller = new AbortController();
    follow(master.scheduler.put('task', { signal: controller.signal }));
    await join(master);
    const drained = follow(master.sessions.drainAll());
    await master.clock.settle();
    expect(drained().status).toBe('pending');
    controller.abort();
    await master.clock.settle();
    expect(drained().status).toBe('fulfilled');
  });

  it('go on with the heartbeat, and take the change of a credit for what it is', async () => {
    const { clock, peer } = await setUp();
    peer.send([released, 2], [released, 3], [credit, 9, 9]);
    await clock.settle();
    peer.news();
    await clock.advance(20_000);
    expect(peer.news()).toEqual([[ping, 2]]);
    peer.send([pong, 2]);
  });

  it('welcome whoever comes, and grant nothing', async () => {
    const { master, clock, peer } = await setUp();
    peer.send([released, 2], [released, 3]);
    const late = await join(master, { concurrency: 4 });
    await clock.settle();
    expect(late.news().map(([type]) => type)).toEqual([welcome, ping]);
    expect(master.sessions.list()).toMatchObject([{}, { credit: 0 }]);
  });

  it('welcome whoever had not said hello yet, and grant nothing', async () => {
    const master = new VirtualMaster<unknown, unknown>();
    const late = await master.connect();
    void master.scheduler.put('task');
    const drained = follow(master.sessions.drainAll());
    late.send(helloOf());
    await master.clock.settle();
    expect(late.news().map(([type]) => type)).toEqual([welcome, ping]);
    expect(drained().status).toBe('fulfilled');
  });

  it('wait until the scheduler has taken the results, if that takes it a while', async () => {
    const { master, clock, scheduler, outcomes, peer, drained } = await setUp();
    const store: TaskScheduler<unknown, unknown> = scheduler;
    const complete = scheduler.complete.bind(scheduler);
    store.complete = (lease, result) =>
      new Promise((resolve) => clock.setTimer(70, () => resolve(complete(lease, result))));
    peer.send([released, 2], [released, 3], [done, 1, 'result']);
    await clock.advance(69);
    expect([drained().status, outcomes[0]?.().status]).toEqual(['pending', 'pending']);
    await clock.advance(1);
    expect([drained().status, outcomes[0]?.()]).toEqual(['fulfilled', { status: 'fulfilled', value: 'result' }]);
    expect(master.sessions.list()).toHaveLength(1);
  });

  it('wait no longer for a scheduler that fails', async () => {
    const { clock, scheduler, peer, drained } = await setUp();
    const store: TaskScheduler<unknown, unknown> = scheduler;
    store.complete = () => new Promise((_, reject) => clock.setTimer(70, () => reject(new Error('no disk'))));
    peer.send([released, 2], [released, 3], [done, 1, 'result']);
    await clock.advance(70);
    expect([drained().status, peer.end]).toEqual(['fulfilled', '4500 The scheduler failed: no disk']);
  });

  it('wait for a worker that answers nothing until its connection is given up', async () => {
    const { master, clock, drained } = await setUp();
    await clock.advance(59_999);
    expect([drained().status, master.sessions.list()]).toMatchObject(['pending', [{ running: 1, waiting: 2 }]]);
    await clock.advance(1);
    expect([drained().status, master.sessions.list()]).toEqual(['fulfilled', []]);
  });

  it('send back what a scheduler hands out after all', async () => {
    const master = new VirtualMaster<unknown, unknown>();
    const { clock, scheduler } = master;
    const take = scheduler.take.bind(scheduler);
    scheduler.take = async (holder, max) => {
      const leases = await take(holder, max, new AbortController().signal);
      await new Promise<void>((resolve) => clock.setTimer(50, resolve));
      return leases;
    };
    const peer = await join(master, { concurrency: 2 });
    peer.news();
    void scheduler.put('on its way');
    await clock.settle();
    const drained = follow(master.sessions.drainAll());
    await clock.advance(100);
    expect([drained().status, peer.news(), scheduler.queued, scheduler.leased]).toEqual(['fulfilled', [], 1, 0]);
  });

  it('are done when the workers are gone', async () => {
    const { master, clock, peer, scheduler, drained } = await setUp();
    peer.close(1000, 'bye');
    await clock.settle();
    expect([drained().status, scheduler.queued]).toEqual(['fulfilled', 4]);
    expect(master.attempts).toEqual(['returned 0']);
  });

  it('are done at once if nothing runs, or nobody is there', async () => {
    const empty = new VirtualMaster<unknown, unknown>();
    await empty.sessions.drainAll();
    const master = new VirtualMaster<unknown, unknown>();
    await join(master);
    await master.sessions.drainAll();
  });

  it('give back what was about to be granted', async () => {
    const master = new VirtualMaster<unknown, unknown>();
    const peer = await join(master);
    peer.news();
    void master.scheduler.put('on its way');
    const drained = queueDrain(master);
    await master.clock.settle();
    expect(peer.news()).toEqual([]);
    expect([master.scheduler.queued, master.scheduler.leased, drained().status]).toEqual([1, 0, 'fulfilled']);
  });

  it('wait for no task any more', async () => {
    const master = new VirtualMaster<unknown, unknown>();
    const signals: TakeSignal[] = [];
    const take = master.scheduler.take.bind(master.scheduler);
    master.scheduler.take = (holder, max, signal) => {
      signals.push(signal);
      return take(holder, max, signal);
    };
    await join(master);
    void master.sessions.drainAll();
    await master.clock.settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('grant again after the end, to those who come then', async () => {
    const { master, clock, drained } = await setUp();
    const ended = follow(master.sessions.endAll(1001, 'The end'));
    await clock.settle();
    expect([drained().status, ended().status]).toEqual(['fulfilled', 'fulfilled']);
    const next = await join(master);
    expect(next.news().map(([type]) => type)).toEqual([welcome, ping, grant]);
  });
});

/** Drains a microtask later: the scheduler has leased the task by then, and the session has not granted it. */
function queueDrain(master: VirtualMaster): () => { readonly status: string } {
  return follow(Promise.resolve().then(() => master.sessions.drainAll()));
}
