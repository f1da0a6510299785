// `npm start`: installs and builds what is missing, then runs the demo until it is stopped.

import { ensureBuilt } from './building.mjs';
import { becomeNode } from './child.mjs';
import { ensureInstalled } from './installation.mjs';

await ensureInstalled();
await ensureBuilt(['library', 'demo server', 'demo page']);
becomeNode(['dist-demo/server/server.js', ...process.argv.slice(2)]);
