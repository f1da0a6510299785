// A process that lives seeds: each number that it reads on a line, answered by a line of JSON.
import { createInterface } from 'node:readline';
import { type Life, live, SimulationFailure } from './life.ts';

/** What is said of a seed. */
export type Report =
  | { readonly seed: number; readonly life: Omit<Life, 'tally'> & { readonly faults: object; readonly puts: number } }
  | { readonly seed: number; readonly failure: string; readonly rule: string };

let seed = -1;

function say(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function fail(error: unknown): void {
  const rule = error instanceof SimulationFailure ? error.violation.rule : 'nothing is thrown outside';
  const failure = error instanceof SimulationFailure ? error.message : `Seed ${seed}: ${(error as Error).stack}`;
  say({ seed, failure, rule });
}

/** Nobody else is there whose mistake it could be. */
function failOutside(error: unknown): void {
  fail(error);
  process.exit(1);
}

process.on('uncaughtException', failOutside);
process.on('unhandledRejection', failOutside);

for await (const line of createInterface({ input: process.stdin })) {
  seed = Number(line);
  try {
    const { tally, ...life } = await live(seed);
    say({ seed, life: { ...life, faults: Object.fromEntries(tally.faults), puts: tally.puts } });
  } catch (error) {
    fail(error);
  }
}
