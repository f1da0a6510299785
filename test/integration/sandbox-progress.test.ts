// Progress that a handler reports from a thread.
import { Worker as Thread } from 'node:worker_threads';
import { type DeadLetterError, type ProgressInfo, sandbox } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cluster, nextWorkerEvent } from './cluster.ts';

type Task = { type: string; n?: number };

const factory = (): Thread => new Thread(new URL('./fixtures/thread.mjs', import.meta.url));

async function setUp(grace = 10_000) {
  const cluster = await Cluster.start<Task, unknown>({}, { maxAttempts: 1 });
  const handler = sandbox<Task, unknown>(factory, { size: 1, grace });
  onTestFinished(async () => handler.stop?.());
  const worker = await cluster.join(handler, { name: 'threaded' });
  const told: unknown[] = [];
  const infos: ProgressInfo[] = [];
  const onProgress = (value: unknown, info: ProgressInfo): void => {
    told.push(value);
    infos.push(info);
  };
  return { ...cluster, worker, told, infos, onProgress };
}

describe('context.progress in a worker thread', () => {
  it('reaches onProgress, in order and before the result', async () => {
    const { scheduler, told, infos, onProgress } = await setUp();
    const result = await scheduler.put({ type: 'progress', n: 100 }, { onProgress });
    expect(told.splice(0)).toEqual(Array.from({ length: 100 }, (_, index) => new Uint8Array([index + 1])));
    expect(infos[99]).toEqual({ key: '0', attempt: 1, worker: 'threaded' });
    expect(result).toBe('done');
  });

  it('throws in the handler if the value cannot leave the thread', async () => {
    const { scheduler, onProgress } = await setUp();
    const error = await scheduler.put({ type: 'progressFunction' }, { onProgress }).catch((reason) => reason);
    expect((error as DeadLetterError).attempts[0]?.error).toMatchObject({
      code: 'TASKDIST_NOT_SERIALIZABLE',
      message: expect.stringContaining('The progress cannot leave the thread'),
    });
  });

  it('is not told any more once the task is aborted', async () => {
    const { scheduler, worker, told, onProgress } = await setUp();
    const controller = new AbortController();
    const progress = nextWorkerEvent(worker, 'taskProgress');
    const aborted = scheduler.put({ type: 'abortedProgress' }, { onProgress, signal: controller.signal });
    expect((await progress).value).toBe('before');
    const settled = nextWorkerEvent(worker, 'taskSettled');
    controller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    expect((await settled).outcome).toBe('returned');
    // The thread is still the same, and answers in order.
    expect(await scheduler.put({ type: 'square', n: 3 }, { onProgress })).toBe(9);
    expect(told.filter((value) => value === 'after')).toEqual([]);
  });

  it('is not told any more once the task is done', async () => {
    const { scheduler, told, onProgress } = await setUp();
    await scheduler.put({ type: 'remember' }, { onProgress });
    expect(await scheduler.put({ type: 'lateProgress' }, { onProgress })).toBe('nobody minds');
    expect(told).toEqual([]);
  });

  it.each([
    ['and stops it even in an endless loop', {}],
    ['even if it gives a result', { n: 1 }],
  ])('fails the task if the value is too large for the wire, %s', async (_what, rest) => {
    const { scheduler, told, onProgress } = await setUp(50);
    const error = await scheduler.put({ type: 'hugeProgress', ...rest }, { onProgress }).catch((reason) => reason);
    expect((error as DeadLetterError).attempts[0]?.error).toMatchObject({ code: 'TASKDIST_TOO_LARGE' });
    expect(await scheduler.put({ type: 'square', n: 3 }, { onProgress })).toBe(9);
    expect(told).toEqual([]);
  });
});
