import { Worker as Thread } from 'node:worker_threads';
import { type DeadLetterError, sandbox, type TaskHandler } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cluster, gate, nextWorkerEvent } from './cluster.ts';

type Task = { type: string; n?: number };

const script = (name: string): URL => new URL(`./fixtures/${name}.mjs`, import.meta.url);

/** Counts the threads that were started. */
function counted(name: string, options: ConstructorParameters<typeof Thread>[1] = {}) {
  const threads: Thread[] = [];
  const factory = (): Thread => {
    const thread = new Thread(script(name), { stderr: true, ...options });
    threads.push(thread);
    return thread;
  };
  return { threads, factory };
}

async function clusterWith(handler: TaskHandler<Task, unknown>, maxAttempts = 1) {
  const cluster = await Cluster.start<Task, unknown>({}, { maxAttempts });
  const worker = await cluster.join(handler);
  return { scheduler: cluster.scheduler, worker };
}

const failureOf = async (result: Promise<unknown>): Promise<Error | undefined> => {
  const error = await result.catch((reason: unknown) => reason);
  return (error as DeadLetterError).attempts[0]?.error;
};

describe('sandbox in worker threads', () => {
  it('runs tasks, as many at once as it has threads, and starts those as they are needed', async () => {
    const { threads, factory } = counted('thread');
    const { scheduler, worker } = await clusterWith(sandbox(factory, { size: 2 }));
    expect(worker.concurrency).toBe(2);
    expect(threads).toHaveLength(0);
    expect(await scheduler.put({ type: 'square', n: 3 })).toBe(9);
    expect(threads).toHaveLength(1);
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => scheduler.put({ type: 'square', n })));
    expect(results).toEqual([1, 4, 9, 16, 25, 36]);
    expect(threads).toHaveLength(2);
  });

  it('hands the context on', async () => {
    const { scheduler } = await clusterWith(sandbox(counted('thread').factory, { size: 1 }));
    expect(await scheduler.put({ type: 'context' })).toEqual({ key: '0', attempt: 1 });
  });

  it('reports an error with its name, message, stack and code', async () => {
    const { scheduler } = await clusterWith(sandbox(counted('thread').factory, { size: 1 }));
    const error = await failureOf(scheduler.put({ type: 'throw' }));
    expect(error).toMatchObject({ name: 'RangeError', message: 'out of range', code: 'E_RANGE' });
    expect(error?.stack).toContain('thread.mjs');
  });

  it('moves typed arrays out of the thread, and copies no more than a view covers', async () => {
    const { scheduler } = await clusterWith(sandbox(counted('thread').factory, { size: 1 }));
    expect(await scheduler.put({ type: 'array', n: 1000 })).toEqual({ values: new Float64Array(1000).fill(0.5) });
    expect(await scheduler.put({ type: 'wasMoved' })).toBe(true);
    const view = (await scheduler.put({ type: 'view' })) as Uint8Array;
    expect([...view]).toEqual([7, 7, 7, 7]);
    expect(view.buffer.byteLength).toBeLessThan(1000);
  });

  it('fails a task whose result cannot be cloned, and says why', async () => {
    const { scheduler } = await clusterWith(sandbox(counted('thread').factory, { size: 1 }));
    expect(await failureOf(scheduler.put({ type: 'function' }))).toMatchObject({
      code: 'TASKDIST_NOT_SERIALIZABLE',
      message: expect.stringContaining('could not be cloned'),
    });
    expect(await scheduler.put({ type: 'square', n: 2 })).toBe(4);
  });

  it('lets a task be rejected from within', async () => {
    const { scheduler, worker } = await clusterWith(sandbox(counted('thread').factory, { size: 1 }));
    const settled = nextWorkerEvent(worker, 'taskSettled');
    void scheduler.put({ type: 'reject' }).catch(() => {});
    await expect(settled).resolves.toMatchObject({ outcome: 'rejected' });
  });
});

