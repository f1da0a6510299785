// A process that lives seeds: each number that it reads on a line, answered by a line of JSON.
import { createInterface } from 'node:readline';
import { type Life, live, SimulationFailure } from './life.ts';

/** What is said of a seed. */
export type Report =
  | { readonly seed: number; readonly life: Omit<Life, 'tally' | 'sessions'> & Told }
  | { readonly seed: number; readonly failure: string; readonly rule: string };

interface Told {
  readonly faults: Readonly<Record<string, number>>;
  readonly puts: number;
  readonly sessions: Readonly<Record<string, number>>;
}

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
    const { tally, sessions, ...life } = await live(seed);
    const told = { faults: Object.fromEntries(tally.faults), puts: tally.puts, sessions: Object.fromEntries(sessions) };
    say({ seed, life: { ...life, ...told } });
  } catch (error) {
    fail(error);
  }
}
