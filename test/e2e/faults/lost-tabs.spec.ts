// Tabs that are gone: crashed, or closed.

import { expect, test } from './support/test.ts';

const BY_HELPER = { by: 'helper', value: 'hold' };

/** Well below the patience of these masters: only what is told is noticed so soon. */
const PATIENT = { socketTimeout: 60_000, resumeWindow: 60_000 };

for (const threads of [2, 0]) {
  const where = threads === 0 ? 'in the page itself' : 'in its threads';

  test(`a tab that crashes with tasks ${where} counts as lost after the resume window, and they are done elsewhere`, async ({
    startCluster,
    lend,
  }) => {
    const resumeWindow = 500;
    const cluster = await startCluster({ ...PATIENT, resumeWindow });
    const tab = await lend(cluster, { threads, concurrency: 2 });
    const holds = cluster.putHolds(2);
    await cluster.told('progress', 2);
    await tab.crash();
    const interrupted = await cluster.told('workerInterrupted');
    expect(interrupted).toMatchObject({ code: 1006, reason: expect.stringContaining('1001') });
    const disconnected = await cluster.told('workerDisconnected');
    expect(disconnected).toMatchObject({ code: 1006, worker: { name: 'page' } });
    expect(disconnected.atMs - interrupted.atMs).toBeGreaterThan(resumeWindow - 50);
    expect(cluster.outcomes('lost')).toHaveLength(2);

    await cluster.startHelper();
    expect(await Promise.all(holds)).toEqual([BY_HELPER, BY_HELPER]);
    expect(cluster.outcomes('done')).toMatchObject([{ attempt: 2 }, { attempt: 2 }]);
  });
}

test('a task whose tabs crash is given up after as many as may be lost with it', async ({ startCluster, lend }) => {
  const cluster = await startCluster({ ...PATIENT, resumeWindow: 0 }, { maxDeliveries: 2 });
  const [hold] = cluster.putHolds(1);
  for (const times of [1, 2]) {
    const tab = await lend(cluster, { threads: 1 });
    await cluster.told('progress', times);
    await tab.crash();
    await cluster.told('workerDisconnected', times);
  }
  await expect(hold).rejects.toMatchObject({
    code: 'TASKDIST_DEAD_LETTER',
    attempts: [{ error: { code: 'TASKDIST_WORKER_LOST' } }, { error: { code: 'TASKDIST_WORKER_LOST' } }],
  });
});

test('a tab that is closed says goodbye: its tasks are back at once, and the tab beside it works on', async ({
  startCluster,
  lend,
}) => {
  const cluster = await startCluster(PATIENT);
  const behind = await lend(cluster, { threads: 1 });
  const inFront = await lend(cluster, { threads: 1 });
  const [first, second] = cluster.putHolds(2);
  await cluster.told('progress', 2);
  const [ofBehind, ofFront] = cluster.all('attemptStarted');
  expect(ofBehind?.worker.id).not.toBe(ofFront?.worker.id);

  const keyOfFront = cluster.keysHeldBy(await inFront.evaluate(() => window.lending.worker.id ?? ''))[0];
  await inFront.close();
  expect(await cluster.told('workerDisconnected')).toMatchObject({ code: 1000, reason: 'The page was left' });
  expect(cluster.outcomes('returned')).toMatchObject([{ key: keyOfFront, attempt: 1 }]);
  await cluster.startHelper();
  const closed = keyOfFront === ofBehind?.key ? first : second;
  expect(await closed).toEqual(BY_HELPER);
  // A goodbye is not held against the task: it is its first attempt still.
  expect(cluster.outcomes('done')).toMatchObject([{ key: keyOfFront, attempt: 1 }]);

  await behind.evaluate(() => {
    for (const gate of ['gate 0', 'gate 1']) window.lending.openGate(gate);
  });
  expect(await (closed === first ? second : first)).toMatchObject({ by: 'page' });
  expect(cluster.master.workers()).toMatchObject([{ name: 'page', done: 1 }, { name: 'helper' }]);
});
