// Before `npm pack` and `npm publish`: what is packed is what the sources say now.

import { ensureBuilt } from './building.mjs';
import { ensureInstalled } from './installation.mjs';

await ensureInstalled();
await ensureBuilt(['library']);
