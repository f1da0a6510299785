// End to end, in a real Chromium: the built demo, its server and workers as processes of their own; and what may befall a page.

import { defineConfig } from '@playwright/test';
import { findBrowser } from '../../scripts/browser.mjs';

const executablePath = await findBrowser();
const launchOptions = {
  ...(executablePath === undefined ? {} : { executablePath }),
  args: ['--no-sandbox', '--disable-background-networking'],
};

/** With these, Playwright keeps from pages what befalls them in the hands of users. */
const SHELTERS = [
  '--disable-back-forward-cache',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];
const unsheltered = { launchOptions: { ...launchOptions, ignoreDefaultArgs: SHELTERS } };

/** Timers of hidden pages ring once a minute after ten seconds, as they do for users after five minutes. */
const neglected = {
  launchOptions: {
    ...unsheltered.launchOptions,
    args: [...launchOptions.args, '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/10'],
  },
};

// The README's picture is taken only when asked for: TASKDIST_SCREENSHOTS=1 npx playwright test -c test/e2e
const isForPicture = Boolean(process.env['TASKDIST_SCREENSHOTS']);

/** What of the demo is about its page and its server, and computes little. */
const QUIET = ['layout.spec.ts', 'server.spec.ts'];

// Each of these computes on all cores: two at once would only wait for each other.
const demo = {
  name: 'demo',
  testMatch: isForPicture ? 'screenshots.ts' : '*.spec.ts',
  testIgnore: ['faults/**', ...QUIET],
  workers: 1,
};

// These wait, mostly, and take hardly anything from those.
const faults = [
  { name: 'faults', testDir: './faults', testIgnore: 'hidden.spec.ts', workers: 1, use: unsheltered },
  { name: 'hidden', testDir: './faults', testMatch: 'hidden.spec.ts', workers: 1, use: neglected },
  { name: 'quiet', testMatch: QUIET, testIgnore: 'faults/**', workers: 1 },
];

export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results/e2e',
  retries: 0,
  // Generous, for machines that have other work.
  timeout: 180_000,
  expect: { timeout: 60_000 },
  reporter: 'list',
  use: {
    trace: 'off',
    screenshot: 'off',
    viewport: { width: 760, height: 520 },
    launchOptions,
  },
  // For the first three: they go side by side, and the last when one of them is through.
  workers: 3,
  projects: isForPicture ? [demo] : [demo, ...faults],
});
