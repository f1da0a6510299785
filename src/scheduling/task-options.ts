// What can be asked for one task, or for all of a scheduler: the options, their defaults, and their checks.
import { type Backoff, type BackoffOptions, checkBackoff } from '../backoff.ts';
import { expectRequirements, type Requirements, requirementsKey } from '../labels.ts';
import { expectCount, expectKnown, expectMilliseconds, expectObject, expectSignal, refuse } from '../options.ts';
import type { TimeoutFrom } from './scheduler.ts';
import { checkVerify, type VerifyOptions, type VerifyTerms } from './verify-options.ts';

/** Which attempt reports progress. */
export interface ProgressInfo {
  /** The identity of the task: the `context.key` of its handler. */
  readonly key: string;
  /** Which attempt it is, counted from 1; at a task that is verified, of those by the same worker. */
  readonly attempt: number;
  /** The name of the worker that makes it. */
  readonly worker: string;
  /** Its id, as in `master.workers()`: names need not be unique. */
  readonly workerId: string;
}

/** What can be asked for a task. All times are in milliseconds. */
export interface TaskOptions {
  /**
   * Tasks of a higher priority go first; those of the same go in the order in which they were put. Any finite number.
   * What a worker has taken already is not overtaken. @defaultValue 0
   */
  readonly priority?: number | undefined;
  /** How long after `put` the task is handed out at the earliest, in milliseconds ≥ 0. @defaultValue 0 */
  readonly delay?: number | undefined;
  /**
   * How long one attempt may run, in milliseconds ≥ 1, or Infinity. It counts from the moment the attempt starts, not
   * while the task waits at the worker. The attempt then counts as failed. @defaultValue the master's `taskTimeout`
   */
  readonly timeout?: number | undefined;
  /**
   * From when `timeout` counts: from the `start` of the attempt, or from the last `progress` that it reported, so that
   * an attempt may run for as long as it shows that it gets on. @defaultValue 'start'
   */
  readonly timeoutFrom?: TimeoutFrom | undefined;
  /**
   * How many attempts at the task may fail, by an error of the handler or by a timeout, before the task becomes a dead
   * letter. An integer ≥ 1, or Infinity. A task that runs twice when the last of them fails, as `speculate` allows, may fail
   * once more. @defaultValue 5
   */
  readonly maxAttempts?: number | undefined;
  /**
   * How long the task waits after a failed attempt: a random time between 0 and min(`cap`, `base` · `factor`ⁿ⁻¹). Waits
   * are not counted in the order: the task then comes back to its place. @defaultValue { base: 100, factor: 2, cap: 30000 }
   */
  readonly backoff?: BackoffOptions | undefined;
  /**
   * By when the task must be done: so many milliseconds ≥ 1 after `put`, or at that `Date`. Otherwise it is aborted, and
   * its promise rejects with {@link TaskDeadlineError}. A task that is shared, by `idempotencyKey`, goes on for the others.
   * @defaultValue never
   */
  readonly deadline?: number | Date | undefined;
  /**
   * What the `labels` of a worker must say for it to be given the task: `{ gpu: true, memory: { min: 4 }, region: ['eu', 'us'] }`.
   * @defaultValue nothing
   */
  readonly requires?: Requirements | undefined;
  /**
   * Whether the task may be run a second time beside an attempt that takes conspicuously long, when a worker would be
   * idle otherwise: the first result wins, and the other attempt is aborted. Not for tasks that are verified. @defaultValue false
   */
  readonly speculate?: boolean | undefined;
  /**
   * Whether, and how, the result is checked: the task is run by several workers, each of another principal, until a quorum
   * of their results agree. `{}`: by all defaults. What a `put` leaves out is as the scheduler has it; `false`: not for
   * this task. The first of those who run it reports progress. An attempt that fails costs one of `maxAttempts`, which the task has
   * but once. @defaultValue false
   */
  readonly verify?: VerifyOptions | false | undefined;
  /**
   * Aborts the task, queued or running: the promise rejects with the signal's reason, and a worker that runs it is
   * told to stop. A task that is shared, by `idempotencyKey`, goes on for the others. Any number of tasks may share a
   * signal.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with each value that the handler gives to `context.progress`, in its order. What it throws is thrown outside, as an
   * uncaught exception.
   */
  onProgress?(value: unknown, progress: ProgressInfo): void;
}