describe('a task in a sandbox that is aborted', () => {
  it('hears the signal, and keeps its thread if it ends within the grace', async () => {
    const { threads, factory } = counted('thread');
    const { scheduler, worker } = await clusterWith(sandbox(factory, { size: 1 }));
    await scheduler.put({ type: 'square', n: 1 });
    const controller = new AbortController();
    const started = nextWorkerEvent(worker, 'taskStarted');
    const result = scheduler.put({ type: 'wait' }, { signal: controller.signal });
    await started;
    controller.abort();
    await expect(result).rejects.toThrow('abort');
    expect(await scheduler.put({ type: 'square', n: 5 })).toBe(25);
    expect(threads).toHaveLength(1);
  });

  it('is stopped even in an endless loop, and its thread is replaced', async () => {
    const { threads, factory } = counted('thread');
    const { scheduler, worker } = await clusterWith(sandbox(factory, { size: 1, grace: 50 }));
    await scheduler.put({ type: 'square', n: 1 });
    const exited = gate<number>();
    threads[0]?.on('exit', (code) => exited.open(code));
    const controller = new AbortController();
    const started = nextWorkerEvent(worker, 'taskStarted');
    const result = scheduler.put({ type: 'spin' }, { signal: controller.signal });
    await started;
    controller.abort();
    await expect(result).rejects.toThrow('abort');
    await exited.promise;
    expect(await scheduler.put({ type: 'square', n: 4 })).toBe(16);
    expect(threads).toHaveLength(2);
  });

  it('is stopped when it runs out of time', async () => {
    const { threads, factory } = counted('thread');
    const cluster = await Cluster.start<Task, unknown>({ taskTimeout: 5000 }, { maxAttempts: 1 });
    await cluster.join(sandbox(factory, { size: 1, grace: 50 }));
    await cluster.scheduler.put({ type: 'square', n: 1 });
    const error = await failureOf(cluster.scheduler.put({ type: 'spin' }));
    expect(error).toMatchObject({ code: 'TASKDIST_TASK_TIMEOUT' });
    expect(await cluster.scheduler.put({ type: 'square', n: 6 })).toBe(36);
    expect(threads).toHaveLength(2);
  });

  it('is stopped with its worker', async () => {
    const { threads, factory } = counted('thread');
    const { scheduler, worker } = await clusterWith(sandbox(factory, { size: 1, grace: 50 }));
    await scheduler.put({ type: 'square', n: 1 });
    const exited = gate<number>();
    threads[0]?.on('exit', (code) => exited.open(code));
    const started = nextWorkerEvent(worker, 'taskStarted');
    void scheduler.put({ type: 'spin' }).catch(() => {});
    await started;
    await worker.stop();
    await exited.promise;
    expect(worker.state).toBe('stopped');
  });
});

