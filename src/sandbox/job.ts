// An attempt in the sandbox: waiting, in a thread, called off, over.
import type { Handed, HandedAttempt } from '../ahead.ts';
import type { SandboxThread } from './sandbox-thread.ts';

/** What a job needs of its sandbox. */
export interface JobHost {
  /** It waits no longer. */
  unqueue(job: Job): void;
  /** Calls back when a job that was called off has had its time; returns how to cancel that. */
  afterGrace(callback: () => void): () => void;
}

/** An attempt, and which thread has it. It ends once: `attempt` is told of that, and then of nothing more. */
export class Job implements Handed {
  readonly attempt: HandedAttempt;
  /** How many threads may be busy for it to have one of its own. */
  readonly concurrency: number;
  /** Its number with its thread. */
  call = 0;
  readonly #host: JobHost;
  #thread: SandboxThread | undefined = undefined;
  #isStarted = false;
  #isOver = false;
  /** Why it was called off. */
  #abort: { readonly reason: unknown } | undefined = undefined;
  /** It ends with this, whatever the thread makes of it. */
  #failure: { readonly error: unknown } | undefined = undefined;
  #cancelGrace = (): void => {};

  constructor(attempt: HandedAttempt, concurrency: number, host: JobHost) {
    this.attempt = attempt;
    this.concurrency = concurrency;
    this.#host = host;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  withdraw(): void {
    if (this.#isOver || this.#isStarted) return;
    if (this.#thread === undefined) this.#host.unqueue(this);
    if (this.#thread?.withdraw(this) ?? true) this.giveBack();
  }

  abort(reason: unknown): void {
    if (this.#isOver || this.#abort !== undefined) return;
    this.#abort = { reason };
    if (this.#isStarted) this.#callOff();
    else if (this.#thread === undefined) this.withdraw();
    else if (this.#thread.abort(this, reason)) this.giveBack();
  }

  /** That thread runs it in its turn. */
  assignedTo(thread: SandboxThread): void {
    this.#thread = thread;
  }

  /** It is at the head of its thread. */
  started(): void {
    if (this.#isStarted || this.#isOver) return;
    this.#isStarted = true;
    // Called off on its way: the thread left it in, so it runs.
    if (this.#abort !== undefined) this.#callOff();
    this.attempt.started();
  }

  progressed(value: unknown): void {
    if (this.#isOver || this.#failure !== undefined) return;
    try {
      this.attempt.progressed(value);
    } catch (error) {
      // It left the thread, but cannot go on from here; the handler, which would have to know, is past it.
      this.#failure = { error };
      this.abort(error);
    }
  }

  done(result: unknown, durationMs: number): void {
    if (this.#failure !== undefined) this.failed(this.#failure.error, durationMs);
    else if (this.#finish()) this.attempt.done(result, durationMs);
  }

  failed(error: unknown, durationMs: number | undefined): void {
    if (this.#finish()) this.attempt.failed(this.#failure === undefined ? error : this.#failure.error, durationMs);
  }

  /** It has not started. */
  giveBack(): void {
    if (this.#finish()) this.attempt.returned();
  }

  #callOff(): void {
    if (this.#isOver || this.#abort === undefined) return;
    const { reason } = this.#abort;
    const thread = this.#thread;
    thread?.abort(this, reason);
    this.#cancelGrace();
    this.#cancelGrace = this.#host.afterGrace(() => {
      this.failed(reason, undefined);
      thread?.giveUp(reason);
    });
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#cancelGrace();
    return true;
  }
}
