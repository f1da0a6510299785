// Runs attempts through the handler: in order of arrival, so many at once, each until it ends or is given up.
import { isTaskdistError, rejectionReason, TaskdistError } from '../errors.ts';
import { AttemptContext, type TaskHandler } from '../handler.ts';
import type { Clock } from '../ports.ts';
import { isPromiseLike } from '../promise-like.ts';
import { Queue } from '../queue.ts';
import { type Alarm, TimerQueue } from '../timer-queue.ts';

/** How an attempt ended, as the worker sees it. `released`: given back without a result. */
export type AttemptResult<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'released' };

/** One attempt to run. */
export interface Attempt<T, R> {
  readonly key: string;
  readonly attempt: number;
  readonly task: T;
  /** It begins to run. */
  started(): void;
  /** The handler tells how far it is. @throws TaskdistError if that cannot be sent */
  progressed(value: unknown): void;
  /** It is over: called exactly once, started or not. */
  ended(result: AttemptResult<R>, durationMs: number): void;
}

type RunState = 'waiting' | 'running' | 'cancelled' | 'ended';

/** An attempt on its way through the executor. */
class Run<T, R> {
  state: RunState = 'waiting';
  startedAtMs = 0;
  /** Rings when it is to be given up; there once it is cancelled. */
  giveUp: Alarm | undefined = undefined;
  isLeftOver = false;
  readonly attempt: Attempt<T, R>;
  readonly context: AttemptContext;

  constructor(attempt: Attempt<T, R>) {
    this.attempt = attempt;
    this.context = new AttemptContext(attempt.key, attempt.attempt, (value) => attempt.progressed(value));
  }
}

/** What can be done about an attempt that was added. */
export interface AddedAttempt {
  /** Calls it off: it is aborted if it runs, and just left out if it does not. */
  cancel(reason: unknown): void;
  /** Gives it back, unless it has started. */
  recall(): void;
  /** As `cancel`, as its connection is over: whatever slot it occupies is none to offer on the next one. */
  leaveOver(reason: unknown): void;
}

/** What an executor tells. */
export interface ExecutorListener {
  /** The handler can run nothing any more; told instead of failing task after task. */
  broken(error: TaskdistError): void;
  /** There is one slot more to offer: that of an attempt whose connection was over. */
  slotFreed(): void;
}

/** A turn of the event loop is given back after this long, so that results and heartbeats get through in between. */
const TURN_MS = 4;

/** Runs attempts. It outlives connections: a slot is taken until its handler is really through, or given up. */
export class Executor<T, R> {
  #concurrency: number;
  readonly #handler: TaskHandler<T, R>;
  readonly #clock: Clock;
  readonly #timers: TimerQueue;
  readonly #graceMs: number;
  readonly #listener: ExecutorListener;
  readonly #waiting = new Queue<Run<T, R>>();
  readonly #running = new Set<Run<T, R>>();
  /** How many of those that run are left over of connections that are gone. */
  #leftOver = 0;
  #turnStartedAtMs: number | undefined = undefined;
  /** When the turn began that is just over, if it took longer than it should: what came in meanwhile is read now. */
  #longTurnSinceMs: number | undefined = undefined;
  #isYielding = false;
  #isPumping = false;
  #onIdle: (() => void)[] = [];

  constructor(
    handler: TaskHandler<T, R>,
    clock: Clock,
    concurrency: number,
    graceMs: number,
    listener: ExecutorListener,
  ) {
    this.#handler = handler;
    this.#clock = clock;
    this.#timers = new TimerQueue(clock);
    this.#concurrency = concurrency;
    this.#graceMs = graceMs;
    this.#listener = listener;
  }

  /** Queues an attempt; it may start at once. */
  add(attempt: Attempt<T, R>): AddedAttempt {
    const run = new Run(attempt);
    this.#waiting.push(run);
    this.#pump();
    return {
      cancel: (reason) => this.#cancel(run, reason),
      recall: () => this.#recall(run),
      leaveOver: (reason) => this.#leaveOver(run, reason),
    };
  }

  /**
   * For how long what is read now may have lain unread, as a handler held the thread, in milliseconds beyond the time of
   * a usual turn. Of a handler that computes after an `await` nothing is known.
   */
  get heldMs(): number {
    const sinceMs = this.#longTurnSinceMs ?? this.#turnStartedAtMs;
    return sinceMs === undefined ? 0 : Math.max(0, this.#clock.now() - sinceMs - TURN_MS);
  }

  /** How many slots attempts occupy whose connections are over. */
  get leftOver(): number {
    return this.#leftOver;
  }

  /** Changes how many run at once. Those that run already go on. */
  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#pump();
  }

