// One thread of a sandbox, from its start to its end, behind Comlink, and the jobs that it has.
import { type Remote, wrap } from 'comlink';
import { messageOf, RemoteError, TaskdistError, TaskRejectedError } from '../errors.ts';
import { adoptThread, type Thread } from '../platform/threads.ts';
import type { Clock } from '../ports.ts';
import { Queue } from '../queue.ts';
import type { ThreadLike } from '../thread-like.ts';
import type { Job } from './job.ts';
import { SharedResults } from './shared-results.ts';
import { type Call, MARK, type ThreadApi, type ThreadMessage } from './thread-api.ts';

/** What a thread says of a job. */
type Answer = Exclude<ThreadMessage, readonly [mark: typeof MARK, kind: 'ready' | 'closed' | 'written']>;

/** Until the handler is in place; then; and after the end. */
type ThreadState = 'booting' | 'ready' | 'dead';

/** What the threads of a pool need of it, and tell it. */
export interface ThreadPool {
  readonly factory: () => ThreadLike;
  readonly bootTimeoutMs: number;
  readonly clock: Clock;
  booted(): void;
  /** It is gone; with an error if it was before it was ready. */
  ended(thread: SandboxThread, bootError: TaskdistError | undefined): void;
  /** It has a job less. */
  relieved(): void;
  /** A task ran for so long. */
  ran(durationMs: number): void;
}

/**
 * A thread and its jobs, which it runs in their order and answers as they end: so the first without an answer is the one
 * that runs. Comlink leaves calls pending for ever when their thread dies; here every job has an end.
 */
export class SandboxThread {
  readonly #thread: Thread;
  /** Held for as long as the thread lives: Comlink closes the port of a proxy that is collected. */
  readonly #remote: Remote<ThreadApi>;
  readonly #pool: ThreadPool;
  readonly #cancelBootTimer: () => void;
  /** Those without an answer. One that is over may be among them: nobody waits for it, but the thread has it. */
  readonly #jobs = new Queue<Job>();
  /** Those of them that have yet to cross. */
  #unsent: Job[] = [];
  #lastCall = 0;
  readonly #results = SharedResults.create();
  /** The one that ran when it was last looked at. */
  #seen: Job | undefined = undefined;
  #isFlushing = false;
  #isStalled = false;
  #state: ThreadState = 'booting';

  /** @throws TaskdistError `TASKDIST_SANDBOX_BOOT` if the factory fails */
  constructor(pool: ThreadPool) {
    const { factory, bootTimeoutMs, clock } = pool;
    this.#thread = start(factory);
    this.#pool = pool;
    this.#cancelBootTimer = clock.setTimer(bootTimeoutMs, () =>
      this.die(`it did not call exposeTaskHandler() within ${bootTimeoutMs} ms (\`bootTimeout\`)`),
    );
    this.#thread.onFailure((reason) => this.die(reason));
    this.#thread.onArray((message) => this.#received(message));
    this.#remote = wrap<ThreadApi>(this.#thread.endpoint);
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
    job.thread = this;
    this.#jobs.push(job);
    this.#unsent.push(job);
    if (this.#state === 'booting') this.#startFirst();
    this.#flushWhenDue();
  }

  /** Asks for a job back that has not begun. Returns whether it is back at once, as it had not crossed. */
  recall(job: Job): boolean {
    const isBack = this.takeBack(job);
    if (!isBack) void this.#remote.drop([job.call]);
    return isBack;
  }

  /** Aborts the signal of a job; only a thread that is not busy hears it. */
  abort(job: Job, reason: string): void {
    // The answer does not matter, nor that a dead thread gives none.
    void this.#remote.abort(job.call, reason);
  }

