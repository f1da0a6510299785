// The fixtures of tests with faults: whatever a test starts ends with it, and no page may have had a problem of its own.

import { test as base, expect } from '@playwright/test';
import type { FifoSchedulerOptions, MasterOptions } from 'taskdist';
import type { PageOptions } from '../page/lending.ts';
import { Cluster } from './cluster.ts';
import { Line } from './line.ts';
import { bundlePage, type PageFiles } from './page-files.ts';
import { Tab } from './tab.ts';

interface Fixtures {
  startCluster: (options?: MasterOptions, schedulerOptions?: FifoSchedulerOptions) => Promise<Cluster>;
  startLine: (cluster: Cluster) => Promise<Line>;
  /** Opens the page in a tab of its own, and waits until it is connected. */
  lend: (origin: { readonly port: number }, options?: PageOptions, how?: { isIsolated: boolean }) => Promise<Tab>;
  /** Opens a tab in front of the others. */
  openTab: (url: string) => Promise<Tab>;
}

export const test = base.extend<Fixtures, { files: PageFiles }>({
  files: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
    async ({}, use) => {
      await use(await bundlePage());
    },
    { scope: 'worker' },
  ],

  startCluster: async ({ files }, use) => {
    const clusters: Cluster[] = [];
    await use(async (options = {}, schedulerOptions = {}) => {
      const cluster = new Cluster(files, options, schedulerOptions);
      clusters.push(cluster);
      await cluster.start();
      return cluster;
    });
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  },

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  startLine: async ({}, use) => {
    const lines: Line[] = [];
    await use(async (cluster) => {
      const line = new Line(cluster.port);
      lines.push(line);
      await line.start();
      return line;
    });
    for (const line of lines) line.stop();
  },

  openTab: async ({ browser }, use) => {
    const session = await browser.newBrowserCDPSession();
    const { browserContextId } = await session.send('Target.createBrowserContext');
    const tabs: Tab[] = [];
    await use(async (url) => {
      const tab = await Tab.open(session, browserContextId, url);
      tabs.push(tab);
      return tab;
    });
    await session.send('Target.disposeBrowserContext', { browserContextId });
    expect(tabs.flatMap(({ problems }) => problems)).toEqual([]);
  },

  lend: async ({ openTab }, use) => {
    await use(async ({ port }, options = {}, { isIsolated } = { isIsolated: false }) => {
      const query = `options=${encodeURIComponent(JSON.stringify(options))}${isIsolated ? '&isolated' : ''}`;
      const tab = await openTab(`http://localhost:${port}/?${query}`);
      await expect.poll(() => tab.state()).toBe('connected');
      return tab;
    });
  },
});

export { expect };
