// What a worker tells its master unasked, and how it keeps to what the master takes.
import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../../src/handler.ts';
import { MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { welcomeOf } from '../../support/peers.ts';
import { pendingWorker } from '../../support/pending-worker.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { done, progress, credit, grant, ping } = MessageType;

/** The master takes so many per second, and the worker sends half as many. */
const RATE = 200;
const SHARE = 100;

/** A worker that runs `tasks` attempts, and what its master hears. */
async function limitedWorker(tasks = 1, maxMessageRate: number | 'any' = RATE) {
  const contexts: TaskContext[] = [];
  const world = new VirtualWorker<unknown, unknown>(
    (_task, context) => {
      contexts.push(context);
      return new Promise(() => {});
    },
    { concurrency: tasks },
  );
  const { worker, clock, master } = world;
  void worker.start();
  await clock.settle();
  master.last.send(welcomeOf(maxMessageRate === 'any' ? {} : { maxMessageRate }));
  for (let lease = 1; lease <= tasks; lease += 1) master.last.send([grant, lease, 1, `${lease}`, null]);
  await clock.settle();
  master.last.news();
  const news = (): WorkerMessage[] => master.last.news();
  return { contexts, worker, clock, master, news, world };
}

describe('a Worker whose master takes so many messages', () => {
  it('tells of all progress while that is less', async () => {
    const { contexts, clock, news } = await limitedWorker();
    for (let value = 1; value <= SHARE; value += 1) contexts[0]?.progress(value);
    await clock.settle();
    expect(news()).toEqual(Array.from({ length: SHARE }, (_, index) => [progress, 1, index + 1]));
  });

  it('tells of the latest alone when it is more, and of that soon', async () => {
    const { contexts, clock, news } = await limitedWorker();
    for (let value = 1; value <= 10_000; value += 1) contexts[0]?.progress(value);
    await clock.settle();
    expect(news()).toHaveLength(SHARE);
    await clock.advance(10);
    expect(news()).toEqual([[progress, 1, 10_000]]);
    await clock.advance(1000);
    expect(news()).toEqual([]);
  });

  it('keeps to its share however long the handler goes on, and sets one timer for it', async () => {
    const { contexts, clock, news } = await limitedWorker();
    const timers = clock.pendingTimers;
    let heard = 0;
    for (let ms = 0; ms < 2000; ms += 1) {
      for (let count = 0; count < 10; count += 1) contexts[0]?.progress(ms);
      expect(clock.pendingTimers).toBeLessThanOrEqual(timers + 1);
      await clock.advance(1);
      heard += news().length;
    }
    expect(heard).toBeGreaterThan(2.8 * SHARE);
    expect(heard).toBeLessThanOrEqual(3 * SHARE);
  });

  it('tells of something now and then, however little the master takes', async () => {
    const { contexts, clock, news } = await limitedWorker(1, 1);
    for (let value = 1; value <= 100; value += 1) contexts[0]?.progress(value);
    await clock.settle();
    expect(news()).toEqual([[progress, 1, 1]]);
    await clock.advance(1999);
    expect(news()).toEqual([]);
    await clock.advance(1);
    expect(news()).toEqual([[progress, 1, 100]]);
  });

  it('lets no attempt wait for ever behind others', async () => {
    const { contexts, clock, news } = await limitedWorker(20);
    const heard = new Set<unknown>();
    for (let ms = 0; ms < 1500; ms += 1) {
      for (const context of contexts) context.progress(ms);
      await clock.advance(1);
      if (ms > 1000) for (const message of news()) heard.add(message[1]);
      else news();
    }
    expect(heard.size).toBe(20);
  });

  it('tells nothing of an attempt that it has answered', async () => {
    const { handler, world, master } = await pendingWorker();
    world.master.last.close(1001);
    await world.clock.advance(1000);
    const { last } = world.master;
    last.send(welcomeOf({ maxMessageRate: RATE }), [grant, 1, 1, 'k', 'a']);
    await world.clock.settle();
    last.news();
    for (let value = 0; value <= SHARE; value += 1) handler.contexts.get('a')?.progress(value);
    handler.finish('a', 'result');
    await world.clock.advance(1000);
    expect(last.news().slice(-1)).toEqual([[done, 1, 'result']]);
    expect(master.end).toBeDefined();
  });

  it('tells of the last of many changes of its concurrency', async () => {
    const { worker, clock, news } = await limitedWorker();
    for (let count = 0; count < 10_000; count += 1) {
      worker.pause();
      worker.resume();
    }
    worker.setConcurrency(7);
    await clock.settle();
    // It may owe half a second's worth, as it matters more than progress.
    expect(news()).toHaveLength(SHARE * 1.5);
    await clock.advance(600);
    expect(news()).toEqual([[credit, 7, 'auto', 1]]);
  });

  it('tells of its concurrency even while there is more progress than it may tell of', async () => {
    const { contexts, worker, clock, news } = await limitedWorker();
    for (let value = 0; value < 1000; value += 1) contexts[0]?.progress(value);
    await clock.settle();
    news();
    worker.pause();
    await clock.settle();
    expect(news()).toEqual([[credit, 0, 'auto', 1]]);
  });

  it('tells of the last of many changes before the welcome, with it', async () => {
    const { worker, clock, master } = new VirtualWorker<unknown, unknown>(() => null);
    void worker.start();
    await clock.settle();
    master.last.news();
    for (let concurrency = 1; concurrency <= 1000; concurrency += 1) worker.setConcurrency(concurrency);
    await clock.advance(1000);
    expect(master.last.news().length).toBeLessThan(100);
    master.last.send(welcomeOf({ maxMessageRate: RATE }));
    await clock.settle();
    expect(master.last.news()).toEqual([[credit, 1000, 'auto', 0]]);
  });

  it('answers pings all the same, and notices when the master is silent', async () => {
    const { contexts, clock, master, news, world } = await limitedWorker();
    for (let value = 0; value < 1000; value += 1) contexts[0]?.progress(value);
    master.last.send([ping, 1]);
    await clock.settle();
    expect(news()).toContainEqual([MessageType.pong, 1]);
    await clock.advance(3000);
    expect(world.events.at(-1)).toMatchObject({ type: 'disconnected', code: 4410 });
  });

  it('tells of everything if the master does not say how much it takes', async () => {
    const { contexts, clock, news } = await limitedWorker(1, 'any');
    for (let value = 0; value < 5000; value += 1) contexts[0]?.progress(value);
    await clock.settle();
    expect(news()).toHaveLength(5000);
  });
});
