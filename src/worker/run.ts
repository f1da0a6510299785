// One attempt on its way through the executor: waiting, handed over or running, called off, ended.
import type { Ahead, Handed, HandedAttempt } from '../ahead.ts';
import type { BagItem } from '../bag.ts';
import { isTaskdistError, rejectionReason, TaskdistError } from '../errors.ts';
import { AttemptContext, type TaskHandler } from '../handler.ts';
import type { Clock } from '../ports.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';

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

/** What can be done about an attempt that was added. */
export interface AddedAttempt {
  /** Calls it off: it is aborted if it runs, and just left out if it does not. */
  cancel(reason: unknown): void;
  /** Gives it back, unless it has started. */
  recall(): void;
  /** As `cancel`, as its connection is over: whatever slot it occupies is none to offer on the next one. */
  leaveOver(reason: unknown): void;
}

/** What a run needs of its executor. */
export interface RunHost<T, R> {
  readonly clock: Clock;
  readonly timers: TimerQueue;
  /** How long a run that was called off may take to end. */
  readonly graceMs: number;
  /** The handler that it was handed to has given it back. */
  returned(run: Run<T, R>): void;
  /** It is over, and about to tell. */
  ending(run: Run<T, R>, wasWaiting: boolean): void;
  /** It has told. */
  ended(run: Run<T, R>, durationMs: number): void;
  /** The handler can run nothing any more. */
  broken(error: TaskdistError): void;
}

/** `handed`: the handler has it, and has not begun. */
type RunState = 'waiting' | 'handed' | 'running' | 'cancelled' | 'ended';

/** An attempt, and where it stands. */
export class Run<T, R> implements AddedAttempt, HandedAttempt, BagItem {
  /** Its place among those that are active. */
  slot = -1;
  /** By age. */
  readonly sequence: number;
  state: RunState = 'waiting';
  /** Its connection is over, and it occupies a slot that is none to offer. */
  isLeftOver = false;
  readonly #attempt: Attempt<T, R>;
  readonly #host: RunHost<T, R>;
  #startedAtMs: number | undefined = undefined;
  /** Rings when it is to be given up; there once it is cancelled. */
  #giveUp: Alarm | undefined = undefined;
  /** If the handler returns it, it goes back to the master. */
  #isRecalled = false;
  /** There if it runs here. */
  #context: AttemptContext | undefined = undefined;
  /** There if it was handed over. */
  #handed: Handed | undefined = undefined;
  /** Why it was called off. */
  #cancelled: unknown = undefined;

  constructor(attempt: Attempt<T, R>, sequence: number, host: RunHost<T, R>) {
    this.#attempt = attempt;
    this.sequence = sequence;
    this.#host = host;
  }

  get key(): string {
    return this.#attempt.key;
  }

  get attempt(): number {
    return this.#attempt.attempt;
  }

  get task(): T {
    return this.#attempt.task;
  }

  /** Runs it here and now. */
  begin(handler: TaskHandler<T, R>, nowMs: number): void {
    this.#start(nowMs);
    if (this.state !== 'running') {
      // A listener has called it off: there is nothing to wait for.
      this.release();
      return;
    }
    this.#context = new AttemptContext(this.key, this.attempt, this);
    try {
      const result = handler.doTask(this.task, this.#context);
      if (!isPromiseLike(result)) {
        this.#end({ kind: 'done', result });
        return;
      }
      // Whatever it is that can be awaited: settled once, and to the end of the chain.
      Promise.resolve(result).then(
        (value) => this.#end({ kind: 'done', result: value }),
        (error: unknown) => this.#end(this.#judge(error)),
      );
    } catch (error) {
      this.#end(this.#judge(error));
    }
  }

  /** Leaves it to the handler when it begins. */
  handTo(ahead: Ahead, concurrency: number): void {
    this.state = 'handed';
    this.#accepted(ahead.hand(this, concurrency));
  }

  #accepted(handed: Handed): void {
    this.#handed = handed;
    // It may have started already, and a listener have called it off.
    if (this.state === 'cancelled') handed.abort(this.#cancelled);
  }

  started(): void {
    // Nobody wants to hear of what was called off before.
    if (this.state === 'handed') this.#start(this.#host.clock.now());
  }

  progressed(value: unknown): void {
    if (this.state === 'running') this.#attempt.progressed(value);
  }

  done(result: unknown, durationMs: number): void {
    // The handler's type promises it.
    this.#end({ kind: 'done', result: result as R }, durationMs);
  }

  failed(error: unknown, durationMs: number | undefined): void {
    this.#end(this.#judge(error), durationMs);
  }

  returned(): void {
    if (this.state !== 'handed' || this.#isRecalled) {
      this.release();
      return;
    }
    this.state = 'waiting';
    this.#handed = undefined;
    this.#host.returned(this);
  }

  cancel(reason: unknown): void {
    if (this.state === 'waiting') {
      this.release();
    } else if (this.state === 'handed' || this.state === 'running') {
      this.state = 'cancelled';
      this.#cancelled = reason;
      const { timers, clock, graceMs } = this.#host;
      this.#giveUp = timers.createAlarm(() => this.release());
      this.#giveUp.setBy(clock.now() + graceMs);
      this.#context?.abort(reason);
      this.#handed?.abort(reason);
    }
  }

  recall(): void {
    if (this.state === 'waiting') {
      this.release();
    } else if (this.state === 'handed') {
      this.#isRecalled = true;
      this.#handed?.withdraw();
    }
  }

  leaveOver(reason: unknown): void {
    this.isLeftOver = this.#startedAtMs !== undefined && this.state !== 'ended';
    this.cancel(reason);
  }

  /** Ends it without a result. */
  release(): void {
    this.#end({ kind: 'released' });
  }

  #start(nowMs: number): void {
    this.state = 'running';
    this.#startedAtMs = nowMs;
    this.#attempt.started();
  }

  #judge(error: unknown): AttemptResult<R> {
    if (isTaskdistError(error, 'TASKDIST_TASK_REJECTED')) {
      return { kind: 'rejected', reason: rejectionReason(error) };
    }
    if (isTaskdistError(error, 'TASKDIST_SANDBOX_BROKEN')) {
      this.#host.broken(error);
      return { kind: 'released' };
    }
    return { kind: 'failed', error };
  }

  #end(result: AttemptResult<R>, durationMs = this.#ageMs()): void {
    if (this.state === 'ended') return;
    const before = this.state;
    this.state = 'ended';
    this.#giveUp?.cancel();
    this.#context?.end();
    this.#host.ending(this, before === 'waiting');
    // Whatever a cancelled attempt came to, nobody wants it any more.
    this.#attempt.ended(before === 'cancelled' ? { kind: 'released' } : result, durationMs);
    this.#host.ended(this, durationMs);
  }

  #ageMs(): number {
    return this.#startedAtMs === undefined ? 0 : this.#host.clock.now() - this.#startedAtMs;
  }
}

/** Why an attempt is aborted, for its signal. */
export function abortError(message: string, cause?: unknown): TaskdistError {
  return new TaskdistError('TASKDIST_TASK_ABORTED', message, cause === undefined ? undefined : { cause });
}
