// `npm test`: every suite, on a fresh clone too.

import { ensureBrowser } from './browser.mjs';
import { ensureInstalled } from './installation.mjs';
import { runSuites } from './running.mjs';
import { formatAndLint, playwright, theBuild, types, vitest } from './suites.mjs';

/** Vitest leaves one to itself, which on two cores leaves one. */
const onAllCores = ['--maxWorkers=100%'];
/** Simulations make much that is short-lived: with more room for it, the collector takes a sixth less of their time. */
const withRoomForYoung = ['--execArgv=--max-semi-space-size=64'];

await ensureInstalled();
const browser = await ensureBrowser();
await runSuites(
  [
    theBuild,
    formatAndLint,
    types,
    // What is virtual needs no process of its own for each file, which would take three times as long; nor a page.
    vitest(
      'unit',
      'node',
      ['test/unit', 'test/simulation', 'test/attacks', 'test/types'],
      ['--no-isolate', ...onAllCores, ...withRoomForYoung],
    ),
    // It leaves nothing behind: so files share processes here too, which takes a quarter less of the processors' time.
    vitest('integration', 'node', ['test/integration', 'test/tooling', 'test/guide'], ['--no-isolate', ...onAllCores]),
    vitest('chromium', 'chromium', [], ['--no-isolate']),
    vitest('packaging', 'packaging'),
    playwright('end to end', 'test/e2e/playwright.config.ts'),
  ],
  { TASKDIST_CHROMIUM: browser },
);
