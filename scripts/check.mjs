// `npm run check`: the quick look before a commit, half a minute at most and without a browser.

import { ensureInstalled } from './installation.mjs';
import { runSuites } from './running.mjs';
import { formatAndLint, types, vitest } from './suites.mjs';

await ensureInstalled();
await runSuites([formatAndLint, types, vitest('unit', 'node', ['test/unit'])]);
