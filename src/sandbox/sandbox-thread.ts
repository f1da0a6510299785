// One thread of a sandbox, from its start to its end, behind Comlink, and the jobs that it has.
import { type Remote, wrap } from 'comlink';
import { type ErrorDescription, messageOf, RemoteError, TaskdistError, TaskRejectedError } from '../errors.ts';
import { adoptThread, type Thread } from '../platform/threads.ts';
import type { Clock } from '../ports.ts';
import { Queue } from '../queue.ts';
import type { ThreadLike } from '../thread-like.ts';
import type { Job } from './job.ts';
import { type Call, MARK, type ThreadApi } from './thread-api.ts';

/** So many cross at once; fewer at the end of the turn. */
const BATCH = 64;

/** Until the handler is in place; then; and after the end. */
type ThreadState = 'booting' | 'ready' | 'dead';

/** What a thread tells its pool. */
export interface ThreadEvents {
  booted(): void;
  /** It ended before it was ready, by itself: told once, and last. */
  bootFailed(error: TaskdistError): void;
  /** It is gone for any other reason: told once, and last. */
  ended(): void;
  /** A task ran for so long. */
  ran(durationMs: number): void;
  /** It has one job less. */
  relieved(): void;
}

/** How to start a thread. */
export interface ThreadOptions {
  readonly factory: () => ThreadLike;
  readonly bootTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * A thread and its jobs, which it runs in their order and answers as they end: so the first without an answer is the one
 * that runs. Comlink leaves calls pending for ever when their thread dies; here every job has an end.
 */
export class SandboxThread {
  readonly #thread: Thread;
  /** Held for as long as the thread lives: Comlink closes the port of a proxy that is collected. */
  readonly #remote: Remote<ThreadApi>;
  /** A method of the above, as Comlink makes a new proxy whenever it is asked for one. */
  readonly #run: Remote<ThreadApi>['run'];
  readonly #clock: Clock;
  readonly #events: ThreadEvents;
  readonly #cancelBootTimer: () => void;
  /** Those without an answer. One that is over may be among them: nobody waits for it, but the thread has it. */
  readonly #jobs = new Queue<Job>();
  /** Those of them that have yet to cross. */
  #unsent: Job[] = [];
  #lastCall = 0;
  /** The one that ran when it was last looked at. */
  #seen: Job | undefined = undefined;
  #isStalled = false;
  #state: ThreadState = 'booting';

  /** @throws TaskdistError `TASKDIST_SANDBOX_BOOT` if the factory fails */
  constructor({ factory, bootTimeoutMs, clock }: ThreadOptions, events: ThreadEvents) {
    this.#thread = start(factory);
    this.#clock = clock;
    this.#events = events;
    this.#cancelBootTimer = clock.setTimer(bootTimeoutMs, () =>
      this.#die(`it did not call exposeTaskHandler() within ${bootTimeoutMs} ms (\`bootTimeout\`)`),
    );
    this.#thread.onFailure((reason) => this.#die(reason));
    this.#thread.onArray((message) => this.#received(message));
    this.#remote = wrap<ThreadApi>(this.#thread.endpoint);
    this.#run = this.#remote.run;
  }

  /** Whether jobs may be sent behind the one that runs: not while it boots, or runs one that takes long. */
  get takesAhead(): boolean {
    return this.#state === 'ready' && !this.#isStalled;
  }

  /** How many jobs it has, those among them for which nobody waits. */
  get load(): number {
    return this.#jobs.size;
  }

