// `npm run format`: formats every file, and repairs what the linter can repair safely.

import { commandOf, runNode } from './child.mjs';
import { ensureInstalled } from './installation.mjs';

await ensureInstalled();
const { ok } = await runNode([commandOf('@biomejs/biome', 'biome'), 'check', '--write']);
process.exitCode = ok ? 0 : 1;
