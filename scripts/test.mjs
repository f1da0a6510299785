// `npm test`: every suite, on a fresh clone too.

import { ensureBrowser } from './browser.mjs';
import { ensureInstalled } from './installation.mjs';
import { runSuites } from './running.mjs';
import { formatAndLint, playwright, theBuild, types, vitest } from './suites.mjs';

/** Vitest leaves one to itself, which on two cores leaves one. */
const onAllCores = ['--maxWorkers=100%'];

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
      ['--no-isolate', ...onAllCores],
    ),
    vitest('integration', 'node', ['test/integration', 'test/tooling', 'test/guide'], onAllCores),
    vitest('chromium', 'chromium', [], ['--no-isolate']),
    vitest('packaging', 'packaging'),
    playwright('end to end', 'test/e2e/playwright.config.ts'),
  ],
  { TASKDIST_CHROMIUM: browser },
);