  /** Gives back all that has not started. */
  releaseWaiting(): void {
    for (const run of this.#waiting.clear()) this.#end(run, { kind: 'released' });
  }

  /** Aborts all, and resolves when nothing runs any more, or was given up after the grace. */
  async abortAll(reason: unknown): Promise<void> {
    this.releaseWaiting();
    for (const run of [...this.#running]) this.#cancel(run, reason);
    await this.idle();
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #pump(): void {
    // A handler that answers at once ends its run within `#start`: the loop below goes on with the next, not a deeper one.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#running.size < this.#concurrency && this.#waiting.size > 0) {
        if (this.#isYielding || this.#mustYield()) break;
        const run = this.#waiting.shift();
        if (run !== undefined) this.#start(run);
      }
    } finally {
      this.#isPumping = false;
    }
  }

  /** Whether this turn has lasted long enough; then goes on in the next. */
  #mustYield(): boolean {
    const nowMs = this.#clock.now();
    if (this.#turnStartedAtMs === undefined) {
      this.#turnStartedAtMs = nowMs;
      this.#clock.soon(() => this.#endTurn(nowMs));
      return false;
    }
    this.#isYielding = nowMs - this.#turnStartedAtMs >= TURN_MS;
    return this.#isYielding;
  }

  /**
   * The next turn starts no sooner than one after this: by then is sent what this one has finished, which was queued
   * behind this call, and read what has come in.
   */
  #endTurn(startedAtMs: number): void {
    this.#turnStartedAtMs = undefined;
    this.#isYielding = true;
    const isLong = this.#clock.now() - startedAtMs > TURN_MS;
    this.#longTurnSinceMs = isLong ? startedAtMs : undefined;
    this.#clock.soon(() => {
      this.#longTurnSinceMs = undefined;
      this.#isYielding = false;
      this.#pump();
    });
  }

  #start(run: Run<T, R>): void {
    run.state = 'running';
    run.startedAtMs = this.#clock.now();
    this.#running.add(run);
    run.attempt.started();
    if (run.state !== 'running') {
      // A listener has called it off: there is nothing to wait for.
      this.#end(run, { kind: 'released' });
      return;
    }
    try {
      const result = this.#handler.doTask(run.attempt.task, run.context);
      if (!isPromiseLike(result)) {
        this.#end(run, { kind: 'done', result });
        return;
      }
      // Whatever it is that can be awaited: settled once, and to the end of the chain.
      Promise.resolve(result).then(
        (value) => this.#end(run, { kind: 'done', result: value }),
        (error: unknown) => this.#end(run, this.#judge(error)),
      );
    } catch (error) {
      this.#end(run, this.#judge(error));
    }
  }

  #judge(error: unknown): AttemptResult<R> {
    if (isTaskdistError(error, 'TASKDIST_TASK_REJECTED')) {
      return { kind: 'rejected', reason: rejectionReason(error) };
    }
    if (isTaskdistError(error, 'TASKDIST_SANDBOX_BROKEN')) {
      this.#listener.broken(error);
      return { kind: 'released' };
    }
    return { kind: 'failed', error };
  }

  #recall(run: Run<T, R>): void {
    if (run.state !== 'waiting') return;
    this.#waiting.remove(run);
    this.#end(run, { kind: 'released' });
  }

  #cancel(run: Run<T, R>, reason: unknown): void {
    if (run.state === 'waiting') {
      this.#recall(run);
    } else if (run.state === 'running') {
      run.state = 'cancelled';
      run.giveUp = this.#timers.createAlarm(() => this.#end(run, { kind: 'released' }));
      run.giveUp.setBy(this.#clock.now() + this.#graceMs);
      run.context.abort(reason);
    }
  }

  #leaveOver(run: Run<T, R>, reason: unknown): void {
    if (run.state === 'running' || run.state === 'cancelled') {
      run.isLeftOver = true;
      this.#leftOver += 1;
    }
    this.#cancel(run, reason);
  }

  #end(run: Run<T, R>, result: AttemptResult<R>): void {
    if (run.state === 'ended') return;
    const wasCancelled = run.state === 'cancelled';
    const durationMs = run.state === 'waiting' ? 0 : this.#clock.now() - run.startedAtMs;
    run.state = 'ended';
    run.giveUp?.cancel();
    run.context.end();
    this.#running.delete(run);
    // Whatever a cancelled attempt came to, nobody wants it any more.
    run.attempt.ended(wasCancelled ? { kind: 'released' } : result, durationMs);
    if (run.isLeftOver) {
      this.#leftOver -= 1;
      this.#listener.slotFreed();
    }
    if (this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    this.#pump();
  }
}

/** Why an attempt is aborted, for its signal. */
export function abortError(message: string, cause?: unknown): TaskdistError {
  return new TaskdistError('TASKDIST_TASK_ABORTED', message, cause === undefined ? undefined : { cause });
}