/** What holds for a task: the options, checked and complete. Shared by all tasks for which nothing else was asked. */
export interface TaskTerms {
  readonly priority: number;
  readonly delayMs: number;
  readonly timeoutMs: number | undefined;
  readonly timeoutFrom: TimeoutFrom;
  readonly maxAttempts: number;
  /** The same for all tasks of a scheduler. */
  readonly maxDeliveries: number;
  readonly backoff: Backoff;
  readonly deadline: number | Date | undefined;
  readonly requires: Requirements | undefined;
  /** The same text for the same requirements; '' if there are none. */
  readonly requiresKey: string;
  readonly speculate: boolean;
  readonly verify: VerifyTerms | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((value: unknown, progress: ProgressInfo) => void) | undefined;
  /** By what name the task can be shared. */
  readonly idempotencyKey: string | undefined;
  /** Whether a map puts it. */
  readonly isMapped: boolean;
}

/** What holds where nothing else was asked. */
export const defaultTerms: TaskTerms = Object.freeze({
  priority: 0,
  delayMs: 0,
  timeoutMs: undefined,
  timeoutFrom: 'start',
  maxAttempts: 5,
  maxDeliveries: 20,
  backoff: Object.freeze({ base: 100, factor: 2, cap: 30_000 }),
  deadline: undefined,
  requires: undefined,
  requiresKey: '',
  speculate: false,
  verify: undefined,
  signal: undefined,
  onProgress: undefined,
  idempotencyKey: undefined,
  isMapped: false,
});

export const taskOptionNames: readonly string[] = Object.freeze([
  'priority',
  'delay',
  'timeout',
  'timeoutFrom',
  'maxAttempts',
  'backoff',
  'deadline',
  'requires',
  'speculate',
  'verify',
  'signal',
  'onProgress',
] satisfies (keyof TaskOptions)[]);

/** Three years. More are no span, but milliseconds since 1970, which must come as a `Date`. */
const MAX_SPAN_MS = 1e11;

/** Completes options from terms, and checks them. `known` are the names that `owner` has. @throws InvalidOptionError */
export function agreeOn(owner: string, options: TaskOptions, known: readonly string[], base: TaskTerms): TaskTerms {
  expectObject('options', options);
  expectKnown(owner, options, known);
  const { priority = base.priority, delay = base.delayMs, timeout = base.timeoutMs, signal = base.signal } = options;
  const { timeoutFrom = base.timeoutFrom, maxAttempts = base.maxAttempts, speculate = base.speculate } = options;
  const { deadline = base.deadline, requires, onProgress = base.onProgress } = options;
  if (!Number.isFinite(priority)) refuse('priority', 'a finite number', priority);
  expectMilliseconds('delay', delay, 0, false);
  if (timeout !== undefined) expectMilliseconds('timeout', timeout, 1, true);
  if (timeoutFrom !== 'start' && timeoutFrom !== 'progress')
    refuse('timeoutFrom', "'start' or 'progress'", timeoutFrom);
  expectCount('maxAttempts', maxAttempts, 1);
  if (typeof speculate !== 'boolean') refuse('speculate', 'true or false', speculate);
  if (signal !== undefined) expectSignal('signal', signal);
  if (onProgress !== undefined && typeof onProgress !== 'function') refuse('onProgress', 'a function', onProgress);
  expectDeadline(deadline);
  if (requires !== undefined) expectRequirements('requires', requires);
  return {
    priority,
    delayMs: delay,
    timeoutMs: timeout,
    timeoutFrom,
    maxAttempts,
    maxDeliveries: base.maxDeliveries,
    backoff: options.backoff === undefined ? base.backoff : checkBackoff('backoff', options.backoff, base.backoff, 0),
    // Copies, as the caller may go on to change them.
    deadline: isDate(deadline) ? new Date(deadline.getTime()) : deadline,
    requires: requires === undefined ? base.requires : structuredClone(requires),
    requiresKey: requires === undefined ? base.requiresKey : requirementsKey(requires),
    speculate,
    verify: options.verify === undefined ? base.verify : checkVerify('verify', options.verify, base.verify),
    signal,
    onProgress,
    idempotencyKey: undefined,
    isMapped: false,
  };
}

/** Of whatever realm: a page may get its dates from a frame. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}

function expectDeadline(deadline: unknown): void {
  if (deadline === undefined) return;
  const isMoment = isDate(deadline) && !Number.isNaN(deadline.getTime());
  const isSpan = typeof deadline === 'number' && deadline >= 1 && deadline <= MAX_SPAN_MS;
  if (!isMoment && !isSpan && deadline !== Number.POSITIVE_INFINITY) {
    refuse('deadline', 'a number of milliseconds ≥ 1 from now, Infinity, or a Date', deadline);
  }
}
