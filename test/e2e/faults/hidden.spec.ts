// A tab that nobody sees for more than a minute: the browser slows its timers down, and nothing else.

import { expect, test } from './support/test.ts';

const HIDDEN_MS = 72_000;
/** What is put at once, every so often. */
const BURST = 20;
const BURST_INTERVAL_MS = 500;

test('a tab hidden for more than a minute stays connected, and its threads work on at full rate', async ({
  startCluster,
  lend,
  openTab,
}) => {
  const cluster = await startCluster({ socketTimeout: 3000, resumeWindow: 0 });
  const tab = await lend(cluster, { threads: 2 });
  const inView = await burstsFor(3000);

  const other = await openTab(cluster.elsewhere);
  await expect.poll(() => tab.evaluate(() => document.visibilityState)).toBe('hidden');
  await tab.evaluate(() => window.lending.startTicking(100));
  const outOfView = await burstsFor(HIDDEN_MS);
  expect(await tab.evaluate(() => document.visibilityState)).toBe('hidden');
  expect(await other.evaluate(() => document.visibilityState)).toBe('visible');

  // The page's own timers are really held back: once a second at first, and then once a minute.
  const { ticks, now } = await tab.evaluate(() => ({ ticks: window.lending.ticks, now: performance.now() }));
  const pauses = [...ticks, now].slice(1).map((at, index) => at - (ticks[index] ?? 0));
  expect(ticks.length).toBeLessThan(HIDDEN_MS / 1000);
  expect(Math.max(...pauses)).toBeGreaterThan(25_000);

  expect(cluster.all('workerDisconnected')).toEqual([]);
  expect(await tab.connections()).toEqual([false]);
  const took = {
    inView: median(inView.map(({ tookMs }) => tookMs)),
    hidden: median(outOfView.map(({ tookMs }) => tookMs)),
  };
  console.info(
    `in view ${took.inView.toFixed(1)} ms for ${BURST} tasks, hidden ${took.hidden.toFixed(1)} ms; ` +
      `the longest pause of the page's timer ${Math.max(...pauses).toFixed()} ms`,
  );
  // If anything waited for a timer of the page, this would be a second, or a minute. The system prefers what is in view, which
  // is felt where there is much to do besides.
  expect(took.hidden).toBeLessThan(5 * took.inView + 100);
  expect(median(outOfView.map(({ roundTrip }) => roundTrip))).toBeLessThan(100);

  async function burstsFor(ms: number) {
    const bursts: { tookMs: number; roundTrip: number }[] = [];
    const endsAt = performance.now() + ms;
    for (let at = performance.now(); at < endsAt; at = performance.now()) {
      await Promise.all(Array.from({ length: BURST }, () => cluster.put({ type: 'compute', ms: 2 })));
      bursts.push({ tookMs: performance.now() - at, roundTrip: cluster.master.workers()[0]?.roundTrip ?? Infinity });
      // Between them the page is left alone, as what is measured is not how fast it can be.
      await new Promise((resolve) => setTimeout(resolve, BURST_INTERVAL_MS));
    }
    return bursts;
  }
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
