// `npm test`: every suite, on a fresh clone too.

import { ensureBrowser } from './browser.mjs';
import { ensureInstalled } from './installation.mjs';
import { runSuites } from './running.mjs';
import { formatAndLint, playwright, theBuild, types, vitest } from './suites.mjs';

await ensureInstalled();
const browser = await ensureBrowser();
await runSuites(
  [
    theBuild,
    formatAndLint,
    types,
    // What is virtual needs no process of its own for each file, which would take three times as long.
    vitest('unit', 'node', ['test/unit', 'test/simulation', 'test/attacks', 'test/types'], ['--no-isolate']),
    vitest('integration', 'node', ['test/integration', 'test/tooling', 'test/guide']),
    vitest('chromium', 'chromium'),
    vitest('packaging', 'packaging'),
    playwright('end to end', 'test/e2e/playwright.config.ts'),
  ],
  { TASKDIST_CHROMIUM: browser },
);
