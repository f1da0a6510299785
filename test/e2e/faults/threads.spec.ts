// Threads of a page that misbehave: each attempt fails with an error that says so, and everything else goes on.

import type { FaultTask, Misbehaviour } from './page/task.ts';
import type { Cluster } from './support/cluster.ts';
import { expect, test } from './support/test.ts';

const NOT_SERIALIZABLE = { code: 'TASKDIST_NOT_SERIALIZABLE', name: 'TaskdistError' };
const CRASHED = { code: 'TASKDIST_SANDBOX_CRASHED', name: 'TaskdistError' };

/** How often it goes wrong in each test: more than one thread has to be replaced. */
const TIMES = 3;

const faults: readonly (readonly [how: Misbehaviour, error: Record<string, unknown>, threadsReplaced: number])[] = [
  ['spin', { code: 'TASKDIST_TASK_TIMEOUT', name: 'TaskTimeoutError' }, TIMES],
  ['closeItself', { ...CRASHED, message: expect.stringContaining('it closed itself') }, TIMES],
  ['closeItselfAndReturn', { ...CRASHED, message: expect.stringContaining('it closed itself') }, TIMES],
  ['throwOutside', { ...CRASHED, message: expect.stringContaining('thrown outside of the task') }, TIMES],
  ['throwFunction', { name: 'Error', message: expect.stringContaining('=>') }, 0],
  ['throwHostObject', { name: 'Error', message: '[object MessagePort]' }, 0],
  ['throwWithCause', { name: 'RangeError', message: 'out of range' }, 0],
  ['returnFunction', NOT_SERIALIZABLE, 0],
  ['returnHostObject', NOT_SERIALIZABLE, 0],
  ['returnPromiseInside', NOT_SERIALIZABLE, 0],
];

for (const isIsolated of [false, true]) {
  const memory = isIsolated ? 'shares memory with' : 'shares nothing with';

  test(`threads that misbehave fail their attempts alone, in a page that ${memory} them`, async ({
    startCluster,
    lend,
  }) => {
    const cluster = await startCluster({}, { maxAttempts: 1 });
    const tab = await lend(cluster, { threads: 2 }, { isIsolated });
    expect(await tab.evaluate(() => crossOriginIsolated)).toBe(isIsolated);
    await Promise.all(cluster.putSquares(2));
    let threads = await tab.evaluate(() => window.lending.threads);
    for (const [how, error, replaced] of faults) {
      const failures = Array.from({ length: TIMES }, () => fail(cluster, { type: 'misbehave', how }));
      // Beside them, behind them, and between them.
      const squares = cluster.putSquares(20);
      for (const failure of failures) expect(await failure, how).toMatchObject(error);
      expect(await Promise.all(squares), how).toEqual(
        Array.from({ length: 20 }, (_, n) => ({ by: 'page', value: n ** 2 })),
      );
      threads += replaced;
      await expect.poll(() => tab.evaluate(() => window.lending.threads), how).toBeGreaterThanOrEqual(threads - 1);
    }
    expect(cluster.outcomes('lost')).toEqual([]);
    expect(cluster.all('workerDisconnected')).toEqual([]);
  });
}

test('what goes wrong in the page itself fails the attempt too', async ({ startCluster, lend }) => {
  const cluster = await startCluster({}, { maxAttempts: 1 });
  await lend(cluster, { threads: 0 });
  for (const how of [
    'throwFunction',
    'throwHostObject',
    'throwWithCause',
    'returnFunction',
    'returnPromiseInside',
  ] as const) {
    const error = faults.find(([each]) => each === how)?.[1] ?? {};
    expect(await fail(cluster, { type: 'misbehave', how }), how).toMatchObject(error);
    expect(await Promise.all(cluster.putSquares(3))).toHaveLength(3);
  }
});

test('a thread that never returns is stopped after the grace, while the others go on', async ({
  startCluster,
  lend,
}) => {
  const cluster = await startCluster({}, { maxAttempts: 1 });
  const grace = 400;
  const tab = await lend(cluster, { threads: 2, grace });
  await Promise.all(cluster.putSquares(2));
  const spinning = fail(cluster, { type: 'misbehave', how: 'spin' });
  await cluster.told('attemptStarted', 3);
  const squares = Promise.all(cluster.putSquares(100));
  // Long before the other is timed out.
  expect(await Promise.race([squares.then(() => 'squares'), spinning.then(() => 'spinning')])).toBe('squares');
  const timedOut = await spinning;
  expect(timedOut).toMatchObject({ code: 'TASKDIST_TASK_TIMEOUT' });
  // Its slot is free again only when its thread is: two that hold need both.
  const before = cluster.all('attemptStarted').length;
  const timedOutAt = performance.now();
  const holds = cluster.putHolds(2);
  await cluster.told('progress', 2);
  expect(performance.now() - timedOutAt).toBeGreaterThan(grace / 2);
  expect(cluster.all('attemptStarted')).toHaveLength(before + 2);
  expect(await tab.evaluate(() => window.lending.threads)).toBe(3);
  await tab.openGates(2);
  expect(await Promise.all(holds)).toHaveLength(2);
});

/** How the only attempt at a task failed. */
async function fail(cluster: Cluster, task: FaultTask): Promise<unknown> {
  const isEndless = task.type === 'misbehave' && task.how === 'spin';
  const error = await cluster.put(task, isEndless ? { timeout: 1000 } : {}).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'TASKDIST_DEAD_LETTER', attempts: [{ attempt: 1 }] });
  return error instanceof Object && 'attempts' in error && Array.isArray(error.attempts)
    ? error.attempts[0].error
    : undefined;
}
