// Scripts of threads that load late, or throw what cannot be touched.
import { Worker as Thread } from 'node:worker_threads';
import { type DeadLetterError, sandbox } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster } from './cluster.ts';

function counted(name: string) {
  const threads: Thread[] = [];
  const factory = (): Thread => {
    const thread = new Thread(new URL(`./fixtures/${name}.mjs`, import.meta.url), { stderr: true });
    threads.push(thread);
    return thread;
  };
  return { threads, factory };
}

describe('sandbox in worker threads', () => {
  it.each([
    ['awaits something at its top level', 'awaiting-thread', 'loaded: true'],
    ['imports the library when it runs', 'importing-thread', 'imported'],
  ])('boots a script that %s', async (_what, name, how) => {
    const { threads, factory } = counted(name);
    const cluster = await Cluster.start<number, string>({}, { maxAttempts: 1 });
    await cluster.join(sandbox(factory, { size: 2, bootTimeout: 20_000 }));
    const results = await Promise.all([1, 2, 3, 4].map((n) => cluster.scheduler.put(n)));
    expect(results).toEqual([1, 4, 9, 16].map((square) => `${square}, ${how}`));
    expect(threads).toHaveLength(2);
  });

  it('goes on with the same thread whatever its handler throws', async () => {
    const { threads, factory } = counted('hostile-thread');
    const cluster = await Cluster.start<string, string>({}, { maxAttempts: 1 });
    await cluster.join(sandbox(factory, { size: 1 }));
    for (const kind of ['revoked proxy', 'biting proxy', 'biting getters']) {
      const error: unknown = await cluster.scheduler.put(kind).catch((reason: unknown) => reason);
      expect((error as DeadLetterError).attempts).toMatchObject([
        { error: { name: 'Error', message: 'a value that cannot be described' } },
      ]);
      await expect(cluster.scheduler.put('good')).resolves.toBe('result');
    }
    expect(threads).toHaveLength(1);
  });
});
