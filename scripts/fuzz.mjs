// `npm run fuzz -- --frames 10000000 --seed 7`: hostile frames, as many as there is time for.

import { parseArgs } from 'node:util';
import { ensureInstalled } from './installation.mjs';
import { runSuites } from './running.mjs';
import { vitest } from './suites.mjs';

/** Ten million frames take a quarter of an hour, and more where there is other work. */
const TIME_LIMIT_MS = 24 * 3_600_000;

const { values } = parseArgs({
  options: { frames: { type: 'string', default: '10000000' }, seed: { type: 'string', default: '1' } },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^[1-9]\d*$/.test(String(value))) throw new Error(`--${name} must be a whole number from 1, not ${value}`);
}
await ensureInstalled();
await runSuites([vitest('fuzz', 'node', ['test/attacks/fuzz'], ['--maxWorkers=100%'], TIME_LIMIT_MS)], {
  TASKDIST_FUZZ_FRAMES: values.frames,
  TASKDIST_FUZZ_SEED: values.seed,
});
