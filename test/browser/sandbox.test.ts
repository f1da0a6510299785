import { type SandboxOptions, sandbox } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { commands } from 'vitest/browser';
import { eventOf, join, startMaster } from './cluster.ts';
import type { Task } from './fixtures/thread.ts';

/** A master, and a worker whose sandbox counts its threads. */
async function startSandbox(createThread: () => Worker, options: SandboxOptions = { size: 1 }) {
  let threads = 0;
  const port = await startMaster();
  const handler = sandbox<Task, unknown>(() => {
    threads += 1;
    return createThread();
  }, options);
  const worker = await join<Task, unknown>(port, handler);
  return {
    put: (task: Task, name?: string) => commands.put(port, task, name),
    putFollowed: (task: Task) => commands.putFollowed(port, task),
    worker,
    countThreads: () => threads,
  };
}

const goodThread = (): Worker => new Worker(new URL('./fixtures/thread.ts', import.meta.url), { type: 'module' });

describe('sandbox in Web Workers', () => {
  it('runs tasks, as many at once as it has threads', async () => {
    const { put, worker, countThreads } = await startSandbox(goodThread, { size: 2 });
    expect(worker.concurrency).toBe(2);
    expect(countThreads()).toBe(0);
    expect(await Promise.all([1, 2, 3, 4].map((n) => put({ type: 'square', n })))).toEqual(
      [1, 4, 9, 16].map((result) => ({ result })),
    );
    expect(countThreads()).toBe(2);
    expect(await put({ type: 'context' })).toEqual({ result: { key: '4', attempt: 1 } });
  });

  it('moves typed arrays out of the thread', async () => {
    const { put } = await startSandbox(goodThread);
    expect(await put({ type: 'array', n: 1 })).toEqual({
      result: { kind: 'Float64Array', bytes: [0, 0, 0, 0, 0, 0, 0xe0, 0x3f] },
    });
    expect(await put({ type: 'wasMoved' })).toEqual({ result: true });
  });

  it('reports errors and results that cannot be cloned', async () => {
    const { put } = await startSandbox(goodThread);
    expect(await put({ type: 'throw' })).toMatchObject({
      attempts: [{ name: 'RangeError', message: 'out of range', code: 'E_RANGE' }],
    });
    expect(await put({ type: 'function' })).toMatchObject({
      attempts: [{ code: 'TASKDIST_NOT_SERIALIZABLE', message: expect.stringContaining('could not be cloned') }],
    });
  });

  it('passes progress on, in its order, before the result', async () => {
    const { putFollowed } = await startSandbox(goodThread);
    expect(await putFollowed({ type: 'progress', n: 5 })).toEqual({
      progress: [0, 1, 2, 3, 4].map((step) => ({ kind: 'Uint8Array', bytes: [step] })),
      settled: { result: 'done' },
    });
  });

  it('reports progress that cannot be cloned, or is too large; the latter stops even an endless loop', async () => {
    const { put, putFollowed, countThreads } = await startSandbox(goodThread, { size: 1, grace: 50 });
    expect(await putFollowed({ type: 'progressOfFunction' })).toMatchObject({
      progress: [],
      settled: { attempts: [{ code: 'TASKDIST_NOT_SERIALIZABLE' }] },
    });
    expect(await put({ type: 'hugeProgress' })).toMatchObject({ attempts: [{ code: 'TASKDIST_TOO_LARGE' }] });
    expect(await put({ type: 'square', n: 4 })).toEqual({ result: 16 });
    expect(countThreads()).toBe(2);
  });

  it('stops an endless loop when its task is aborted, and replaces the thread', async () => {
    const { put, worker, countThreads } = await startSandbox(goodThread, { size: 1, grace: 50 });
    await put({ type: 'square', n: 1 });
    const started = eventOf(worker, 'taskStarted');
    const spinning = put({ type: 'spin' }, 'spin');
    await started;
    await commands.abort('spin');
    expect(await spinning).toMatchObject({ error: expect.stringContaining('abort') });
    expect(await put({ type: 'square', n: 4 })).toEqual({ result: 16 });
    expect(countThreads()).toBe(2);
  });

  it('fails the task of a thread that crashes, and replaces it', async () => {
    const { put, countThreads } = await startSandbox(goodThread);
    expect(await put({ type: 'crash' })).toMatchObject({
      attempts: [{ code: 'TASKDIST_SANDBOX_CRASHED', message: expect.stringContaining('thrown outside of the task') }],
    });
    expect(await put({ type: 'square', n: 5 })).toEqual({ result: 25 });
    expect(countThreads()).toBe(2);
  });

  it('fails the task of a thread that closes itself, of which a browser tells nobody, and replaces it', async () => {
    const { put, countThreads } = await startSandbox(goodThread);
    expect(await put({ type: 'close' })).toMatchObject({
      attempts: [{ code: 'TASKDIST_SANDBOX_CRASHED', message: expect.stringContaining('closed itself') }],
    });
    expect(await put({ type: 'square', n: 6 })).toEqual({ result: 36 });
    expect(countThreads()).toBe(2);
  });

  it('fails the task of a thread that crashes alone, and runs those sent behind it in another', async () => {
    let threads = 0;
    const handler = sandbox<Task, unknown>(
      () => {
        threads += 1;
        return goodThread();
      },
      { size: 1 },
    );
    onTestFinished(async () => handler.stop?.());
    const { signal } = new AbortController();
    const run = (task: Task) =>
      handler.doTask(task, { key: 'k', attempt: 1, signal, progress() {}, reject: () => expect.unreachable() });
    const squares = (count: number) => Array.from({ length: count }, (_, n) => run({ type: 'square', n }));
    const expected = (count: number): number[] => Array.from({ length: count }, (_, n) => n ** 2);
    // Short tasks, so that more are sent ahead.
    await Promise.all(squares(1000));
    const before = Promise.all(squares(20));
    const crash = expect(run({ type: 'crash' })).rejects.toMatchObject({ code: 'TASKDIST_SANDBOX_CRASHED' });
    const behind = Promise.all(squares(40));
    expect(await before).toEqual(expected(20));
    await crash;
    expect(await behind).toEqual(expected(40));
    expect(threads).toBe(2);
  });

  it.each([
    ['cannot be found', () => new Worker('/no-such-script.js')],
    ['throws', () => new Worker(new URL('./fixtures/broken-thread.ts', import.meta.url), { type: 'module' })],
  ])('fails tasks at once if the script %s, and pauses the worker after three', async (_what, createThread) => {
    const { put, worker, countThreads } = await startSandbox(createThread);
    const broken = eventOf(worker, 'error');
    for (let failures = 0; failures < 3; failures += 1) {
      expect(await put({ type: 'square', n: 1 })).toMatchObject({ attempts: [{ code: 'TASKDIST_SANDBOX_BOOT' }] });
    }
    void put({ type: 'square', n: 1 });
    expect(await broken).toMatchObject({ error: { code: 'TASKDIST_SANDBOX_BROKEN' } });
    expect(worker.isPaused).toBe(true);
    expect(countThreads()).toBe(3);
  });

  it('fails the task of a thread that never calls exposeTaskHandler', async () => {
    const muteThread = (): Worker =>
      new Worker(new URL('./fixtures/mute-thread.ts', import.meta.url), { type: 'module' });
    const { put } = await startSandbox(muteThread, { size: 1, bootTimeout: 200 });
    expect(await put({ type: 'square', n: 1 })).toMatchObject({
      attempts: [{ code: 'TASKDIST_SANDBOX_BOOT', message: expect.stringContaining('bootTimeout') }],
    });
  });
});
