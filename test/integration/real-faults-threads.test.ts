// Threads of a sandbox that run out of memory, end, throw outside of their tasks, or post what they should not.
import { Worker as Thread } from 'node:worker_threads';
import { type DeadLetterError, sandbox } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster } from './cluster.ts';

interface Task {
  readonly type: string;
  readonly n?: number;
  readonly ms?: number;
}

const MEMORY_MB = 24;

/** A worker with two threads that have little memory, both of which run. */
async function setUp() {
  const threads: Thread[] = [];
  const factory = (): Thread => {
    const thread = new Thread(new URL('./fixtures/misbehaving-thread.mjs', import.meta.url), {
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    threads.push(thread);
    return thread;
  };
  const cluster = await Cluster.start<Task, unknown>({}, { maxAttempts: 1 });
  const worker = await cluster.join(sandbox(factory, { size: 2 }));
  const { scheduler } = cluster;
  await Promise.all([1, 2].map((n) => scheduler.put({ type: 'pause', n, ms: 50 })));
  expect(threads).toHaveLength(2);
  return { scheduler, threads, worker };
}

const failureOf = async (result: Promise<unknown>): Promise<Error | undefined> => {
  const error = await result.catch((reason: unknown) => reason);
  return (error as DeadLetterError).attempts[0]?.error;
};

describe('a thread that', () => {
  it.each([
    ['runs out of memory', 'exhaust', /memory/],
    ['calls process.exit', 'exit', /exited with code 3/],
    ['throws outside of its task', 'throw later', /thrown outside of the task/],
    ['leaves a rejection to nobody', 'reject later', /rejected outside of the task/],
    ['throws nothing at all outside of its task', 'throw nothing', /ended/],
  ])('%s fails its task alone, and is replaced; others go on', async (_what, type, message) => {
    const { scheduler, threads, worker } = await setUp();
    const failure = failureOf(scheduler.put({ type }));
    const others = Array.from({ length: 20 }, (_, n) => scheduler.put({ type: 'pause', n, ms: 5 }));
    expect(await failure).toMatchObject({
      code: 'TASKDIST_SANDBOX_CRASHED',
      message: expect.stringMatching(message),
    });
    expect(await Promise.all(others)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await Promise.all([1, 2].map((n) => scheduler.put({ type: 'pause', n, ms: 20 })));
    expect(threads).toHaveLength(3);
    expect(worker.isPaused).toBe(false);
  });

  it('posts garbage is not heard, and goes on', async () => {
    const { scheduler, threads } = await setUp();
    const results = Array.from({ length: 20 }, (_, n) => scheduler.put({ type: n % 2 === 0 ? 'garbage' : 'value', n }));
    expect(await Promise.all(results)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(threads).toHaveLength(2);
  });
});
