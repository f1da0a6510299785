// A pool of threads that runs a handler, looks like a handler itself, and can really stop what it runs.
import { type Ahead, type AheadHandler, ahead, type HandedAttempt } from '../ahead.ts';
import { messageOf, TaskdistError } from '../errors.ts';
import type { TaskContext, TaskHandler } from '../handler.ts';
import { type Complete, expectInteger, expectKnown, expectMilliseconds, expectObject, refuse } from '../options.ts';
import { availableCores } from '../platform/host.ts';
import { systemClock } from '../platform/system.ts';
import type { Clock } from '../ports.ts';
import { Queue } from '../queue.ts';
import type { ThreadLike } from '../thread-like.ts';
import { Job, type JobHost } from './job.ts';
import { Pace } from './pace.ts';
import { SandboxThread, type ThreadPool } from './sandbox-thread.ts';

/** Options of {@link sandbox}. All times are in milliseconds. */
export interface SandboxOptions {
  /**
   * How many threads there are at most, an integer from 1 to 1024. They are started when they are needed.
   * @defaultValue the number of cores less one, which is left to whoever owns the machine; at least 1
   */
  readonly size?: number | undefined;
  /**
   * How long a task that was aborted may go on before its thread is terminated, in milliseconds ≥ 0.
   * @defaultValue 1000
   */
  readonly grace?: number | undefined;
  /** How long a thread may take to load and call `exposeTaskHandler`, in milliseconds ≥ 1. @defaultValue 30000 */
  readonly bootTimeout?: number | undefined;
}

const defaults = Object.freeze({ grace: 1000, bootTimeout: 30_000 });

/** So many threads that cannot start, one after the other, and no more are tried. */
const MAX_BOOT_FAILURES = 3;

/** A task that runs for so long, and up to twice as long, keeps nothing waiting behind it in its thread. */
const STALL_MS = 5;

/**
 * Runs tasks in threads, so that they neither block the page or process nor the worker's connection, and so that a
 * task that is aborted stops for certain: its signal aborts, and after `grace` its thread is terminated and replaced.
 *
 * The factory makes one thread: `() => new Worker(new URL('./handler.ts', import.meta.url), { type: 'module' })`, in
 * a browser with the global `Worker`, in Node with that of `node:worker_threads`. It is a function of yours because
 * bundlers must see that very expression. The script calls {@link exposeTaskHandler}.
 *
 * A thread that crashes fails its task with `TASKDIST_SANDBOX_CRASHED` and is replaced. One that cannot start fails
 * its task with `TASKDIST_SANDBOX_BOOT`; after three in a row every task fails with `TASKDIST_SANDBOX_BROKEN`, at
 * which a {@link Worker} gives its tasks back and pauses. Stopping the sandbox, as `worker.stop()` does, lets it try again.
 * @throws InvalidOptionError
 */
export function sandbox<T, R>(factory: () => ThreadLike, options: SandboxOptions = {}): TaskHandler<T, R> {
  if (typeof factory !== 'function') refuse('factory', 'a function that returns a Worker', factory);
  expectObject('options', options);
  expectKnown('sandbox', options, ['size', ...Object.keys(defaults)]);
  const {
    size = Math.max(1, availableCores() - 1),
    grace = defaults.grace,
    bootTimeout = defaults.bootTimeout,
  } = options;
  expectInteger('size', size, 1, 1024);
  expectMilliseconds('grace', grace, 0, false);
  expectMilliseconds('bootTimeout', bootTimeout, 1, false);
  return new Sandbox<T, R>(factory, { size, grace, bootTimeout }, systemClock);
}

class Sandbox<T, R> implements AheadHandler<T, R> {
  readonly #size: number;
  readonly #host: JobHost & ThreadPool;
  readonly #pace = new Pace();
  readonly #threads = new Set<SandboxThread>();
  readonly #waiting = new Queue<Job>();
  /** There while it watches. */
  #cancelWatch: (() => void) | undefined = undefined;
  #handed = 0;
  #bootFailures = 0;
  #lastBootFailure: unknown = undefined;

