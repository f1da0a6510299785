// An attempt in the sandbox: waiting, in a thread, called off, over.
import type { Handed, HandedAttempt } from '../ahead.ts';
import { messageOf } from '../errors.ts';
import type { SandboxThread } from './sandbox-thread.ts';

/** What a job needs of its sandbox. */
export interface JobHost {
  /** Takes it out of those that wait for a thread; returns whether it was among them. */
  unqueue(job: Job): boolean;
  /** Calls back when a job that was called off has had its time; returns how to cancel that. */
  afterGrace(callback: () => void): () => void;
}

/** An attempt, and which thread has it. It ends once: `attempt` is told of that, and then of nothing more. */
export class Job implements Handed {
  readonly attempt: HandedAttempt;
  /** By age. */
  readonly sequence: number;
  /** How many threads may be busy for it to have one of its own. */
  readonly concurrency: number;
  /** Which runs it in its turn. */
  thread: SandboxThread | undefined = undefined;
  /** Its number there. */
  call = 0;
  isOver = false;
  readonly #host: JobHost;
  #isStarted = false;
  /** Why it was called off. */
  #abort: { readonly reason: unknown } | undefined = undefined;
  /** It ends with the above, whatever the thread makes of it. */
  #isFailed = false;
  /** There once it was called off. */
  #cancelGrace: (() => void) | undefined = undefined;

  constructor(attempt: HandedAttempt, sequence: number, concurrency: number, host: JobHost) {
    this.attempt = attempt;
    this.sequence = sequence;
    this.concurrency = concurrency;
    this.#host = host;
  }

  withdraw(): void {
    if (this.isOver || this.#isStarted) return;
    const { thread } = this;
    if (thread === undefined ? this.#host.unqueue(this) : thread.recall(this)) this.giveBack();
  }

  abort(reason: unknown): void {
    if (this.isOver || this.#abort !== undefined) return;
    this.#abort = { reason };
    // It may be the first of a thread that boots.
    if (this.#isStarted && this.thread?.takeBack(this) === true) this.giveBack();
    else if (this.#isStarted) this.#callOff();
    else this.withdraw();
  }

  /** It is at the head of its thread. */
  started(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    // Given back on its way: if the thread has begun it all the same, nobody waits for it, and it may never end.
    if (this.isOver) this.#abort ??= { reason: 'it had been given back' };
    // Called off on its way: the thread left it in, so it runs.
    if (this.#abort !== undefined) this.#callOff();
    if (!this.isOver) this.attempt.started();
  }

  progressed(value: unknown): void {
    if (this.isOver || this.#abort !== undefined) return;
    this.started();
    try {
      this.attempt.progressed(value);
    } catch (error) {
      // It left the thread, but cannot go on from here; the handler, which would have to know, is past it.
      this.#isFailed = true;
      this.abort(error);
    }
  }

  done(result: unknown, durationMs: number): void {
    if (this.#isFailed) this.failed(undefined, durationMs);
    else if (this.#finish(true)) this.attempt.done(result, durationMs);
  }

  failed(error: unknown, durationMs: number | undefined): void {
    if (this.#finish(true)) this.attempt.failed(this.#isFailed ? this.#abort?.reason : error, durationMs);
  }

  /** It has not started. */
  giveBack(): void {
    if (this.#finish(false)) this.attempt.returned();
  }

  #callOff(): void {
    const reason = this.#abort?.reason;
    const { thread } = this;
    const text = messageOf(reason);
    thread?.abort(this, text);
    this.#cancelGrace = this.#host.afterGrace(() => {
      const isStuck = thread?.runs(this) === true;
      this.failed(reason, undefined);
      if (isStuck) thread?.die(`the task was aborted: ${text}`);
    });
  }

  /** Returns whether it has not ended before. */
  #finish(hasRun: boolean): boolean {
    if (hasRun && !this.isOver) this.started();
    this.#cancelGrace?.();
    if (this.isOver) return false;
    this.isOver = true;
    return true;
  }
}
