// The test projects: the isomorphic code in Node and in a real Chromium, and the packed package from outside.

import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { findBrowser } from './scripts/browser.mjs';
import { commands } from './test/browser/commands.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// What the environment names is taken unseen, and without any Playwright looks for its own: whether it runs is for the
// browser's project to say, and no matter of the others.
const executablePath = process.env['TASKDIST_CHROMIUM'] || (await findBrowser());

/** Nothing is measured in time here: this is for machines that are slow, or have other work. */
const PATIENCE = { testTimeout: 30_000, expect: { poll: { timeout: 10_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: { taskdist: at('./src/index.ts') } },
        test: {
          ...PATIENCE,
          name: 'node',
          environment: 'node',
          include: ['test/{unit,simulation,attacks,integration,tooling,types,guide}/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts'],
          // The guide's programs are processes: more at once would only wait for each other.
          maxConcurrency: 2,
          globalSetup: './test/integration/build-library.ts',
        },
      },
      {
        resolve: { alias: { taskdist: at('./src/browser.ts') } },
        // Named, as Vite would find them in mid-test and reload the page.
        optimizeDeps: { include: ['comlink', 'fast-check', 'isomorphic-ws'] },
        test: {
          ...PATIENCE,
          name: 'chromium',
          include: ['test/{unit,browser}/**/*.test.ts'],
          exclude: ['**/*.node.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(executablePath === undefined ? {} : { executablePath }),
                args: ['--no-sandbox', '--disable-background-networking'],
              },
            }),
            instances: [{ browser: 'chromium' }],
            commands,
          },
        },
      },
      {
        test: {
          name: 'packaging',
          environment: 'node',
          include: ['test/packaging/**/*.test.ts'],
          // Each check runs npm, a compiler or a bundler.
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