  readonly [ahead]: Ahead = {
    capacity: (concurrency) => Math.max(concurrency, Math.min(concurrency, this.#size) * (1 + this.#pace.ahead)),
    hand: (attempt, concurrency) => this.#hand(attempt, concurrency),
  };

  constructor(factory: () => ThreadLike, options: Complete<SandboxOptions>, clock: Clock) {
    this.#size = options.size;
    this.#host = {
      factory,
      bootTimeoutMs: options.bootTimeout,
      clock,
      booted: () => {
        this.#bootFailures = 0;
      },
      ended: (thread, bootError) => {
        if (bootError !== undefined) this.#bootFailed(bootError);
        this.#threads.delete(thread);
      },
      relieved: () => this.#assign(),
      ran: (durationMs) => this.#pace.took(durationMs),
      unqueue: (job) => this.#waiting.remove(job),
      afterGrace: (callback) => clock.setTimer(options.grace, callback),
    };
  }

  getConcurrency(): number {
    return this.#size;
  }

  doTask(task: T, context: TaskContext): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const { key, attempt, signal } = context;
      signal.throwIfAborted();
      const onAbort = (): void => job.abort(signal.reason);
      const over = (): void => signal.removeEventListener('abort', onAbort);
      const handed: HandedAttempt = {
        key,
        attempt,
        task,
        started() {},
        progressed: (value) => context.progress(value),
        done(result) {
          over();
          // The thread's handler is the user's, and of the type that the user says.
          resolve(result as R);
        },
        failed(error) {
          over();
          reject(error);
        },
        returned: () => {
          if (signal.aborted) {
            over();
            reject(signal.reason);
            return;
          }
          job = this.#handAgain(handed, job);
        },
      };
      signal.addEventListener('abort', onAbort);
      let job = this.#hand(handed, this.#size);
    });
  }

  async stop(): Promise<void> {
    const error = new TaskdistError('TASKDIST_STOPPED', 'The sandbox was stopped');
    const threads = [...this.#threads];
    this.#threads.clear();
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    for (const job of this.#waiting.clear()) job.failed(error, undefined);
    const terminated = threads.map((thread) => thread.terminate(error));
    this.#bootFailures = 0;
    await Promise.all(terminated);
  }

  #hand(attempt: HandedAttempt, concurrency: number): Job {
    this.#handed += 1;
    const job = new Job(attempt, this.#handed, concurrency, this.#host);
    this.#waiting.push(job);
    this.#assign();
    return job;
  }

  /** The oldest comes back last, and then stands before the others. */
  #handAgain(attempt: HandedAttempt, { sequence, concurrency }: Job): Job {
    const job = new Job(attempt, sequence, concurrency, this.#host);
    this.#waiting.unshift(job);
    this.#host.clock.soon(() => this.#assign());
    return job;
  }

  /** Gives waiting jobs to threads, while there is room. */
  #assign(): void {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      try {
        const thread = this.#threadFor(job);
        if (thread === undefined) {
          this.#waiting.unshift(job);
          return;
        }
        thread.add(job);
        if (thread.load > 1) this.#watch();
      } catch (error) {
        job.failed(error, undefined);
      }
    }
  }

  /** An idle thread, or a new one; else the one with the fewest jobs to send another behind, if any has room. */
  #threadFor({ concurrency }: Job): SandboxThread | undefined {
    if (this.#bootFailures >= MAX_BOOT_FAILURES) throw this.#broken();
    let busy = 0;
    let idle: SandboxThread | undefined;
    let shortest: SandboxThread | undefined;
    for (const thread of this.#threads) {
      // The same one first whenever it is idle: its code and caches are warm.
      if (thread.load === 0) idle ??= thread;
      else busy += 1;
      if (thread.load > 0 && thread.takesAhead && thread.load < (shortest?.load ?? 1 + this.#pace.ahead))
        shortest = thread;
    }
    if (busy >= Math.min(this.#size, concurrency)) return shortest;
    return idle ?? this.#startThread();
  }

  #startThread(): SandboxThread {
    try {
      const thread = new SandboxThread(this.#host);
      this.#threads.add(thread);
      return thread;
    } catch (error) {
      this.#bootFailed(error);
      throw error;
    }
  }

  /** Looks after jobs that were sent ahead: what they wait for may take longer than was expected. */
  #watch(): void {
    // Not at once when the timer rings: what has come in while this thread was busy is read first.
    const { clock } = this.#host;
    this.#cancelWatch ??= clock.setTimer(STALL_MS, () => clock.soon(() => this.#look()));
  }

  #look(): void {
    this.#cancelWatch = undefined;
    const behind: Job[] = [];
    for (const thread of this.#threads) {
      const jobs = thread.relieveIfStalled();
      if (jobs.length > 0) this.#pace.took(STALL_MS);
      behind.push(...jobs);
      // Behind one that takes long, nothing waits any more.
      if (thread.load > 1 && thread.takesAhead) this.#watch();
    }
    if (behind.length > 0) this.#giveBack(behind);
  }

  /** With those that no thread has yet, which are younger than some of them: all are to begin in their order. */
  #giveBack(behind: readonly Job[]): void {
    const jobs = [...behind, ...this.#waiting.clear()];
    for (const job of jobs.sort((a, b) => b.sequence - a.sequence)) job.giveBack();
  }

  #bootFailed(error: unknown): void {
    this.#bootFailures += 1;
    this.#lastBootFailure = error;
  }

  #broken(): TaskdistError {
    const cause = this.#lastBootFailure;
    return new TaskdistError(
      'TASKDIST_SANDBOX_BROKEN',
      `The sandbox has given up after ${MAX_BOOT_FAILURES} threads in a row that could not start; the last: ${messageOf(cause)}`,
      { cause },
    );
  }
}
