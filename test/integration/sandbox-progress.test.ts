import { Worker as Thread } from 'node:worker_threads';
import { type DeadLetterError, sandbox } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster, gate, nextWorkerEvent } from './cluster.ts';

type Task = { type: string; n?: number };

/** A cluster whose worker has one thread at a time, and those that there were. */
async function setUp() {
  const threads: Thread[] = [];
  const factory = (): Thread => {
    const thread = new Thread(new URL('./fixtures/thread.mjs', import.meta.url), { stderr: true });
    threads.push(thread);
    return thread;
  };
  const cluster = await Cluster.start<Task, unknown>({}, { maxAttempts: 1 });
  const worker = await cluster.join(sandbox(factory, { size: 1, grace: 50 }));
  const { scheduler } = cluster;
  /** What has come of the task so far, in order. */
  const told: unknown[] = [];
  const put = async (task: Task, signal?: AbortSignal): Promise<unknown> => {
    const onProgress = (value: unknown): void => void told.push(value);
    const result = await scheduler.put(task, { onProgress, ...(signal === undefined ? {} : { signal }) });
    told.push(result);
    return result;
  };
  return { threads, worker, put, told };
}

const failureOf = async (result: Promise<unknown>): Promise<Error | undefined> => {
  const error = await result.catch((reason: unknown) => reason);
  return (error as DeadLetterError).attempts[0]?.error;
};

describe('progress from a worker thread', () => {
  it('comes in its order, before the result, and as it was at that moment', async () => {
    const { put, told } = await setUp();
    // What the handler goes on to use is copied, not moved.
    await put({ type: 'progress', n: 5 });
    const values = new Float64Array([0.5]);
    expect(told).toEqual([...[0, 1, 2, 3, 4].map((step) => ({ step, values })), 8]);
  });

  it('that cannot be cloned throws in the handler', async () => {
    const { put, told } = await setUp();
    expect(await failureOf(put({ type: 'progressOfFunction' }))).toMatchObject({
      code: 'TASKDIST_NOT_SERIALIZABLE',
      message: expect.stringContaining('The progress cannot leave the thread'),
    });
    expect(told).toEqual([]);
  });

  it('is of no interest once the attempt is over', async () => {
    const { put, told } = await setUp();
    await put({ type: 'progress', n: 0 });
    expect(await put({ type: 'lateProgress' })).toBe('nobody minds');
    expect(told).toEqual([8, 'nobody minds']);
  });

  it('is of no interest once the attempt is aborted', async () => {
    const { put, told, worker, threads } = await setUp();
    await put({ type: 'square', n: 1 });
    const controller = new AbortController();
    const started = nextWorkerEvent(worker, 'taskStarted');
    const settled = put({ type: 'progressWhenAborted' }, controller.signal);
    await started;
    const ended = nextWorkerEvent(worker, 'taskSettled');
    controller.abort();
    await expect(settled).rejects.toThrow('abort');
    await ended;
    expect(await put({ type: 'square', n: 3 })).toBe(9);
    expect([told, threads.length]).toEqual([[1, 9], 1]);
  });

  it('that is too large for the wire fails the attempt, and stops it even in an endless loop', async () => {
    const { put, told, threads } = await setUp();
    await put({ type: 'square', n: 1 });
    const exited = gate<number>();
    threads[0]?.on('exit', (code) => exited.open(code));
    expect(await failureOf(put({ type: 'hugeProgress' }))).toMatchObject({ code: 'TASKDIST_TOO_LARGE' });
    await exited.promise;
    expect(await put({ type: 'square', n: 2 })).toBe(4);
    expect([told, threads.length]).toEqual([[1, 4], 2]);
  });
});
