// What a scheduler and its `put` can be given: the options, their defaults, and their checks.
import { expectCount, expectMilliseconds, expectString } from '../options.ts';
import { agreeOn, defaultTerms, type TaskOptions, type TaskTerms, taskOptionNames } from './task-options.ts';

/** Options of {@link FifoScheduler.put}: what is asked for this task, and goes before what the scheduler has as default. */
export interface PutOptions extends TaskOptions {
  /**
   * A name for the work, 1 to 1024 characters. While a task of the same name is unsettled, `put` does not add another
   * one, but waits for that one, whose task and options hold. Only `signal`, `deadline` and `onProgress` are each one's
   * own, the first one's too: a signal and a deadline end one wait alone, and the task is aborted when nobody waits for
   * it any more.
   * @defaultValue none: the task is shared with nobody
   */
  readonly idempotencyKey?: string | undefined;
}

/** Options of a {@link FifoScheduler}: the defaults of all its tasks, and those below. All times are in milliseconds. */
export interface FifoSchedulerOptions extends TaskOptions {
  /**
   * How often a task may be lost together with the worker that was running it, before it becomes a dead letter: such
   * a task may be what kills them. An integer ≥ 1, or Infinity. Leases that had not started, and workers that say
   * goodbye, do not count.
   * @defaultValue 20, as RabbitMQ's delivery limit of quorum queues
   */
  readonly maxDeliveries?: number | undefined;
  /**
   * After how long a task that no connected worker can take is told of by an `unmatched` event, in milliseconds ≥ 0, or
   * Infinity. Workers that are paused count as connected. @defaultValue 10000
   */
  readonly unmatchedAfter?: number | undefined;
  /**
   * How many tasks may be unsettled at once, an integer ≥ 1, or Infinity. When there are as many, `put` rejects with
   * `TASKDIST_FULL`. A `map` waits until there is room, which is given to it first when it comes free; but maps fill
   * nine tenths of it at most.
   * @defaultValue 2000000: so many small tasks fit into the memory that Node has by default
   */
  readonly maxTasks?: number | undefined;
}

const defaults = Object.freeze({ unmatchedAfter: 10_000, maxTasks: 2_000_000 });

const schedulerOptionNames = [...taskOptionNames, 'maxDeliveries', ...Object.keys(defaults)];
const putOptionNames = [...taskOptionNames, 'idempotencyKey'];

const MAX_IDEMPOTENCY_KEY_CHARACTERS = 1024;

/** The options of a scheduler, checked and complete. */
export interface SchedulerTerms {
  /** What holds for a task for which nothing else is asked. */
  readonly terms: TaskTerms;
  readonly unmatchedAfterMs: number;
  readonly maxTasks: number;
}

/** @throws InvalidOptionError */
export function checkSchedulerOptions(options: FifoSchedulerOptions): SchedulerTerms {
  const terms = agreeOn('FifoScheduler', options, schedulerOptionNames, defaultTerms);
  const { maxDeliveries = defaultTerms.maxDeliveries } = options;
  const { unmatchedAfter = defaults.unmatchedAfter, maxTasks = defaults.maxTasks } = options;
  expectCount('maxDeliveries', maxDeliveries, 1);
  expectMilliseconds('unmatchedAfter', unmatchedAfter, 0, true);
  expectCount('maxTasks', maxTasks, 1);
  return { terms: { ...terms, maxDeliveries }, unmatchedAfterMs: unmatchedAfter, maxTasks };
}

/** What holds for a task that is put with these options. @throws InvalidOptionError */
export function checkPutOptions(options: PutOptions | undefined, base: TaskTerms): TaskTerms {
  if (options === undefined) return base;
  const terms = agreeOn('put', options, putOptionNames, base);
  const { idempotencyKey } = options;
  if (idempotencyKey === undefined) return terms;
  expectString('idempotencyKey', idempotencyKey, MAX_IDEMPOTENCY_KEY_CHARACTERS);
  return { ...terms, idempotencyKey };
}
