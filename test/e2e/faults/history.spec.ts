// Pages that are left, and come back with all their state: the back/forward cache.

import { expect, test } from './support/test.ts';

for (const threads of [2, 0]) {
  const where = threads === 0 ? 'in the page itself' : 'in its threads';

  test(`a page that is left gives back its tasks ${where} at once, and works on when the way back leads to it`, async ({
    startCluster,
    lend,
  }) => {
    const cluster = await startCluster({ socketTimeout: 60_000, resumeWindow: 60_000 });
    const tab = await lend(cluster, { threads, concurrency: 2 });
    const holds = cluster.putHolds(2);
    await cluster.told('progress', 2);

    await tab.goto(cluster.elsewhere);
    expect(await cluster.told('workerDisconnected')).toMatchObject({ code: 1000, reason: 'The page was left' });
    expect(cluster.all('workerInterrupted')).toEqual([]);
    expect(cluster.outcomes('returned')).toHaveLength(2);

    await tab.goBack();
    expect(await cluster.told('workerConnected', 2)).toMatchObject({ worker: { name: 'page' } });
    // It is the very page that was left, and no other that was loaded instead.
    expect(await tab.evaluate(() => window.lending.transitions)).toEqual(['pagehide persisted', 'pageshow persisted']);
    // Both are held anew, as for the first time: nothing is held against them.
    await cluster.told('progress', 4);
    await tab.openGates(2);
    expect(await Promise.all(holds)).toEqual([0, 1].map((n) => ({ by: 'page', value: `gate ${n}` })));
    expect(cluster.outcomes('done')).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
    expect(await tab.settled()).toEqual(['returned', 'returned', 'done', 'done']);
    expect(await tab.connections()).toEqual([false, false]);
  });
}
