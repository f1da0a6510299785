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
    vitest('node', 'node'),
    vitest('chromium', 'chromium'),
    vitest('packaging', 'packaging'),
    playwright('end to end', 'test/e2e/playwright.config.ts'),
  ],
  { TASKDIST_CHROMIUM: browser },
);
