// What still runs of a connection before occupies slots, which the worker does not offer on the next one.
import { describe, expect, it, onTestFinished } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { pendingWorker } from '../../support/pending-worker.ts';
import { VirtualCluster } from '../../support/virtual-cluster.ts';

const { hello, grant, credit, done } = MessageType;

/** A worker that was connected, runs two tasks that do not listen to their signals, and has connected again. */
async function setUp(concurrency: number) {
  const set = await pendingWorker({ concurrency, prefetch: 1, grace: 60_000 });
  const { clock, world, master } = set;
  master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
  await clock.settle();
  world.network.lastLink.reset();
  await clock.advance(1000);
  return { ...set, next: world.master.last };
}

describe('a Worker on which tasks of a connection before still run', () => {
  it('offers the slots that they leave, and the others as they come free', async () => {
    const { clock, handler, world, next } = await setUp(3);
    expect(next.news()).toMatchObject([[hello, { concurrency: 1, prefetch: 1 }]]);
    await world.welcome();
    next.send([grant, 1, 1, 'c', 'c'], [grant, 2, 1, 'd', 'd']);
    await clock.settle();
    expect([...handler.contexts.keys()]).toEqual(['a', 'b', 'c']);
    handler.finish('b');
    await clock.settle();
    expect(next.news()).toEqual([[credit, 2, 1, 1]]);
    expect([...handler.contexts.keys()]).toEqual(['a', 'b', 'c', 'd']);
    // They are given up in the end.
    for (let half = 0; half < 40; half += 1) {
      await clock.advance(1500);
      next.send([MessageType.ping, half]);
    }
    expect(next.news()).toContainEqual([credit, 3, 1, 2]);
    handler.finish('a');
    handler.finish('c', 'result');
    await clock.settle();
    expect(next.news().filter(([type]) => type !== MessageType.pong)).toEqual([[done, 1, 'result']]);
  });

  it('offers none if they leave none, nor more when its concurrency is lowered', async () => {
    const { clock, handler, world, next } = await setUp(2);
    expect(next.news()).toMatchObject([[hello, { concurrency: 0 }]]);
    await world.welcome();
    world.worker.setConcurrency(1);
    handler.finish('a');
    await clock.settle();
    handler.finish('b');
    await clock.settle();
    expect(next.news()).toEqual([
      [credit, 0, 1, 0],
      [credit, 0, 1, 0],
      [credit, 1, 1, 0],
    ]);
  });

  it('offers none while it is paused', async () => {
    const { clock, handler, world, next } = await setUp(2);
    await world.welcome();
    world.worker.pause();
    handler.finish('a');
    await clock.settle();
    expect(new Set(next.news().map((message) => message[0] === credit && message[1]))).toEqual(new Set([0]));
    world.worker.resume();
    await clock.settle();
    expect(next.news()).toEqual([[credit, 1, 1, 0]]);
  });

  it('is not blamed for what waits for their slots', async () => {
    const cluster = new VirtualCluster<string, null>();
    onTestFinished(() => cluster.stop());
    const { clock, scheduler, events } = cluster;
    const ended: string[] = [];
    events.on('attemptEnded', ({ key, outcome }) => ended.push(`${key} ${outcome}`));
    const network = cluster.add(
      (task) => new Promise((resolve) => clock.setTimer(task === 'deaf' ? 10_000 : 500, () => resolve(null))),
      { grace: 3000 },
    );
    await clock.advance(500);
    const controller = new AbortController();
    scheduler.put('deaf', { signal: controller.signal }).catch(() => {});
    await clock.advance(100);
    controller.abort();
    await clock.advance(100);
    network.lastLink.reset();
    void scheduler.put('next', { timeout: 1000 });
    await clock.advance(5000);
    expect(ended).toEqual(['0 aborted', '1 done']);
  });
});
