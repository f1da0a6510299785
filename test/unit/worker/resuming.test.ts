// A worker that loses its connection to a master by hand, and goes on.
import { describe, expect, it, onTestFinished } from 'vitest';
import { MessageType, type ResumeOffer, type WorkerMessage } from '../../../src/protocol/messages.ts';
import type { WorkerOptions } from '../../../src/worker/options.ts';
import { follow } from '../../support/holders.ts';
import { welcomeOf } from '../../support/peers.ts';
import { PendingHandler } from '../../support/pending-worker.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { hello, grant, cancel, done, released, credit, ping, pong } = MessageType;

const offer = { secret: 'abc', window: 5000 };

/** A worker that runs tasks "a" and "b", and whose master silently goes on for 3 s after the last frame. */
async function setUp(options: WorkerOptions<unknown> = {}, resume: ResumeOffer | null = offer) {
  const handler = new PendingHandler();
  const world = new VirtualWorker<unknown, unknown>(handler, { concurrency: 2, prefetch: 1, ...options });
  onTestFinished(async () => {
    void world.worker.stop();
    await world.clock.advance(60_000);
  });
  const { clock, network, master } = world;
  void world.worker.start();
  await clock.settle();
  master.last.send(welcomeOf(resume === null ? {} : { resume }), [grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
  await clock.settle();
  master.last.news();
  /** Breaks the connection, and waits until the worker has said hello on the next. */
  const lose = async (retryMs = 500): Promise<WorkerMessage[]> => {
    network.lastLink.reset();
    await clock.advance(retryMs);
    return master.last.news();
  };
  const welcomeBack = async (received: number): Promise<void> => {
    master.last.send(welcomeOf({ resume: { ...offer, received } }));
    await clock.settle();
  };
  return { ...world, handler, lose, welcomeBack };
}

const outcomes = ({ events }: Pick<VirtualWorker, 'events'>): string[] =>
  events.flatMap((event) => (event.type === 'taskSettled' ? [`${event.key} ${event.outcome}`] : []));

describe('a Worker that loses its connection', () => {
  it('computes on, and delivers when it is back', async () => {
    const world = await setUp();
    const { handler, clock, worker, master, events, lose, welcomeBack } = world;
    expect(await lose()).toEqual([
      [
        hello,
        {
          version: 1,
          name: 'virtual',
          platform: 'virtual',
          // For the case that it must begin anew, while the two are still running.
          concurrency: 0,
          prefetch: 1,
          resume: { worker: 'w1', secret: 'abc', received: 1 },
        },
      ],
    ]);
    handler.finish('a', 'result');
    await clock.settle();
    expect([worker.state, handler.signal('b').aborted]).toEqual(['connecting', false]);
    expect(master.last.news()).toEqual([]);
    await welcomeBack(1);
    expect(master.last.news()).toEqual([[done, 1, 'result']]);
    expect([worker.state, worker.id]).toEqual(['connected', 'w1']);
    expect(events.at(-1)).toEqual({ type: 'connected', url: 'ws://localhost:9000/', id: 'w1', isResumed: true });
    handler.finish('b', 'other');
    master.last.send([grant, 3, 1, 'c', 'c']);
    await clock.settle();
    expect(master.last.news()).toEqual([[done, 2, 'other']]);
    expect(handler.contexts.has('c')).toBe(true);
    expect(outcomes(world)).toEqual(['a done', 'b done']);
  });

  it('starts what waits, though the master read too slowly when the connection was lost', async () => {
    const { clock, network, master, handler, lose } = await setUp();
    master.last.send([grant, 3, 1, 'c', 'c']);
    await clock.settle();
    network.lastLink.client.stall();
    for (let part = 0; part < 20; part += 1) {
      handler.contexts.get('a')?.progress('x'.repeat(90_000));
      await clock.settle();
    }
    handler.finish('b');
    await clock.settle();
    expect(handler.contexts.has('c')).toBe(false);
    await lose();
    expect(handler.contexts.has('c')).toBe(true);
  });

  it('sends again what the master has not got', async () => {
    const { handler, clock, network, master, lose, welcomeBack } = await setUp();
    handler.finish('a', 'got');
    await clock.settle();
    network.lastLink.drop('up');
    handler.finish('b', 'not got');
    await clock.settle();
    await lose();
    await welcomeBack(2);
    expect(master.last.news()).toEqual([[done, 2, 'not got']]);
  });

  it('counts the frames of the master', async () => {
    const { clock, master, lose, welcomeBack } = await setUp();
    master.last.send([ping, 1]);
    master.last.send([ping, 2]);
    await clock.settle();
    expect(await lose()).toMatchObject([[hello, { resume: { received: 3 } }]]);
    await welcomeBack(3);
    master.last.send([ping, 3]);
    await clock.settle();
    expect((await lose(1000)).at(-1)).toMatchObject([hello, { resume: { received: 4 } }]);
  });

  it('begins anew if the master does not know it any more: aborts what runs, and offers the slots as they come free', async () => {
    const world = await setUp();
    const { handler, clock, worker, master, lose } = world;
    await lose();
    master.last.send(welcomeOf({ worker: 'w2', resume: { secret: 'def', window: 5000 } }));
    await clock.settle();
    expect(worker.id).toBe('w2');
    expect(handler.signal('a').reason).toMatchObject({ code: 'TASKDIST_TASK_ABORTED' });
    handler.finish('a');
    handler.finish('b');
    await clock.settle();
    expect(master.last.news()).toEqual([
      [credit, 1, 1, 0],
      [credit, 2, 1, 0],
    ]);
    expect(outcomes(world)).toEqual(['a returned', 'b returned']);
    expect(await lose(1000)).toMatchObject([[hello, { resume: { worker: 'w2', secret: 'def', received: 1 } }]]);
  });

  it('tries on, and gives up when the master has released everything for certain: after `socketTimeout` and the window', async () => {
    const world = await setUp({ reconnect: { base: 100, cap: 100 } });
    const { handler, clock, network, master, worker } = world;
    master.stop();
    network.lastLink.reset();
    await clock.advance(7999);
    expect(handler.signal('a').aborted).toBe(false);
    await clock.advance(1);
    expect(handler.signal('a').aborted).toBe(true);
    expect(['waiting', 'connecting']).toContain(worker.state);
  });

  it('gives up at the same time if it was silence by which it lost its master', async () => {
    const { clock, master, handler } = await setUp({ reconnect: { base: 100, cap: 100 } });
    master.stop();
    await clock.advance(7999);
    expect(handler.signal('a').aborted).toBe(false);
    await clock.advance(1);
    expect(handler.signal('a').aborted).toBe(true);
  });

  it('gives up a silent master, and goes on with it when it answers again', async () => {
    const { clock, events, handler, master, welcomeBack } = await setUp();
    await clock.advance(3000);
    expect(events.at(-1)).toMatchObject({ type: 'disconnected', code: 4410, retryDelay: 500 });
    await clock.advance(500);
    handler.finish('a', 1);
    await welcomeBack(1);
    expect(master.last.news().at(-1)).toEqual([done, 1, 1]);
  });

  it('gives up a master that is silent once it is back', async () => {
    const { clock, events, lose, welcomeBack } = await setUp();
    await lose();
    await clock.advance(3000);
    await welcomeBack(1);
    await clock.advance(3000);
    expect(events.at(-1)).toMatchObject({ type: 'disconnected', code: 4410 });
  });

  it('hears what was cancelled and asked back meanwhile', async () => {
    const { clock, handler, master, lose, welcomeBack } = await setUp({ concurrency: 1 });
    await lose();
    await welcomeBack(1);
    master.last.send([cancel, 1, 'aborted'], [MessageType.recall, 2]);
    await clock.settle();
    expect(handler.signal('a').aborted).toBe(true);
    expect(master.last.news()).toEqual([[released, 2]]);
  });

  it('tells of a change of its concurrency when it is back', async () => {
    const { clock, worker, master, lose, welcomeBack } = await setUp();
    await lose();
    worker.setConcurrency(5);
    await clock.settle();
    await welcomeBack(1);
    expect(master.last.news()).toEqual([[credit, 5, 1, 2]]);
  });

  it('tells of a change since its hello, too, if it begins anew', async () => {
    const { clock, worker, master } = new VirtualWorker(() => null);
    onTestFinished(async () => {
      void worker.stop();
      await clock.advance(60_000);
    });
    void worker.start();
    await clock.settle();
    worker.setConcurrency(5);
    expect(master.last.news()).toMatchObject([[hello, { concurrency: 1 }]]);
    master.last.send(welcomeOf({ resume: offer }));
    await clock.settle();
    expect(master.last.news()).toEqual([[credit, 5, 'auto', 0]]);
  });

  it.each<[string, (world: Awaited<ReturnType<typeof setUp>>) => void]>([
    ['the master said goodbye', ({ master }) => master.last.close(1001)],
    ['the master found fault with it', ({ master }) => master.last.close(4409)],
    ['the page is left', ({ page }) => page.hide()],
    ['it is stopped', ({ worker }) => void worker.stop()],
  ])('does not go on if %s', async (_, act) => {
    const world = await setUp();
    act(world);
    await world.clock.advance(500);
    expect(world.handler.signal('a').aborted).toBe(true);
    expect(world.master.connections.at(1)?.news() ?? []).not.toMatchObject([[hello, { resume: { worker: 'w1' } }]]);
  });

  it('does not ask to if the master did not offer it, or it would not connect again', async () => {
    const { handler, lose } = await setUp({}, null);
    expect(await lose()).toMatchObject([[hello, { resume: true }]]);
    expect(handler.signal('a').aborted).toBe(true);
    const once = await setUp({ reconnect: false });
    expect(once.master.connections[0]?.frames[0]?.[0]).not.toHaveProperty('1.resume');
  });

  it('drains when it is back, and its results are delivered', async () => {
    const { clock, worker, master, handler, lose, welcomeBack } = await setUp();
    await lose();
    void worker.drain();
    handler.finish('a', 1);
    handler.finish('b', 2);
    await clock.settle();
    expect(worker.state).toBe('draining');
    await welcomeBack(1);
    expect(master.last.news().filter(([type]) => type === done)).toEqual([
      [done, 1, 1],
      [done, 2, 2],
    ]);
    expect([worker.state, master.last.end]).toEqual(['stopped', '1000 The worker was stopped']);
  });

  it('drains at once if all that it did was delivered before', async () => {
    const { clock, worker, handler, lose, welcomeBack } = await setUp();
    handler.finish('a');
    await lose();
    handler.finish('b');
    await clock.settle();
    await welcomeBack(2);
    await lose(1000);
    void worker.drain();
    await clock.settle();
    expect(worker.state).toBe('stopped');
  });

  it('drains no longer once it is stopped', async () => {
    const { clock, worker, handler, lose } = await setUp();
    await lose();
    for (const task of ['a', 'b']) handler.finish(task);
    const drained = follow(worker.drain());
    await clock.settle();
    void worker.stop();
    await clock.settle();
    expect(drained().status).toBe('fulfilled');
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['for `grace`, if it does not come back', 3000, 3500],
    ['until the session is over, if it does not come back', 60_000, 8000],
  ])('drains %s', async (_, grace, untilMs) => {
    const { clock, worker, network, master, handler } = await setUp({ reconnect: { base: 100, cap: 100 } });
    master.stop();
    network.lastLink.reset();
    await clock.advance(500);
    for (const task of ['a', 'b']) handler.finish(task);
    void worker.drain({ grace });
    await clock.advance(untilMs - 501);
    expect(worker.state).toBe('draining');
    await clock.advance(1);
    expect(worker.state).toBe('stopped');
  });

  it('aborts what runs when it is stopped before it is back', async () => {
    const { clock, worker, network, handler } = await setUp();
    network.lastLink.reset();
    await clock.advance(10);
    expect(worker.state).toBe('waiting');
    void worker.stop();
    await clock.settle();
    expect(handler.signal('a').aborted).toBe(true);
  });

  it('stops for good if a listener stops it when it must begin anew', async () => {
    const { clock, worker, master, events, handler, lose } = await setUp();
    master.last.send([grant, 3, 1, 'c', 'c']);
    await clock.settle();
    await lose();
    worker.on('taskSettled', () => void worker.stop());
    master.last.send(welcomeOf({ worker: 'w2', resume: { secret: 'def', window: 5000 } }));
    await clock.settle();
    for (const task of ['a', 'b']) handler.finish(task);
    await clock.settle();
    expect([worker.state, master.last.end]).toEqual(['stopped', '1000 The worker was stopped']);
    expect(events.filter(({ type }) => type.endsWith('connected')).at(-1)).toMatchObject({ type: 'disconnected' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops for good if a listener stops it when there is room again for what it does', async () => {
    const { clock, worker, master, events, handler, lose, welcomeBack } = await setUp();
    master.last.send([grant, 3, 1, 'c', 'c']);
    await clock.settle();
    await lose();
    for (let part = 0; part < 50; part += 1) {
      handler.contexts.get('a')?.progress('x'.repeat(90_000));
      await clock.settle();
    }
    handler.finish('b');
    await clock.settle();
    expect(handler.contexts.has('c')).toBe(false);
    worker.on('taskStarted', () => void worker.stop());
    await welcomeBack(40);
    for (const task of ['a', 'c']) handler.finish(task);
    await clock.settle();
    expect([worker.state, master.last.end]).toEqual(['stopped', '1000 The worker was stopped']);
    expect(events.filter(({ type }) => type.endsWith('connected')).at(-1)).toMatchObject({ type: 'disconnected' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('says goodbye to a master that would go on, where it has given up itself', async () => {
    const { clock, master, worker, network, lose, welcomeBack } = await setUp({ connectTimeout: 60_000 });
    await lose();
    network.lastLink.latencyMs = 0;
    await clock.advance(8000);
    await welcomeBack(1);
    expect(master.last.end).toBe('1000 The session cannot go on here');
    expect(worker.state).toBe('waiting');
    await clock.advance(1000);
    expect(master.last.news()).toMatchObject([[hello, { resume: true }]]);
  });

  it('ends a connection whose master claims to have what was never sent', async () => {
    const { master, lose, welcomeBack } = await setUp();
    await lose();
    await welcomeBack(99);
    expect(master.last.end).toBe('1000 The session cannot go on here');
  });

  it('answers pings with what came, so that the master need not keep it', async () => {
    const { clock, master } = await setUp();
    master.last.send([ping, 1]);
    await clock.settle();
    expect(master.last.news()).toEqual([
      [MessageType.received, 2],
      [pong, 1],
    ]);
  });
});