  /** Takes a job, to run it behind those that it has. */
  add(job: Job): void {
    this.#lastCall += 1;
    job.call = this.#lastCall;
    job.assignedTo(this);
    this.#jobs.push(job);
    this.#unsent.push(job);
    if (this.#unsent.length === 1) this.#clock.soon(() => this.#flush());
    else if (this.#unsent.length === BATCH) queueMicrotask(() => this.#flush());
  }

  /** Asks for a job back. Returns whether it is back: if not, the thread answers, or has begun it. */
  withdraw(job: Job): boolean {
    if (this.#takeBack(job)) return true;
    if (this.#state === 'ready') void this.#remote.drop([job.call]);
    return false;
  }

  /** Aborts the signal of a job, which only a thread that is not busy hears. Returns whether it is back, as it was not sent. */
  abort(job: Job, reason: unknown): boolean {
    if (this.#takeBack(job)) return true;
    // The answer does not matter, nor that a dead thread gives none.
    if (this.#state === 'ready') void this.#remote.abort(job.call, messageOf(reason));
    return false;
  }

  /**
   * Gives back all jobs behind the one that runs, if that is the same as when this was called last. If the thread begins
   * one of them all the same, as it has not heard yet, nobody waits for what comes of it. Returns whether it was so.
   */
  relieveIfStalled(): boolean {
    const running = this.#jobs.peek();
    this.#isStalled = this.#state === 'ready' && this.#jobs.size > 1 && running === this.#seen;
    this.#seen = running;
    if (!this.#isStalled) return false;
    const behind = [...this.#jobs].slice(1).filter((job) => !job.isOver);
    if (behind.length > 0) void this.#remote.drop(behind.map(({ call }) => call));
    for (const job of behind.reverse()) {
      this.#takeBack(job);
      job.giveBack();
    }
    return behind.length > 0;
  }

  /** A job does not end: terminates the thread. The others go back. */
  giveUp(reason: unknown): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#events.ended();
    void this.#thread.terminate();
    this.#endJobs(crashed(`the task was aborted: ${messageOf(reason)}`));
  }

  /** Ends the thread, and all its jobs with this error. */
  async terminate(error: TaskdistError): Promise<void> {
    const wasDead = this.#state === 'dead';
    this.#state = 'dead';
    this.#cancelBootTimer();
    for (const job of this.#jobs.clear()) job.failed(error, undefined);
    if (!wasDead) this.#events.ended();
    await this.#thread.terminate();
  }

  /** The thread failed by itself. */
  #die(reason: string): void {
    if (this.#state === 'dead') return;
    const wasBooting = this.#state === 'booting';
    this.#state = 'dead';
    this.#cancelBootTimer();
    // It may be broken rather than gone, as a Web Worker after an uncaught error.
    void this.#thread.terminate();
    if (wasBooting) {
      const error = bootError(reason);
      this.#events.bootFailed(error);
      const first = this.#jobs.shift();
      first?.started();
      first?.failed(error, undefined);
    } else {
      this.#events.ended();
    }
    this.#endJobs(crashed(reason));
  }

  /** The one that ran is to blame; the others have not begun. */
  #endJobs(error: TaskdistError): void {
    const jobs = this.#jobs.clear();
    const [running] = jobs;
    if (running !== undefined && !this.#unsent.includes(running)) running.failed(error, undefined);
    this.#unsent = [];
    for (const job of jobs.reverse()) job.giveBack();
    this.#events.relieved();
  }

  #received(message: readonly unknown[]): void {
    // The thread's script is the user's, and may post arrays of its own.
    if (message[0] !== MARK || this.#state === 'dead') return;
    const [, kind, call, value, durationMs] = message;
    if (kind === 'ready') {
      this.#ready();
    } else if (kind === 'progress') {
      const job = this.#find(call);
      job?.started();
      job?.progressed(value);
    } else if (typeof kind === 'string') {
      const job = this.#find(call);
      if (job !== undefined) this.#answered(job, kind, value, typeof durationMs === 'number' ? durationMs : 0);
    }
  }

  #ready(): void {
    if (this.#state !== 'booting') return;
    this.#state = 'ready';
    this.#cancelBootTimer();
    this.#events.booted();
    this.#flush();
  }

  #find(call: unknown): Job | undefined {
    const head = this.#jobs.peek();
    return head?.call === call ? head : [...this.#jobs].find((job) => job.call === call);
  }

  #answered(job: Job, kind: string, value: unknown, durationMs: number): void {
    this.#jobs.remove(job);
    if (kind === 'dropped') {
      job.giveBack();
    } else {
      this.#isStalled = false;
      this.#events.ran(durationMs);
      job.started();
      if (kind === 'done') job.done(value, durationMs);
      else if (kind === 'rejected') job.failed(new TaskRejectedError(String(value)), durationMs);
      // What is marked is the library's own.
      else job.failed(new RemoteError(value as ErrorDescription), durationMs);
    }
    this.#startFirst();
    this.#events.relieved();
  }

  /** Takes a job out that has not crossed. Returns whether it had not. */
  #takeBack(job: Job): boolean {
    const index = this.#unsent.indexOf(job);
    if (index < 0) return false;
    this.#unsent.splice(index, 1);
    this.#jobs.remove(job);
    this.#clock.soon(() => this.#events.relieved());
    return true;
  }

  #flush(): void {
    if (this.#state !== 'ready' || this.#unsent.length === 0) return;
    const jobs = this.#unsent;
    this.#unsent = [];
    this.#send(jobs);
    this.#startFirst();
  }

  #send(jobs: readonly Job[]): void {
    const calls = jobs.map(({ call, attempt }): Call => [call, attempt.task, attempt.key, attempt.attempt]);
    // Nothing has crossed if it throws, which is for a task that cannot be cloned.
    this.#run(calls).catch((error: unknown) => this.#unsendable(jobs, error));
  }

  /** One of them cannot cross: tells which by sending each for itself. They come behind what was sent meanwhile. */
  #unsendable(jobs: readonly Job[], error: unknown): void {
    if (this.#state !== 'ready') return;
    for (const job of jobs) this.#jobs.remove(job);
    for (const job of jobs) {
      if (jobs.length === 1) {
        job.started();
        job.failed(error, 0);
      } else if (!job.isOver) {
        this.#jobs.push(job);
        this.#send([job]);
      }
    }
    this.#startFirst();
    this.#events.relieved();
  }

  #startFirst(): void {
    const first = this.#jobs.peek();
    if (first !== undefined && this.#state === 'ready' && first !== this.#unsent[0]) first.started();
  }
}

function crashed(reason: string): TaskdistError {
  return new TaskdistError('TASKDIST_SANDBOX_CRASHED', `The thread that ran the task ended: ${reason}`);
}

function bootError(why: string, cause?: unknown): TaskdistError {
  const message = `A thread of the sandbox could not start: ${why}`;
  return new TaskdistError('TASKDIST_SANDBOX_BOOT', message, cause === undefined ? undefined : { cause });
}

function start(factory: () => ThreadLike): Thread {
  let worker: ThreadLike;
  try {
    worker = factory();
  } catch (error) {
    throw bootError(messageOf(error), error);
  }
  const thread = typeof worker === 'object' && worker !== null ? adoptThread(worker) : undefined;
  if (thread === undefined) throw bootError('the factory did not return a Worker');
  return thread;
}
