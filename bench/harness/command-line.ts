// What `npm run bench` is told.
import { parseArgs } from 'node:util';
import { parts } from '../parts.ts';
import type { Part } from './part.ts';

const DEFAULT_ROUNDS = 5;
const QUICK_ROUNDS = 2;

/** The command line makes no sense; the message says what would. */
export class UsageError extends Error {}

export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Where master and worker leave what they spent their time on. */
  readonly isProfiled: boolean;
}

export function usage(): string {
  return `Usage: npm run bench -- [parts] [options]

  --rounds N     how many rounds count (default ${DEFAULT_ROUNDS})
  --quick        fewer tasks and rounds: a fast look, not a figure to quote
  --profile      every process writes a CPU profile to bench/profiles

Parts, all by default:
${parts.map(({ name, title }) => `  ${name.padEnd(14)} ${title}`).join('\n')}`;
}

/** Undefined when only help is wanted. @throws UsageError */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const isQuick = values.quick ?? false;
  return {
    parts: positionals.length === 0 ? parts : [...new Set(positionals)].map(partNamed),
    rounds: values.rounds === undefined ? (isQuick ? QUICK_ROUNDS : DEFAULT_ROUNDS) : readRounds(values.rounds),
    isQuick,
    isProfiled: values.profile ?? false,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        quick: { type: 'boolean' },
        profile: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function partNamed(name: string): Part {
  const part = parts.find((candidate) => candidate.name === name);
  if (part === undefined) {
    throw new UsageError(`There is no part ${name}; there are ${parts.map((candidate) => candidate.name).join(', ')}`);
  }
  return part;
}

function readRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1) return rounds;
  throw new UsageError(`Expected --rounds to be an integer ≥ 1, got ${text}`);
}
