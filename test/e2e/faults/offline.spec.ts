// Lines that are cut, go dead, or are switched off, and come back.

import { expect, test } from './support/test.ts';

/** What Chromium writes of a connection that could not be made, or was cut. */
const NO_CONNECTION = /WebSocket connection to .* failed/;
/** So long that a page which waited for it would not come back within any test. */
const NEVER = { base: 1e9, cap: 1e9 };

test('a page that goes offline computes on, and is back at once when it is online again', async ({
  startCluster,
  lend,
}) => {
  const cluster = await startCluster({ socketTimeout: 1000, resumeWindow: 60_000 });
  const tab = await lend(cluster, { threads: 2, reconnect: NEVER });
  const holds = cluster.putHolds(2);
  await cluster.told('progress', 2);
  await tab.setOffline(true);
  // The browser cuts nothing, and tells nobody: both sides notice the silence.
  expect(await cluster.told('workerInterrupted')).toMatchObject({ code: 4410 });
  await expect.poll(() => tab.state()).toBe('waiting');
  expect(await tab.evaluate(() => navigator.onLine)).toBe(false);

  await tab.openGates(2);
  await expect.poll(() => tab.settled()).toEqual(['done', 'done']);
  expect(cluster.outcomes('done')).toEqual([]);

  await tab.setOffline(false);
  await cluster.told('workerResumed');
  expect(await Promise.all(holds)).toEqual([0, 1].map((n) => ({ by: 'page', value: `gate ${n}` })));
  expect(cluster.all('attemptEnded')).toMatchObject([0, 1].map(() => ({ outcome: 'done', attempt: 1 })));
  expect(await tab.connections()).toEqual([false, true]);
  tab.forgive(NO_CONNECTION);
});

test('a page that is offline for a moment keeps its connection, and all that was said comes', async ({
  startCluster,
  lend,
}) => {
  const cluster = await startCluster({ socketTimeout: 20_000, resumeWindow: 0 });
  const tab = await lend(cluster, { threads: 2 });
  const holds = cluster.putHolds(2);
  await cluster.told('progress', 2);
  await tab.setOffline(true);
  await tab.openGates(2);
  await expect.poll(() => tab.settled()).toEqual(['done', 'done']);
  await tab.setOffline(false);
  expect(await Promise.all(holds)).toEqual([0, 1].map((n) => ({ by: 'page', value: `gate ${n}` })));
  expect(await tab.connections()).toEqual([false]);
});

test('a page whose line is cut computes on, and resumes its session over the next', async ({
  startCluster,
  startLine,
  lend,
}) => {
  const cluster = await startCluster({ socketTimeout: 60_000, resumeWindow: 60_000 });
  const line = await startLine(cluster);
  const tab = await lend(line, { threads: 2, reconnect: { base: 50, cap: 200 } });
  const holds = cluster.putHolds(2);
  await cluster.told('progress', 2);
  line.cut();
  expect(await cluster.told('workerInterrupted')).toMatchObject({ code: 1006 });
  await tab.openGates(2);
  await expect.poll(() => tab.settled()).toEqual(['done', 'done']);
  // It has tried in vain.
  await expect
    .poll(() => tab.evaluate(() => window.lending.events.filter(({ type }) => type === 'connecting').length))
    .toBeGreaterThan(2);
  line.mend();
  await cluster.told('workerResumed');
  expect(await Promise.all(holds)).toEqual([0, 1].map((n) => ({ by: 'page', value: `gate ${n}` })));
  expect(cluster.all('attemptEnded')).toMatchObject([0, 1].map(() => ({ outcome: 'done', attempt: 1 })));
  tab.forgive(NO_CONNECTION);
});

test('a page whose line is cut for too long starts anew, and its tasks are done elsewhere', async ({
  startCluster,
  startLine,
  lend,
}) => {
  const cluster = await startCluster({ socketTimeout: 60_000, resumeWindow: 500 });
  const line = await startLine(cluster);
  const tab = await lend(line, { threads: 2, reconnect: { base: 50, cap: 200 } });
  const holds = cluster.putHolds(2);
  await cluster.told('progress', 2);
  line.cut();
  expect(await cluster.told('workerDisconnected')).toMatchObject({ code: 1006 });
  expect(cluster.outcomes('lost')).toHaveLength(2);
  await cluster.startHelper();
  expect(await Promise.all(holds)).toEqual(Array(2).fill({ by: 'helper', value: 'hold' }));
  await cluster.stopHelpers();
  line.mend();
  await cluster.told('workerConnected', 3);
  // Nobody waits any more for what it held.
  await expect.poll(() => tab.settled()).toEqual(['returned', 'returned']);
  expect(await Promise.all(cluster.putSquares(4))).toEqual([0, 1, 4, 9].map((value) => ({ by: 'page', value })));
  expect(cluster.outcomes('done')).toHaveLength(6);
  tab.forgive(NO_CONNECTION);
});

test('a page whose line goes dead resumes its session over another', async ({ startCluster, startLine, lend }) => {
  const cluster = await startCluster({ socketTimeout: 1000, resumeWindow: 60_000 });
  const line = await startLine(cluster);
  const tab = await lend(line, { threads: 2, reconnect: { base: 50, cap: 200 }, connectTimeout: 1000 });
  const holds = cluster.putHolds(2);
  await cluster.told('progress', 2);
  line.goDead();
  expect(await cluster.told('workerInterrupted')).toMatchObject({ code: 4410 });
  await tab.openGates(2);
  await expect.poll(() => tab.settled()).toEqual(['done', 'done']);
  // Dead lines take what they are given, so the page has to give them up itself.
  await expect
    .poll(() => tab.evaluate(() => window.lending.events.filter(({ type }) => type === 'connecting').length))
    .toBeGreaterThan(2);
  line.mend();
  await cluster.told('workerResumed');
  expect(await Promise.all(holds)).toEqual([0, 1].map((n) => ({ by: 'page', value: `gate ${n}` })));
  expect(cluster.all('attemptEnded')).toMatchObject([0, 1].map(() => ({ outcome: 'done', attempt: 1 })));
  tab.forgive(NO_CONNECTION);
});