  /**
   * All jobs behind the one that runs, if that is the same as when this was called last: they are to be given back. If the
   * thread begins one of them all the same, as it has not heard yet, nobody waits for what comes of it.
   */
  relieveIfStalled(): Job[] {
    this.#readResults();
    const running = this.#jobs.peek();
    this.#isStalled = this.#state === 'ready' && running !== undefined && running === this.#seen;
    this.#seen = running;
    if (!this.#isStalled) return [];
    const behind = [...this.#jobs].slice(1).filter((job) => !job.isOver);
    if (behind.length > 0) void this.#remote.drop(behind.map(({ call }) => call));
    for (const job of behind) this.takeBack(job);
    return behind;
  }

  /** Whether it still runs this job, which had begun: its result may be there already. */
  runs(job: Job): boolean {
    this.#readResults();
    return this.#jobs.peek() === job;
  }

  /** Ends the thread, and all its jobs with this error. */
  async terminate(error: TaskdistError): Promise<void> {
    this.#readResults();
    for (const job of this.#jobs.clear()) job.failed(error, undefined);
    this.die(error.message);
    await this.#thread.terminate();
  }

  /** The thread has failed, or is not wanted any more. The job that runs is to blame; the others have not begun. */
  die(reason: string): void {
    // What has ended before it did is not to blame.
    this.#readResults();
    if (this.#state === 'dead') return;
    const wasBooting = this.#state === 'booting';
    this.#state = 'dead';
    this.#cancelBootTimer();
    // It may be broken rather than gone, as a Web Worker after an uncaught error.
    void this.#thread.terminate();
    const error = wasBooting
      ? bootError(reason)
      : new TaskdistError('TASKDIST_SANDBOX_CRASHED', `The thread that ran the task ended: ${reason}`);
    this.#pool.ended(this, wasBooting ? error : undefined);
    const jobs = this.#jobs.clear();
    const [first] = jobs;
    // What has not crossed has not run; but someone has to say that no thread can start.
    if (wasBooting || first !== this.#unsent[0]) first?.failed(error, undefined);
    this.#unsent = [];
    for (const job of jobs.reverse()) job.giveBack();
    this.#pool.relieved();
  }

  #received(message: readonly unknown[]): void {
    // The thread's script is the user's, and may post arrays of its own.
    if (message[0] !== MARK || this.#state === 'dead') return;
    // What has the mark is the library's own.
    const answer = message as ThreadMessage;
    if (answer[1] === 'ready') {
      this.#ready();
      return;
    }
    if (answer[1] === 'closed') {
      this.die('it closed itself');
      return;
    }
    // What was written before it was posted, and what is behind it.
    this.#readResults();
    if (answer[1] === 'written') return;
    const job = this.#find(answer[2]);
    if (job === undefined) return;
    this.#answered(job, answer);
    this.#readResults();
  }

  /** Up to the first job whose answer has yet to come by a message: none ends before those that were added before it. */
  #readResults(): void {
    let hasRead = false;
    this.#results?.read(
      (call, result, durationMs) => {
        const job = this.#find(call);
        if (job === undefined) return;
        hasRead = true;
        this.#jobs.remove(job);
        this.#ended(durationMs);
        job.done(result, durationMs);
      },
      (call) => call <= (this.#jobs.peek()?.call ?? call),
    );
    if (hasRead) this.#advanced();
  }

  #find(call: number): Job | undefined {
    const first = this.#jobs.peek();
    return first?.call === call ? first : [...this.#jobs].find((job) => job.call === call);
  }

  #ready(): void {
    if (this.#state !== 'booting') return;
    this.#state = 'ready';
    this.#cancelBootTimer();
    this.#pool.booted();
    // If it cannot be sent after all, the thread posts each result.
    if (this.#results !== undefined) this.#remote.share(this.#results.buffer).catch(() => {});
    this.#flush();
  }

  #answered(job: Job, answer: Answer): void {
    if (answer[1] === 'progress') {
      job.progressed(answer[3]);
      return;
    }
    this.#jobs.remove(job);
    if (answer[1] === 'dropped') {
      job.giveBack();
    } else {
      this.#ended(answer[4]);
      if (answer[1] === 'done') job.done(answer[3], answer[4]);
      else
        job.failed(answer[1] === 'rejected' ? new TaskRejectedError(answer[3]) : new RemoteError(answer[3]), answer[4]);
    }
    this.#advanced();
  }

  #ended(durationMs: number): void {
    this.#isStalled = false;
    this.#pool.ran(durationMs);
  }

  /** It has fewer jobs than before. */
  #advanced(): void {
    this.#startFirst();
    this.#pool.relieved();
    this.#flushWhenDue();
  }

  /** Takes a job out that has not crossed. Returns whether it had not. */
  takeBack(job: Job): boolean {
    const index = this.#unsent.indexOf(job);
    if (index < 0) return false;
    this.#unsent.splice(index, 1);
    this.#jobs.remove(job);
    this.#pool.clock.soon(() => this.#pool.relieved());
    return true;
  }

  /** Sends no few while the thread has more: to cross costs more than a short task. */
  #flushWhenDue(): void {
    if (this.#isFlushing || this.#unsent.length * 2 < this.#jobs.size) return;
    this.#isFlushing = true;
    this.#pool.clock.soon(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    if (this.#state !== 'ready' || this.#unsent.length === 0) return;
    const jobs = this.#unsent;
    this.#unsent = [];
    this.#send(jobs);
    this.#startFirst();
  }

  #send(jobs: readonly Job[]): void {
    const calls = jobs.map(({ call, attempt }): Call => [call, attempt.task, attempt.key, attempt.attempt]);
    // Nothing has crossed if it throws, which is for a task that cannot be cloned.
    this.#remote.run(calls).catch((error: unknown) => this.#unsendable(jobs, error));
  }

  /** One of them cannot cross: tells which by sending each for itself. They come behind what was sent meanwhile. */
  #unsendable(jobs: readonly Job[], error: unknown): void {
    if (this.#state !== 'ready') return;
    for (const job of jobs) this.#jobs.remove(job);
    for (const job of jobs) {
      if (jobs.length === 1) {
        job.failed(error, 0);
      } else if (!job.isOver) {
        this.#jobs.push(job);
        this.#send([job]);
      }
    }
    this.#startFirst();
    this.#pool.relieved();
  }

  #startFirst(): void {
    const first = this.#jobs.peek();
    // In a thread that boots, it runs as soon as it can.
    if (first !== undefined && (this.#state === 'booting' || first !== this.#unsent[0])) first.started();
  }
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
