// `npm run plots`: draws what `npm run bench` has measured, for docs/performance.md.

import { ensureBuilt } from './building.mjs';
import { becomeNode } from './child.mjs';
import { ensureInstalled } from './installation.mjs';

await ensureInstalled();
await ensureBuilt(['library', 'bench']);
becomeNode(['dist-bench/plots/main.js']);
