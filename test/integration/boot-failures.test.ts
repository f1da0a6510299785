import { Worker as Thread } from 'node:worker_threads';
import { type DeadLetterError, sandbox } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster } from './cluster.ts';

type Task = { type: string; n?: number };

describe('a sandbox whose threads fail to start now and then', () => {
  it('counts the failures anew after one that started', async () => {
    const scripts = ['broken', 'broken', 'good', 'broken', 'broken', 'good'];
    const handler = sandbox<Task, unknown>(
      () => {
        const name = scripts.shift() === 'good' ? 'thread' : 'broken-thread';
        return new Thread(new URL(`./fixtures/${name}.mjs`, import.meta.url), { stderr: true });
      },
      { size: 1 },
    );
    const cluster = await Cluster.start<Task, unknown>({}, { maxAttempts: 1 });
    const worker = await cluster.join(handler);
    const outcomeOf = async (task: Task): Promise<unknown> => {
      try {
        return await cluster.scheduler.put(task);
      } catch (error) {
        return Reflect.get((error as DeadLetterError).attempts[0]?.error ?? {}, 'code');
      }
    };
    const square = { type: 'square', n: 3 };
    // The thread that started ends in between, so that another is needed.
    const outcomes = [];
    for (const task of [square, square, square, { type: 'exit' }, square, square, square])
      outcomes.push(await outcomeOf(task));
    const boot = 'TASKDIST_SANDBOX_BOOT';
    expect(outcomes).toEqual([boot, boot, 9, 'TASKDIST_SANDBOX_CRASHED', boot, boot, 9]);
    expect(worker.isPaused).toBe(false);
  });
});
