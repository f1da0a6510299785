// Pages that the browser freezes, as it does with tabs that nobody has looked at for long, and thaws again.

import type { Cluster } from './support/cluster.ts';
import { expect, test } from './support/test.ts';

/** Chromium closes the sockets of a frozen page when that thaws, if nobody has before, and writes this. */
const CLOSED_BY_BROWSER = /WebSocket connection to .* failed: Page entered Back-Forward Cache/;

for (const threads of [2, 0]) {
  const where = threads === 0 ? 'in the page itself' : 'in its threads';

  test(`a page frozen for too long is given up with its tasks ${where}, and works on when it thaws`, async ({
    startCluster,
    lend,
  }) => {
    const cluster = await startCluster({ socketTimeout: 1000, resumeWindow: 500 });
    const tab = await lend(cluster, { threads, concurrency: 2 });
    const holds = cluster.putHolds(2);
    await cluster.told('progress', 2);
    await tab.freeze();
    // Its browser answers for it all the same.
    await cluster.pingSocket(0);

    expect(await cluster.told('workerInterrupted')).toMatchObject({ code: 4410 });
    expect(await cluster.told('workerDisconnected')).toMatchObject({ code: 4410 });
    expect(cluster.outcomes('lost')).toHaveLength(2);
    await cluster.startHelper();
    expect(await Promise.all(holds)).toEqual(Array(2).fill({ by: 'helper', value: 'hold' }));
    await cluster.stopHelpers();

    await tab.thaw();
    expect(await cluster.told('workerConnected', 3)).toMatchObject({ worker: { name: 'page' } });
    expect(await Promise.all(cluster.putSquares(10))).toEqual(squares(10));
    expect(cluster.outcomes('done')).toHaveLength(12);
    expect(await tab.connections()).toEqual([false, false]);
    tab.forgive(CLOSED_BY_BROWSER);
  });

  test(`a page frozen for a while resumes its session, with its tasks ${where}`, async ({ startCluster, lend }) => {
    const cluster = await startCluster({ socketTimeout: 1000, resumeWindow: 60_000 });
    const tab = await lend(cluster, { threads, concurrency: 2 });
    const holds = cluster.putHolds(2);
    await cluster.told('progress', 2);
    await tab.freeze();
    expect(await cluster.told('workerInterrupted')).toMatchObject({ code: 4410 });
    await tab.thaw();
    await cluster.told('workerResumed');
    await tab.openGates(2);
    await expectDoneByPageOnce(cluster, holds);
    expect(await tab.connections()).toEqual([false, true]);
    tab.forgive(CLOSED_BY_BROWSER);
  });

  test(`a page frozen for a moment loses its connection when it thaws, and resumes its session, with its tasks ${where}`, async ({
    startCluster,
    lend,
  }) => {
    const cluster = await startCluster({ socketTimeout: 60_000, resumeWindow: 60_000 });
    const tab = await lend(cluster, { threads, concurrency: 2 });
    const holds = cluster.putHolds(2);
    await cluster.told('progress', 2);
    await tab.freeze();
    const frozenForMs = 1000;
    await theFaultLasts(frozenForMs);
    expect(cluster.all('workerInterrupted')).toEqual([]);
    await tab.thaw();
    expect(await cluster.told('workerInterrupted')).toMatchObject({ code: 1006 });
    await tab.openGates(2);
    await expectDoneByPageOnce(cluster, holds);
    expect(cluster.all('workerDisconnected')).toEqual([]);
    expect(await tab.connections()).toEqual([false, true]);
    tab.forgive(CLOSED_BY_BROWSER);
  });
}

test('a result that a page had when it was given up comes too late, and is not counted', async ({
  startCluster,
  lend,
}) => {
  const cluster = await startCluster({ socketTimeout: 1000, resumeWindow: 500 });
  const tab = await lend(cluster, { threads: 2 });
  const holds = cluster.putHolds(2);
  await cluster.told('progress', 2);
  // In one turn of the page, before anything could leave it.
  await tab.freeze();
  await tab.openGates(2);
  await cluster.told('workerDisconnected');
  await cluster.startHelper();
  expect(await Promise.all(holds)).toEqual(Array(2).fill({ by: 'helper', value: 'hold' }));
  await tab.thaw();
  await cluster.told('workerConnected', 3);
  expect(await Promise.all(cluster.putSquares(4))).toHaveLength(4);
  expect(cluster.outcomes('done')).toHaveLength(6);
  expect(cluster.outcomes('failed')).toEqual([]);
  tab.forgive(CLOSED_BY_BROWSER);
});

function squares(count: number) {
  return Array.from({ length: count }, (_, n) => ({ by: 'page', value: n ** 2 }));
}

async function expectDoneByPageOnce(cluster: Cluster, holds: readonly Promise<unknown>[]): Promise<void> {
  expect(await Promise.all(holds)).toEqual(holds.map((_, n) => ({ by: 'page', value: `gate ${n}` })));
  expect(cluster.all('attemptEnded')).toMatchObject(holds.map(() => ({ outcome: 'done', attempt: 1 })));
  expect(cluster.all('workerConnected')).toHaveLength(1);
}

/** How long a fault lasts is part of it. */
function theFaultLasts(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
