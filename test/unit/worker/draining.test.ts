import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { follow } from '../../support/holders.ts';
import { welcomeOf } from '../../support/peers.ts';
import { pendingWorker } from '../../support/pending-worker.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { hello, grant, cancel, done, released, credit, ping, pong } = MessageType;

/** A worker that runs `a`, while `b` and `c` wait, and that has just begun to drain. */
async function setUp(grace = 1000) {
  const set = await pendingWorker({ prefetch: 2, grace: 200 });
  const { clock, master, world } = set;
  master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [grant, 3, 1, 'c', 'c']);
  await clock.settle();
  const drained = follow(world.worker.drain({ grace }));
  return { ...set, worker: world.worker, drained };
}

describe('a Worker that drains', () => {
  it('says that it wants nothing more, gives back what waits, and lets the rest end', async () => {
    const { clock, master, handler, worker, drained, events } = await setUp();
    expect(worker.state).toBe('draining');
    await clock.advance(500);
    expect(master.news()).toEqual([
      [credit, 0, 2, 1],
      [released, 2],
      [released, 3],
    ]);
    expect(handler.signal('a').aborted).toBe(false);
    handler.finish('a', 'result');
    await clock.settle();
    expect(master.news()).toEqual([[done, 1, 'result']]);
    expect(master.end).toBe('1000 The worker was stopped');
    expect([drained().status, worker.state]).toEqual(['fulfilled', 'stopped']);
    expect(events.flatMap((event) => (event.type === 'taskSettled' ? [`${event.key} ${event.outcome}`] : []))).toEqual([
      'b returned',
      'c returned',
      'a done',
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives back what was on its way', async () => {
    const { clock, master, handler } = await setUp();
    await clock.settle();
    master.news();
    master.send([grant, 4, 1, 'd', 'd']);
    await clock.settle();
    expect(master.news()).toEqual([[released, 4]]);
    expect([...handler.contexts.keys()]).toEqual(['a']);
  });

  it('still answers pings, and stops what is cancelled', async () => {
    const { clock, master, handler, drained } = await setUp();
    await clock.settle();
    master.news();
    master.send([ping, 5], [cancel, 1, 'aborted']);
    await clock.settle();
    expect(master.news()).toEqual([[pong, 5]]);
    expect(handler.signal('a').aborted).toBe(true);
    handler.finish('a');
    await clock.settle();
    expect(master.news()).toEqual([[released, 1]]);
    expect(drained().status).toBe('fulfilled');
  });

  it('aborts what still runs after the grace', async () => {
    const { clock, handler, drained, worker, master } = await setUp(1000);
    await clock.advance(999);
    expect([handler.signal('a').aborted, worker.state]).toEqual([false, 'draining']);
    await clock.advance(1);
    expect([handler.signal('a').aborted, worker.state]).toEqual([true, 'stopping']);
    expect(master.end).toBe('1000 The worker was stopped');
    // The handler has its own grace then.
    await clock.advance(199);
    expect(drained().status).toBe('pending');
    await clock.advance(1);
    expect([drained().status, worker.state, clock.pendingTimers]).toEqual(['fulfilled', 'stopped', 0]);
  });

  it('waits for half a minute, if nothing else is said', async () => {
    const { clock, handler, world, master } = await pendingWorker();
    master.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    void world.worker.drain();
    for (let second = 1; second < 30; second += 1) {
      await clock.advance(1000);
      master.send([ping, second]);
    }
    await clock.advance(999);
    expect(handler.signal('a').aborted).toBe(false);
    await clock.advance(1);
    expect(handler.signal('a').aborted).toBe(true);
  });

  it('waits for as long as it takes if the grace is Infinity, and not at all if it is 0', async () => {
    const patient = await setUp(Number.POSITIVE_INFINITY);
    for (let minute = 0; minute < 60; minute += 1) {
      await patient.clock.advance(2000);
      patient.master.send([ping, minute]);
    }
    expect(patient.drained().status).toBe('pending');
    patient.handler.finish('a');
    await patient.clock.settle();
    expect(patient.drained().status).toBe('fulfilled');
    const hasty = await setUp(0);
    await hasty.clock.settle();
    expect(hasty.handler.signal('a').aborted).toBe(true);
  });

  it('is done at once if nothing runs', async () => {
    const { worker, clock, page } = await new VirtualWorker((task) => task).connect();
    const drained = follow(worker.drain());
    await clock.settle();
    expect([drained().status, worker.state, page.watchers, clock.pendingTimers]).toEqual([
      'fulfilled',
      'stopped',
      0,
      0,
    ]);
  });

  it('aborts what runs when the connection is lost, and has nothing to wait for then', async () => {
    const { clock, world, handler, drained } = await setUp(60_000);
    world.network.lastLink.reset();
    await clock.settle();
    expect(handler.signal('a').aborted).toBe(true);
    handler.finish('a');
    await clock.settle();
    expect([drained().status, world.worker.state]).toEqual(['fulfilled', 'stopped']);
    await clock.advance(60_000);
    expect([world.network.links.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('wants nothing of a master that it connects to meanwhile', async () => {
    const { clock, world } = await setUp(60_000);
    // The handler does not listen to its signal, so the worker still waits for it.
    world.network.lastLink.reset();
    world.page.comeOnline();
    await clock.advance(100);
    world.page.comeOnline();
    await clock.settle();
    expect(world.network.links).toHaveLength(2);
    expect(world.master.last.news()).toMatchObject([[hello, { concurrency: 0 }]]);
    world.master.last.send(welcomeOf(), [grant, 1, 1, 'x', 'x']);
    await clock.settle();
    expect(world.master.last.news()).toEqual([[released, 1]]);
  });

  it('stops at once when it is stopped meanwhile', async () => {
    const { clock, handler, worker, drained } = await setUp(60_000);
    const stopped = follow(worker.stop());
    expect(worker.state).toBe('stopping');
    expect(handler.signal('a').aborted).toBe(true);
    await clock.advance(200);
    expect([drained().status, stopped().status, worker.state, clock.pendingTimers]).toEqual([
      'fulfilled',
      'fulfilled',
      'stopped',
      0,
    ]);
  });

  it('may be told to drain twice: the first grace holds', async () => {
    const { clock, handler, worker, drained } = await setUp(1000);
    const again = follow(worker.drain({ grace: 60_000 }));
    await clock.advance(1000);
    expect(handler.signal('a').aborted).toBe(true);
    expect([drained().status, again().status]).toEqual(['pending', 'pending']);
    await clock.advance(200);
    expect([drained().status, again().status]).toEqual(['fulfilled', 'fulfilled']);
  });

  it('does nothing when it is stopped, and waits when it is stopping', async () => {
    const world = new VirtualWorker(() => new Promise(() => {}), { grace: 200 });
    await world.worker.drain();
    expect([world.worker.state, world.network.links.length]).toEqual(['stopped', 0]);
    await world.connect();
    world.master.last.send([grant, 1, 1, 'a', 'a']);
    await world.clock.settle();
    void world.worker.stop();
    const drained = follow(world.worker.drain());
    await world.clock.advance(199);
    expect(drained().status).toBe('pending');
    await world.clock.advance(1);
    expect(drained().status).toBe('fulfilled');
  });

  it('does not take tasks again when it is resumed or given more concurrency', async () => {
    const { clock, master, worker } = await setUp();
    await clock.settle();
    master.news();
    worker.pause();
    worker.resume();
    worker.setConcurrency(5);
    await clock.settle();
    expect(new Set(master.news().map((message) => message[0] === credit && message[1]))).toEqual(new Set([0]));
  });

  it('can be started again, and takes tasks then', async () => {
    const { clock, handler, worker, world } = await setUp();
    handler.finish('a');
    await clock.settle();
    expect(worker.state).toBe('stopped');
    void worker.start();
    await clock.settle();
    expect(world.master.last.news()).toMatchObject([[hello, { concurrency: 1 }]]);
    world.master.last.send(welcomeOf(), [grant, 1, 1, 'again', 'again']);
    await clock.settle();
    expect([...handler.contexts.keys()]).toEqual(['a', 'again']);
  });

  it.each([
    [{ grace: -1 }, 'Expected `grace` to be a number of milliseconds ≥ 0 or Infinity, got -1'],
    [{ grace: '1' }, 'Expected `grace` to be a number of milliseconds ≥ 0 or Infinity, got "1"'],
    [{ timeout: 1 }, 'Unknown option `timeout` for drain; the options are grace'],
    [5, 'Expected `options` to be an object, got 5'],
  ])('refuses %j, and goes on', async (options, message) => {
    const { worker } = await new VirtualWorker((task) => task).connect();
    await expect(worker.drain(options as never)).rejects.toMatchObject({ code: 'TASKDIST_INVALID_OPTION', message });
    expect(worker.state).toBe('connected');
  });

  it('is stopped at the end of `await using`', async () => {
    const { worker, clock } = await new VirtualWorker((task) => task).connect();
    const disposed = follow(worker[Symbol.asyncDispose]());
    await clock.settle();
    expect([disposed().status, worker.state]).toEqual(['fulfilled', 'stopped']);
  });
});
