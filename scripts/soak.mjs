// `npm run soak -- --seeds 20000 --from 0`: lives that many simulated clusters on all cores, and says which went wrong.
// `--from 7 --seeds 1 --trace 1000` shows the last thousand things that happened before that seed went wrong.

import { parseArgs } from 'node:util';
import { ensureInstalled } from './installation.mjs';
import { bundleSimulation, liveSeeds } from './simulating.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '0' },
    trace: { type: 'string', default: '120' },
  },
});
const count = Number(values.seeds);
const from = Number(values.from);
const PROGRESS_MS = 5000;
process.env['TASKDIST_TRACE'] = values.trace;

await ensureInstalled();
const bundle = await bundleSimulation('soak');

const sum = { seeds: 0, virtualMs: 0, steps: 0, messages: 0, puts: 0 };
/** @type {Map<string, number>} */
const faults = new Map();
/** @type {Map<string, number>} */
const sessions = new Map();
/** @type {import('./simulating.mjs').Report[]} */
const failures = [];
const startedAt = performance.now();
let toldAt = startedAt;

function* seeds() {
  for (let seed = from; seed < from + count; seed += 1) yield seed;
}

await liveSeeds(bundle, seeds(), (report) => {
  sum.seeds += 1;
  if (report.life === undefined) {
    failures.push(report);
    console.log(count === 1 ? report.failure : report.failure?.split('\n').slice(0, 2).join('\n'));
  } else {
    for (const name of /** @type {const} */ (['virtualMs', 'steps', 'messages', 'puts']))
      sum[name] += report.life[name];
    add(faults, report.life.faults);
    add(sessions, report.life.sessions);
    if (count === 1) console.log(JSON.stringify(report.life, null, 2));
  }
  if (performance.now() - toldAt > PROGRESS_MS) {
    toldAt = performance.now();
    console.log(`${sum.seeds} of ${count} seeds, ${failures.length} of them wrong, ${rate()} seeds/s`);
  }
  return true;
});

console.log(`
${sum.seeds} seeds, ${rate()} seeds/s, ${(sum.virtualMs / 3_600_000).toFixed(1)} virtual hours
${sum.puts} puts, ${sum.messages} messages, ${sum.steps} steps
${table(faults)}
Sessions:
${table(sessions)}
${failures.length === 0 ? 'All rules were kept.' : `Wrong: ${failures.map(({ seed }) => seed).join(', ')}`}`);
process.exitCode = failures.length === 0 ? 0 : 1;

/**
 * @param {Map<string, number>} counts
 * @param {Record<string, number>} more
 */
function add(counts, more) {
  for (const [name, times] of Object.entries(more)) counts.set(name, (counts.get(name) ?? 0) + times);
}

/** @param {Map<string, number>} counts */
function table(counts) {
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, times]) => `${String(times).padStart(8)} ${name}`)
    .join('\n');
}

function rate() {
  return ((sum.seeds / (performance.now() - startedAt)) * 1000).toFixed(1);
}
