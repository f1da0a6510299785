// `npm run bench -- throughput`: installs and builds what is missing, then measures the parts that are named, or all.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBrowser } from './browser.mjs';
import { ensureBuilt } from './building.mjs';
import { becomeNode, projectRoot } from './child.mjs';
import { ensureInstalled } from './installation.mjs';
import { ensureRedis } from './redis.mjs';

const args = process.argv.slice(2);

await ensureInstalled();
await ensureBuilt(['library', 'bench']);
const { requirementsOf } = await import(
  pathToFileURL(join(projectRoot, 'dist-bench', 'harness', 'requirements.js')).href
);
const required = requirementsOf(args);
// Without Redis all but one contender can be measured, without a browser its part cannot.
if (required.includes('redis')) process.env['TASKDIST_REDIS'] = (await ensureRedis()) ?? '';
if (required.includes('chromium')) {
  process.env['TASKDIST_CHROMIUM'] = await ensureBrowser();
  // Its threads in Node are the demo's.
  await ensureBuilt(['demo server', 'bench page']);
}
becomeNode(['dist-bench/main.js', ...args]);
