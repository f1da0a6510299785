// `npm run build`: the library in dist, the demo in dist-demo, the bench in dist-bench and dist-bench-page.

import { ensureBuilt } from './building.mjs';
import { ensureInstalled } from './installation.mjs';

await ensureInstalled();
await ensureBuilt();
