import { describe, expect, it } from 'vitest';
import { SharedResults } from '../../../src/sandbox/shared-results.ts';
import { ThreadHost } from '../../../src/sandbox/thread-host.ts';
import { nextTurn } from '../../support/event-loop.ts';

/** Both ends of a ring; where memory cannot be shared, there is nothing to test. */
function setUp() {
  const sandbox = SharedResults.create();
  if (sandbox === undefined) throw new Error('Memory cannot be shared here');
  const readAll = (): number[][] => {
    const results: number[][] = [];
    sandbox.read((...result) => results.push(result));
    return results;
  };
  return { thread: new SharedResults(sandbox.buffer), readAll, buffer: sandbox.buffer };
}

describe.skipIf(SharedResults.create() === undefined)('SharedResults', () => {
  it('hands over each result once, in its order, to the bit', () => {
    const { thread, readAll } = setUp();
    const results = [1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53];
    for (const [call, result] of results.entries()) expect(thread.write(call, result, call / 8)).toBe(true);
    expect(readAll()).toEqual(results.map((result, call) => [call, result, call / 8]));
    expect(readAll()).toEqual([]);
  });

  it('takes no more than there is room for, until some have been read', () => {
    const { thread, readAll } = setUp();
    const written = (): number => {
      let count = 0;
      while (thread.write(count, count, 0)) count += 1;
      return count;
    };
    expect(written()).toBe(512);
    expect(readAll().length).toBe(512);
    expect([written(), readAll().at(-1)]).toEqual([512, [511, 511, 0]]);
  });

  it('goes round, also where its counters do', () => {
    const { thread, readAll, buffer } = setUp();
    new Int32Array(buffer, 0, 2).fill(0x7fff_fff0);
    for (let n = 0; n < 100; n += 1) expect(thread.write(n, n, 0)).toBe(true);
    expect(readAll().map(([call]) => call)).toEqual([...Array(100).keys()]);
  });
});

describe.skipIf(SharedResults.create() === undefined)('a thread that shares memory', () => {
  /** What the sandbox could read when the thread began a call, and what was posted. */
  async function run(results: readonly unknown[]) {
    const { readAll, buffer } = setUp();
    const log: string[] = [];
    const read = (): string =>
      readAll()
        .map(([call]) => call)
        .join();
    const host = new ThreadHost<number, unknown>(
      {
        doTask(n) {
          log.push(`run ${n}, has read ${read()}`);
          return results[n];
        },
      },
      ([, kind, call]) => log.push(call === undefined ? kind : `${kind} ${call}`),
    );
    host.share(buffer);
    host.run(results.map((_, n) => [n, n, 'key', 1]));
    await nextTurn();
    return { log, rest: read() };
  }

  it('writes numbers before the next call begins, and says so when nothing waits any more', async () => {
    expect(await run([1, 2, 3])).toEqual({
      log: ['run 0, has read ', 'run 1, has read 0', 'run 2, has read 1', 'written'],
      rest: '2',
    });
  });

  it('says so at least for every 32', async () => {
    const { log } = await run(Array(100).fill(1));
    // It may yield in between.
    await expect.poll(() => log.filter((line) => line === 'written').length).toBeGreaterThanOrEqual(4);
  });

  it('posts at once what is no number', async () => {
    expect((await run([1, 'text', 2])).log).toEqual([
      'run 0, has read ',
      'run 1, has read 0',
      'done 1',
      'run 2, has read ',
      'written',
    ]);
  });

  it('posts what there is no room for', async () => {
    const { buffer } = setUp();
    const posted: unknown[] = [];
    const host = new ThreadHost<number, number>({ doTask: (n) => n }, ([, kind, call]) => posted.push([kind, call]));
    host.share(buffer);
    host.run(Array.from({ length: 514 }, (_, n) => [n, n, 'key', 1]));
    // It yields in between.
    await expect
      .poll(() => posted.filter((message) => (message as string[])[0] === 'done'))
      .toEqual([
        ['done', 512],
        ['done', 513],
      ]);
  });

  it('tells of numbers that promises gave before the event loop goes on', async () => {
    const { log } = await run([Promise.resolve(1), new Promise(() => {})]);
    expect(log).toEqual(['run 0, has read ', 'run 1, has read 0', 'written']);
  });
});
