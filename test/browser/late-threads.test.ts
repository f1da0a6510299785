// Threads whose scripts have something else to do before they offer their handler.
import { sandbox } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { join, startMaster } from './cluster.ts';

describe('sandbox in Web Workers', () => {
  it.each([
    [
      'awaits something at its top level',
      () => new Worker(new URL('./fixtures/awaiting-thread.ts', import.meta.url), { type: 'module' }),
      'loaded: true',
    ],
    [
      'imports the library when it runs',
      () => new Worker(new URL('./fixtures/importing-thread.ts', import.meta.url), { type: 'module' }),
      'imported',
    ],
  ])('boots a script that %s', async (_what, createThread, how) => {
    let threads = 0;
    const port = await startMaster();
    await join<number, string>(
      port,
      sandbox(
        () => {
          threads += 1;
          return createThread();
        },
        { size: 2, bootTimeout: 10_000 },
      ),
    );
    // More tasks than threads, all of them there before the threads are.
    const settled = await Promise.all([1, 2, 3, 4].map((n) => commands.put(port, n)));
    expect(settled).toEqual([1, 4, 9, 16].map((square) => ({ result: `${square}, ${how}` })));
    expect(threads).toBe(2);
  });
});
