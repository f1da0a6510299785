// Tasks that cross into a thread ahead of their turn: what becomes of them when the one before them is not as expected.
import { Worker as Thread } from 'node:worker_threads';
import { type DeadLetterError, sandbox } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cluster, nextWorkerEvent } from './cluster.ts';

type Task = { type: string; n?: unknown };

/** A cluster whose threads have run many short tasks, so that more are sent ahead. */
async function setUp(size = 1) {
  const threads: Thread[] = [];
  /** How many tasks crossed at once, each time. */
  const batches: number[] = [];
  const factory = (): Thread => {
    const thread = new Thread(new URL('./fixtures/thread.mjs', import.meta.url), { stderr: true });
    const post = thread.postMessage.bind(thread);
    thread.postMessage = (message, transfer) => {
      if (message.path?.[0] === 'run') batches.push(message.argumentList[0].value.length);
      post(message, transfer);
    };
    threads.push(thread);
    return thread;
  };
  const handler = sandbox<Task, unknown>(factory, { size, grace: 50 });
  const cluster = await Cluster.start<Task, unknown>({}, { maxAttempts: 1 });
  const worker = await cluster.join(handler);
  const { scheduler } = cluster;
  const squares = (from: number, to: number): Promise<unknown[]> =>
    Promise.all(Array.from({ length: to - from }, (_, i) => scheduler.put({ type: 'square', n: from + i })));
  await squares(0, 2000);
  const [before, warm] = [threads.length, batches.splice(0)];
  return { handler, scheduler, worker, squares, batches, warm, newThreads: () => threads.length - before };
}

const expectSquares = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => (from + i) ** 2);

const failureOf = async (result: Promise<unknown>): Promise<Error | undefined> => {
  const error = await result.catch((reason: unknown) => reason);
  return (error as DeadLetterError).attempts[0]?.error;
};

describe('short tasks', () => {
  it('cross into a thread by many at once', async () => {
    const { warm } = await setUp();
    expect(warm.reduce((sum, size) => sum + size)).toBeGreaterThanOrEqual(2000);
    expect(warm.length).toBeLessThan(500);
  });

  it('have their progress told in its order, before their results', async () => {
    const { scheduler } = await setUp();
    const told: string[] = [];
    const tasks = Array.from({ length: 30 }, async (_, i) => {
      const onProgress = (value: unknown): void => void told.push(`${i} ${(value as { step: number }).step}`);
      await scheduler.put({ type: 'progress', n: 3 }, { onProgress });
      told.push(`${i} done`);
    });
    await Promise.all(tasks);
    for (let i = 0; i < 30; i += 1) {
      expect(told.filter((each) => each.startsWith(`${i} `))).toEqual([`${i} 0`, `${i} 1`, `${i} 2`, `${i} done`]);
    }
  });
});

describe('a task that ends its thread', () => {
  it.each(['exit', 'crash'])('by %s is alone to blame: those sent behind it run in another', async (type) => {
    const { scheduler, squares, newThreads } = await setUp();
    const before = squares(0, 20);
    const failure = failureOf(scheduler.put({ type }));
    const behind = squares(20, 60);
    expect(await failure).toMatchObject({ code: 'TASKDIST_SANDBOX_CRASHED' });
    expect(await before).toEqual(expectSquares(0, 20));
    expect(await behind).toEqual(expectSquares(20, 60));
    expect(newThreads()).toBe(1);
  });

  it('as it never ends, holds back no result, and those behind it run once it is aborted', async () => {
    const { scheduler, squares, newThreads } = await setUp();
    const controller = new AbortController();
    const before = squares(0, 20);
    const spinning = scheduler.put({ type: 'spin' }, { signal: controller.signal });
    const behind = squares(20, 60);
    // While it runs.
    expect(await before).toEqual(expectSquares(0, 20));
    controller.abort();
    await expect(spinning).rejects.toThrow('abort');
    expect(await behind).toEqual(expectSquares(20, 60));
    expect(newThreads()).toBe(1);
  });
});

describe('a task that takes long against expectation', () => {
  it('gives those behind it to other threads', async () => {
    const { scheduler, squares, worker, newThreads } = await setUp(2);
    const controller = new AbortController();
    const started = nextWorkerEvent(worker, 'taskStarted');
    const spinning = scheduler.put({ type: 'spin' }, { signal: controller.signal });
    const behind = squares(0, 200);
    await started;
    // While it runs.
    expect(await behind).toEqual(expectSquares(0, 200));
    expect(newThreads()).toBe(0);
    controller.abort();
    await expect(spinning).rejects.toThrow('abort');
  });

  it('lets those behind it be taken back at once', async () => {
    const { scheduler, squares, worker } = await setUp();
    const controller = new AbortController();
    const started = nextWorkerEvent(worker, 'taskStarted');
    const spinning = scheduler.put({ type: 'spin' }, { signal: controller.signal });
    const behind = squares(0, 20);
    await started;
    worker.pause();
    // All but the one that runs.
    await expect.poll(() => scheduler.queued).toBe(20);
    controller.abort();
    await expect(spinning).rejects.toThrow('abort');
    worker.resume();
    expect(await behind).toEqual(expectSquares(0, 20));
  });
});

describe('a task that cannot cross', () => {
  it('fails alone', async () => {
    const { handler, batches } = await setUp();
    const { signal } = new AbortController();
    onTestFinished(async () => handler.stop?.());
    const run = async (n: unknown): Promise<unknown> => {
      const context = { key: 'k', attempt: 1, signal, progress() {}, reject: () => expect.unreachable() };
      try {
        return await handler.doTask({ type: 'square', n }, context);
      } catch (error) {
        return Reflect.get(Object(error), 'name');
      }
    };
    const results = await Promise.all([1, 2, () => {}, 4, 5, 6].map(run));
    expect(results).toEqual([1, 4, 'DataCloneError', 16, 25, 36]);
    expect(Math.max(...batches)).toBeGreaterThan(1);
  });
});
