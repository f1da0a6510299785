// A pool of threads that runs a handler, looks like a handler itself, and can really stop what it runs.
import { messageOf, RemoteError, TaskdistError, TaskRejectedError } from '../errors.ts';
import type { TaskContext, TaskHandler } from '../handler.ts';
import { type Complete, expectInteger, expectKnown, expectMilliseconds, expectObject, refuse } from '../options.ts';
import { availableCores } from '../platform/host.ts';
import { systemClock } from '../platform/system.ts';
import type { Clock } from '../ports.ts';
import type { ThreadLike } from '../thread-like.ts';
import { SandboxThread } from './sandbox-thread.ts';
import type { ThreadOutcome } from './thread-api.ts';

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

/** A task on its way through the sandbox. */
interface Job<T> {
  readonly task: T;
  readonly context: TaskContext;
  readonly settle: (outcome: ThreadOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** Calls it off: whatever the thread makes of it, it ends with this error. */
  readonly fail: (error: unknown) => void;
  state:
    | { readonly kind: 'waiting' }
    | { readonly kind: 'running'; readonly thread: SandboxThread; readonly call: number };
}

class Sandbox<T, R> implements TaskHandler<T, R> {
  readonly #factory: () => ThreadLike;
  readonly #options: Complete<SandboxOptions>;
  readonly #clock: Clock;
  readonly #threads = new Set<SandboxThread>();
  /** The last one used is the next: its code and caches are warm. */
  #idle: SandboxThread[] = [];
  #waiting: Job<T>[] = [];
  readonly #jobs = new Set<Job<T>>();
  readonly #calls = new Map<number, Job<T>>();
  #nextCall = 1;
  #bootFailures = 0;
  #lastBootFailure: unknown = undefined;

  constructor(factory: () => ThreadLike, options: Complete<SandboxOptions>, clock: Clock) {
    this.#factory = factory;
    this.#options = options;
    this.#clock = clock;
  }

  getConcurrency(): number {
    return this.#options.size;
  }

  doTask(task: T, context: TaskContext): Promise<R> {
    return new Promise<ThreadOutcome>((resolve, reject) => {
      context.signal.throwIfAborted();
      const { signal } = context;
      let cancelGrace = (): void => {};
      let failure: { readonly error: unknown } | undefined;
      const callOff = (reason: unknown): void => {
        cancelGrace();
        cancelGrace = this.#abort(job, reason);
      };
      const onAbort = (): void => callOff(signal.reason);
      const over = (): void => {
        signal.removeEventListener('abort', onAbort);
        cancelGrace();
        this.#jobs.delete(job);
      };
      const job: Job<T> = {
        task,
        context,
        settle(outcome) {
          over();
          if (failure === undefined) resolve(outcome);
          else reject(failure.error);
        },
        reject(error) {
          over();
          reject(failure === undefined ? error : failure.error);
        },
        fail(error) {
          if (failure !== undefined) return;
          failure = { error };
          callOff(error);
        },
        state: { kind: 'waiting' },
      };
      signal.addEventListener('abort', onAbort);
      this.#jobs.add(job);
      this.#waiting.push(job);
      this.#assign();
    }).then((outcome) => this.#resultOf(outcome));
  }

  async stop(): Promise<void> {
    const error = new TaskdistError('TASKDIST_STOPPED', 'The sandbox was stopped');
    this.#waiting = [];
    for (const job of [...this.#jobs]) job.reject(error);
    const threads = [...this.#threads];
    this.#threads.clear();
    this.#idle = [];
    this.#bootFailures = 0;
    await Promise.all(threads.map((thread) => thread.terminate('the sandbox was stopped')));
  }

  #resultOf(outcome: ThreadOutcome): R {
    switch (outcome.kind) {
      case 'done':
        // The thread's handler is the user's, and of the type that the user says.
        return outcome.result as R;
      case 'rejected':
        throw new TaskRejectedError(outcome.reason);
      case 'failed':
        throw new RemoteError(outcome.error);
    }
  }

  /** Gives waiting jobs to idle threads, and starts threads while there may be more. */
  #assign(): void {
    while (this.#waiting.length > 0) {
      if (this.#bootFailures >= MAX_BOOT_FAILURES) {
        for (const job of this.#waiting.splice(0)) job.reject(this.#broken());
        return;
      }
      if (this.#idle.length === 0 && this.#threads.size >= this.#options.size) return;
      const job = this.#waiting.shift();
      if (job !== undefined) this.#start(job);
    }
  }

  #start(job: Job<T>): void {
    try {
      void this.#runOn(this.#idle.pop() ?? this.#startThread(), job);
    } catch (error) {
      this.#bootFailed(error);
      job.reject(error);
    }
  }

  #startThread(): SandboxThread {
    const { bootTimeout } = this.#options;
    const thread: SandboxThread = new SandboxThread(this.#factory, bootTimeout, this.#clock, {
      booted: () => {
        this.#bootFailures = 0;
      },
      bootFailed: (error) => {
        this.#bootFailed(error);
        this.#threadEnded(thread);
      },
      ended: () => this.#threadEnded(thread),
      progressed: (call, value) => this.#progressed(call, value),
    });
    this.#threads.add(thread);
    return thread;
  }

  #threadEnded(thread: SandboxThread): void {
    this.#threads.delete(thread);
    this.#idle = this.#idle.filter((each) => each !== thread);
    this.#assign();
  }

  async #runOn(thread: SandboxThread, job: Job<T>): Promise<void> {
    const call = this.#nextCall;
    this.#nextCall += 1;
    job.state = { kind: 'running', thread, call };
    this.#calls.set(call, job);
    try {
      await thread.boot();
      // It may have been aborted meanwhile.
      if (this.#jobs.has(job)) job.settle(await thread.run(call, job.task, job.context.key, job.context.attempt));
    } catch (error) {
      job.reject(error);
    } finally {
      this.#calls.delete(call);
    }
    // Gone, or the sandbox was stopped.
    if (!this.#threads.has(thread)) return;
    this.#idle.push(thread);
    this.#assign();
  }

  #progressed(call: number, value: unknown): void {
    const job = this.#calls.get(call);
    if (job === undefined || !this.#jobs.has(job)) return;
    try {
      job.context.progress(value);
    } catch (error) {
      // It left the thread, but cannot go on from here; the handler, which would have to know, is past it.
      job.fail(error);
    }
  }

  /** Returns how to call off what is still to come. */
  #abort(job: Job<T>, reason: unknown): () => void {
    const { state } = job;
    if (state.kind === 'waiting' || !state.thread.isReady) {
      this.#waiting = this.#waiting.filter((each) => each !== job);
      job.reject(reason);
      return () => {};
    }
    const { thread, call } = state;
    const text = messageOf(reason);
    thread.abort(call, text);
    return this.#clock.setTimer(this.#options.grace, () => {
      job.reject(reason);
      void thread.terminate(`the task was aborted: ${text}`);
    });
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
