import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { welcomeOf } from '../../support/peers.ts';
import { pendingWorker } from '../../support/pending-worker.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, done, released, credit } = MessageType;

describe('a Worker that is paused', () => {
  it('says so, gives back what has not started, and lets the rest go on', async () => {
    const { handler, clock, master, world } = await pendingWorker({ concurrency: 1, prefetch: 2 });
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [grant, 3, 1, 'c', 'c']);
    await clock.settle();
    world.worker.pause();
    world.worker.pause();
    await clock.settle();
    expect(world.worker.isPaused).toBe(true);
    expect(master.news()).toEqual([
      [credit, 0, 2, 1],
      [released, 2],
      [released, 3],
    ]);
    handler.finish('a', 'result');
    await clock.settle();
    expect(master.news()).toEqual([[done, 1, 'result']]);
    expect(world.worker.state).toBe('connected');
  });

  it('gives back what was on its way', async () => {
    const { clock, master, world, handler } = await pendingWorker();
    world.worker.pause();
    master.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    expect(master.news()).toEqual([
      [credit, 0, 'auto', 0],
      [released, 1],
    ]);
    expect(handler.contexts.size).toBe(0);
  });

  it('goes on when it is resumed', async () => {
    const { clock, master, world, handler } = await pendingWorker({ concurrency: 2 });
    world.worker.pause();
    world.worker.resume();
    world.worker.resume();
    master.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    expect(master.news()).toEqual([
      [credit, 0, 'auto', 0],
      [credit, 2, 'auto', 0],
    ]);
    expect(handler.contexts.size).toBe(1);
  });

  it('says so in its hello if it was paused before', async () => {
    const { clock, master, worker } = new VirtualWorker((task) => task);
    worker.pause();
    void worker.start();
    await clock.settle();
    expect(master.last.news()).toMatchObject([[MessageType.hello, { concurrency: 0 }]]);
    worker.resume();
    master.last.send(welcomeOf());
    await clock.settle();
    expect(master.last.news()).toEqual([[credit, 1, 'auto', 0]]);
  });

  it('pauses itself when its sandbox is broken, and gives its tasks back', async () => {
    const broken = Object.assign(new Error('broken'), {
      [Symbol.for('taskdist.error')]: true,
      code: 'TASKDIST_SANDBOX_BROKEN',
    });
    const { clock, master, worker, events } = await new VirtualWorker(
      async () => {
        throw broken;
      },
      { concurrency: 2, prefetch: 1 },
    ).connect();
    master.last.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [grant, 3, 1, 'c', 'c']);
    await clock.settle();
    expect([worker.isPaused, worker.state]).toEqual([true, 'connected']);
    expect(events.filter(({ type }) => type === 'error')).toEqual([{ type: 'error', error: broken }]);
    const answers = master.last.news();
    expect(answers).toContainEqual([credit, 0, 1, 2]);
    expect(answers.filter(([type]) => type === released)).toHaveLength(3);
    expect(answers).toHaveLength(4);
  });
});

describe('a Worker whose concurrency is changed', () => {
  it('tells its master, and starts more', async () => {
    const { clock, master, world, handler } = await pendingWorker({ concurrency: 1 });
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
    await clock.settle();
    world.worker.setConcurrency(3);
    await clock.settle();
    expect(world.worker.concurrency).toBe(3);
    expect(master.news()).toEqual([[credit, 3, 'auto', 1]]);
    expect(handler.contexts.size).toBe(2);
  });

  it('keeps the prefetch that it was given', async () => {
    const { clock, master, world } = await pendingWorker({ concurrency: 1, prefetch: 7 });
    world.worker.setConcurrency(4);
    await clock.settle();
    expect(master.news()).toEqual([[credit, 4, 7, 0]]);
  });

  it('stays paused', async () => {
    const { clock, master, world } = await pendingWorker({ prefetch: 0 });
    world.worker.pause();
    world.worker.setConcurrency(4);
    world.worker.resume();
    await clock.settle();
    expect(master.news()).toEqual([
      [credit, 0, 0, 0],
      [credit, 0, 0, 0],
      [credit, 4, 0, 0],
    ]);
  });

  it('says how many run, those among them that are called off and go on all the same', async () => {
    const { clock, master, world } = await pendingWorker({ concurrency: 3, prefetch: 2 });
    master.send(...['a', 'b', 'c', 'd'].map((task, index) => [grant, index + 1, 1, task, task] as const));
    master.send([MessageType.cancel, 1, 'aborted']);
    await clock.settle();
    world.worker.setConcurrency(1);
    await clock.settle();
    expect(master.news()).toEqual([[credit, 1, 2, 3]]);
    // It is given up after its grace.
    await clock.advance(2000);
    world.worker.setConcurrency(2);
    await clock.settle();
    expect(master.news()).toEqual([
      [released, 1],
      [credit, 2, 2, 2],
    ]);
  });

  it('counts the task during whose start it was changed', async () => {
    const { clock, master, world } = await pendingWorker({ concurrency: 2, prefetch: 0 });
    world.worker.on('taskStarted', ({ task }) => world.worker.setConcurrency(task === 'a' ? 3 : 1));
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
    await clock.settle();
    expect(master.news()).toEqual([
      [credit, 3, 0, 1],
      [credit, 1, 0, 2],
    ]);
  });

  it('does not count what still runs of a connection before', async () => {
    const { clock, world, handler } = await pendingWorker({ concurrency: 2, prefetch: 0, grace: 60_000 });
    world.master.last.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    world.network.lastLink.reset();
    await clock.advance(1000);
    await world.welcome();
    expect(handler.signal('a').aborted).toBe(true);
    world.worker.setConcurrency(3);
    await clock.settle();
    // One of its slots.
    expect(world.master.last.news()).toEqual([[credit, 2, 0, 0]]);
  });

  it.each([0, 1.5, -1, 65_537, '2', undefined])('refuses what is no concurrency: %s', async (concurrency) => {
    const { world } = await pendingWorker();
    expect(() => world.worker.setConcurrency(concurrency as never)).toThrow(
      /Expected `concurrency` to be an integer from 1 to 65536/,
    );
  });
});
