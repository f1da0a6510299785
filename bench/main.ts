// `npm run bench`: measures, prints what came of it, and writes bench/results.json.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, type ChildOptions } from './harness/child.ts';
import { type BenchOptions, readOptions, UsageError, usage } from './harness/command-line.ts';
import { machine } from './harness/machine.ts';
import type { Bench, Part } from './harness/part.ts';
import { progressLine } from './harness/progress-line.ts';
import { mergeResults, type PartResult, parseResults } from './harness/results.ts';
import { formatPart, formatSummary } from './harness/table.ts';

/** The compiled files lie in a folder beside it. */
const FOLDER = fileURLToPath(new URL('../bench', import.meta.url));
const RESULTS = join(FOLDER, 'results.json');
const PROFILES = join(FOLDER, 'profiles');

const children = new Set<Child<object>>();
const status = progressLine(process.stderr);
let isStopping = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    isStopping = true;
    status.clear();
    void endChildren().finally(() => process.exit(130));
  });
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(usage());
  else await measure(options);
} catch (error) {
  status.clear();
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage()}` : error);
  process.exitCode = 1;
}

async function measure(options: BenchOptions): Promise<void> {
  const found: PartResult[] = [];
  for (const part of options.parts) {
    if (isStopping) return;
    const result = await measurePart(part, options);
    if (result === undefined) continue;
    found.push(result);
    console.log(`\n${formatPart(part.name, result)}`);
    // Written after each: what has been measured is not lost if the next one is stopped.
    keep(part.name, result);
  }
  console.log(`\n${formatSummary(found)}`);
}

/** A part that fails is told of, and leaves the others their turn. */
async function measurePart(part: Part, options: BenchOptions): Promise<PartResult | undefined> {
  try {
    const { rows, series, rounds = options.rounds } = await part.run(benchFor(part, options));
    const { isQuick } = options;
    return { title: part.title, date: new Date().toISOString(), rounds, isQuick, rows, series };
  } catch (error) {
    // Processes that are ended answer no more calls: no failure of theirs.
    if (isStopping) return undefined;
    status.clear();
    console.error(`\n${part.name} failed:`, error);
    process.exitCode = 1;
    return undefined;
  } finally {
    status.clear();
    await endChildren();
  }
}

function benchFor(part: Part, { rounds, isQuick, isProfiled }: BenchOptions): Bench {
  return {
    rounds,
    isQuick,
    redis: process.env['TASKDIST_REDIS'] || undefined,
    chromium: process.env['TASKDIST_CHROMIUM'] || undefined,
    progress: (text) => status.show(`${part.name}: ${text}`),
    async start<Calls extends object>(name: string, childOptions: ChildOptions = {}) {
      const nodeOptions = [...(childOptions.nodeOptions ?? []), ...(isProfiled ? profiling(part.name, name) : [])];
      const child = await Child.start<Calls>(name, { ...childOptions, nodeOptions });
      children.add(child);
      return child;
    },
  };
}

function profiling(part: string, name: string): string[] {
  mkdirSync(PROFILES, { recursive: true });
  const stamp = new Date().toISOString().replace(/\D/g, '');
  return ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`, `--cpu-prof-name=${part}-${name}-${stamp}.cpuprofile`];
}

async function endChildren(): Promise<void> {
  const ending = [...children];
  children.clear();
  await Promise.all(ending.map((child) => child[Symbol.asyncDispose]()));
}

function keep(name: string, result: PartResult): void {
  const before = existsSync(RESULTS) ? parseResults(readFileSync(RESULTS, 'utf8')) : undefined;
  const results = mergeResults(before, machine(), result.date, { [name]: result });
  writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
}
