// End to end: the built demo, its server and workers as processes of their own, in a real Chromium.

import { defineConfig } from '@playwright/test';
import { findBrowser } from '../../scripts/browser.mjs';

const executablePath = await findBrowser();

export default defineConfig({
  testDir: '.',
  // The README's picture is taken only when asked for: TASKDIST_SCREENSHOTS=1 npx playwright test -c test/e2e
  testMatch: process.env['TASKDIST_SCREENSHOTS'] ? 'screenshots.ts' : '*.spec.ts',
  outputDir: '../../test-results/e2e',
  // Every test computes on all cores: two at once would only wait for each other.
  workers: 1,
  retries: 0,
  // Generous, for machines that have other work.
  timeout: 180_000,
  expect: { timeout: 60_000 },
  reporter: 'list',
  use: {
    trace: 'off',
    screenshot: 'off',
    viewport: { width: 760, height: 520 },
    launchOptions: {
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ['--no-sandbox', '--disable-background-networking'],
    },
  },
});
