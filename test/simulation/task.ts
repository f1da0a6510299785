// The tasks of a simulation, which say themselves how they behave, and what is asked for them.
import type { Requirement } from '../../src/labels.ts';
import type { Random } from '../../src/ports.ts';
import type { VerifyOptions } from '../../src/scheduling/verify-options.ts';
import { integerBelow, pick } from '../../src/testing/seeded-random.ts';
import { type TaskPlan, TYPES, type VerifyPlan, ZONES } from './plan.ts';

export interface SimulatedTask {
  readonly n: number;
  readonly type?: string;
  readonly durationMs: number;
  /** How many attempts fail before one succeeds. */
  readonly failures: number;
  /** `never`: it goes on until it is aborted. `unserialisable`: its result cannot be sent. */
  readonly ending: 'result' | 'never' | 'unserialisable';
  /** Ignores its signal, as a handler may. */
  readonly isDeaf: boolean;
  /** Which workers decline it: every second one, but never the first. */
  readonly rejectedBy: 'nobody' | 'odd' | 'even';
  /** How often it tells how far it is; 0: never. */
  readonly progressMs: number;
  readonly resultBytes: number;
  /** What makes it large, or impossible to send. */
  readonly payload?: unknown;
}

export interface SimulatedResult {
  readonly n: number;
  /** Which call of a handler it comes from. */
  readonly execution: number;
  readonly filler?: unknown;
  /** What is not true, of a worker that lies. */
  readonly lie?: number;
}

/** What is asked for a task. */
export interface PutTerms {
  readonly priority: number;
  readonly speculate: boolean;
  readonly delay?: number;
  readonly timeout?: number;
  readonly timeoutFrom?: 'start' | 'progress';
  readonly deadline?: number;
  readonly requires?: Readonly<Record<string, Requirement>>;
  readonly idempotencyKey?: string;
  readonly verify?: VerifyOptions;
}

/** Draws the next task, and what is asked for it. */
export function drawTask(
  random: Random,
  n: number,
  plan: TaskPlan,
): { readonly task: SimulatedTask; readonly terms: PutTerms } {
  const has = (share: number): boolean => random() < share;
  const durationMs = has(plan.instant) ? 0 : has(plan.long) ? 6000 : integerBelow(random, plan.maxDurationMs);
  const task: SimulatedTask = {
    n,
    ...(has(plan.typed) ? { type: pick(random, TYPES) } : {}),
    durationMs,
    failures: has(plan.failing) ? 1 + integerBelow(random, 4) : 0,
    ending: has(plan.never) ? 'never' : has(plan.unserialisable) ? 'unserialisable' : 'result',
    isDeaf: has(plan.deaf),
    rejectedBy: has(plan.rejecting) ? pick(random, ['odd', 'even'] as const) : 'nobody',
    progressMs: has(plan.progress) ? 5 + integerBelow(random, 500) : 0,
    resultBytes: has(plan.large) ? integerBelow(random, 70_000) : 0,
    ...(has(plan.unsendable) ? { payload: pick(random, [() => {}, new Uint8Array(100_000)]) } : {}),
  };
  const terms: PutTerms = {
    priority: has(plan.priority) ? integerBelow(random, 3) : 0,
    speculate: has(plan.speculate),
    ...(has(plan.delay) ? { delay: integerBelow(random, 2000) } : {}),
    ...(has(plan.timeout) ? { timeout: 100 + integerBelow(random, 1500) } : {}),
    ...(has(plan.timeoutFromProgress) ? { timeoutFrom: 'progress' as const } : {}),
    ...(has(plan.deadline) ? { deadline: 50 + integerBelow(random, 5000) } : {}),
    ...(has(plan.requires) ? { requires: drawRequirements(random) } : {}),
    ...(has(plan.shared) ? { idempotencyKey: `key ${integerBelow(random, 6)}` } : {}),
  };
  return { task, terms };
}

/**
 * The same task, to be verified. It goes to whoever comes, as each principal may be needed, and nobody runs it twice but for a
 * failure: so neither is it speculated.
 */
export function verified(
  { task, terms }: { readonly task: SimulatedTask; readonly terms: PutTerms },
  { quorum, maxReplicas, trustAfter }: VerifyPlan,
): { readonly task: SimulatedTask; readonly terms: PutTerms } {
  const { requires: _, idempotencyKey: __, ...others } = terms;
  const trust = trustAfter === undefined ? (false as const) : { after: trustAfter };
  return {
    task: { ...task, rejectedBy: 'nobody' },
    terms: { ...others, speculate: false, verify: { quorum, maxReplicas, trust, equals: isSameAnswer } },
  };
}

/** Each call of a handler has a number of its own, which is no part of its answer. */
export function isSameAnswer(a: unknown, b: unknown): boolean {
  return answerOf(a) === answerOf(b);
}

export function answerOf(result: unknown): string {
  const { n, lie = 0 } = result as SimulatedResult;
  return `${n}/${lie}`;
}

function drawRequirements(random: Random): Readonly<Record<string, Requirement>> {
  const zone = ['all', pick(random, ZONES)];
  return random() < 0.5 ? { zone } : { zone, size: { min: integerBelow(random, 8) } };
}
