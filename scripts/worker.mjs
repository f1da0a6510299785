// `npm run worker -- --master ws://host:port --threads 2`: lends this machine's cores to a running demo.

import { ensureBuilt } from './building.mjs';
import { becomeNode } from './child.mjs';
import { ensureInstalled } from './installation.mjs';

await ensureInstalled();
await ensureBuilt(['library', 'demo server']);
becomeNode(['dist-demo/server/worker.js', ...process.argv.slice(2)]);
