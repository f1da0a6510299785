// `npm run check`: the quick look before a commit, less than a minute and without a browser.

import { ensureInstalled } from './installation.mjs';
import { runSuites } from './running.mjs';
import { formatAndLint, types, vitest } from './suites.mjs';

await ensureInstalled();
// In one process for all files, which takes a third of the time; `npm test` gives each its own.
await runSuites([formatAndLint, types, vitest('unit', 'node', ['test/unit'], ['--no-isolate'])]);