describe('a thread that fails', () => {
  it.each([
    ['exit', /exited with code 3/],
    ['crash', /thrown outside of the task/],
  ])('by %s fails its task at once, and is replaced', async (type, message) => {
    const { threads, factory } = counted('thread');
    const { scheduler } = await clusterWith(sandbox(factory, { size: 1 }));
    expect(await failureOf(scheduler.put({ type }))).toMatchObject({
      code: 'TASKDIST_SANDBOX_CRASHED',
      message: expect.stringMatching(message),
    });
    expect(await scheduler.put({ type: 'square', n: 7 })).toBe(49);
    expect(threads).toHaveLength(2);
  });

  it('for want of memory fails its task and nothing else', async () => {
    const { factory } = counted('thread', { resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const { scheduler } = await clusterWith(sandbox(factory, { size: 1 }));
    expect(await failureOf(scheduler.put({ type: 'exhaust' }))).toMatchObject({ code: 'TASKDIST_SANDBOX_CRASHED' });
    expect(await scheduler.put({ type: 'square', n: 8 })).toBe(64);
  });

  it.each([
    ['whose script throws', 'broken-thread', /broken at load/],
    ['whose script is missing', 'no-such-thread', /Cannot find module/],
  ])('to load, %s, fails its tasks; after three the worker pauses', async (_what, name, message) => {
    const { threads, factory } = counted(name);
    const { scheduler, worker } = await clusterWith(sandbox(factory, { size: 1 }));
    const broken = nextWorkerEvent(worker, 'error');
    for (let failures = 0; failures < 3; failures += 1) {
      expect(await failureOf(scheduler.put({ type: 'square', n: 1 }))).toMatchObject({
        code: 'TASKDIST_SANDBOX_BOOT',
        message: expect.stringMatching(message),
      });
    }
    const waiting = scheduler.put({ type: 'square', n: 9 });
    expect((await broken).error.code).toBe('TASKDIST_SANDBOX_BROKEN');
    expect(worker.isPaused).toBe(true);
    expect(threads).toHaveLength(3);
    await expect.poll(() => scheduler.queued).toBe(1);
    void waiting.catch(() => {});
  });

  it('to call exposeTaskHandler in time fails its task', async () => {
    const { factory } = counted('mute-thread');
    const { scheduler } = await clusterWith(sandbox(factory, { size: 1, bootTimeout: 300 }));
    expect(await failureOf(scheduler.put({ type: 'square', n: 1 }))).toMatchObject({
      code: 'TASKDIST_SANDBOX_BOOT',
      message: expect.stringContaining('bootTimeout'),
    });
  });

  it('because its factory throws, or returns something else, fails its task', async () => {
    const throwing = await clusterWith(
      sandbox(() => {
        throw new Error('no threads today');
      }),
    );
    expect(await failureOf(throwing.scheduler.put({ type: 'square', n: 1 }))).toMatchObject({
      code: 'TASKDIST_SANDBOX_BOOT',
      message: expect.stringContaining('no threads today'),
    });
    const wrong = await clusterWith(sandbox(() => ({ postMessage() {}, terminate() {} })));
    expect(await failureOf(wrong.scheduler.put({ type: 'square', n: 1 }))).toMatchObject({
      code: 'TASKDIST_SANDBOX_BOOT',
    });
  });
});

describe('sandbox used alone', () => {
  const context = {
    key: 'k',
    attempt: 1,
    signal: new AbortController().signal,
    progress: (): void => {},
    reject: (): never => {
      throw new Error();
    },
  };

  it('is a handler', async () => {
    const handler = sandbox<Task, number>(counted('thread').factory, { size: 1 });
    onTestFinished(async () => handler.stop?.());
    expect(await handler.doTask({ type: 'square', n: 11 }, context)).toBe(121);
  });

  it('rejects what runs when it is stopped, and can be used again', async () => {
    const handler = sandbox<Task, number>(counted('thread').factory, { size: 1 });
    onTestFinished(async () => handler.stop?.());
    await handler.doTask({ type: 'square', n: 1 }, context);
    const running = handler.doTask({ type: 'spin' }, context);
    const waiting = handler.doTask({ type: 'square', n: 2 }, context);
    const settled = Promise.allSettled([running, waiting]);
    await handler.stop?.();
    expect((await settled).map((each) => each.status === 'rejected' && each.reason.code)).toEqual([
      'TASKDIST_STOPPED',
      'TASKDIST_STOPPED',
    ]);
    expect(await handler.doTask({ type: 'square', n: 12 }, context)).toBe(144);
  });

  it('refuses wrong options by name and value', () => {
    expect(() => sandbox(counted('thread').factory, { size: 0 })).toThrow(
      'Expected `size` to be an integer from 1 to 1024, got 0',
    );
    expect(() => sandbox(null as never)).toThrow('Expected `factory`');
    expect(() => sandbox(counted('thread').factory, { sizes: 1 } as never)).toThrow('Unknown option `sizes`');
  });
});
