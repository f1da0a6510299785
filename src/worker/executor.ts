// Runs attempts through the handler: in order of arrival, so many at once, each until it ends or is given up.
import { type Ahead, type AheadHandler, ahead } from '../ahead.ts';
import { Bag } from '../bag.ts';
import type { TaskdistError } from '../errors.ts';
import type { TaskHandler } from '../handler.ts';
import type { Clock } from '../ports.ts';
import { Queue } from '../queue.ts';
import { TimerQueue } from '../timer-queue.ts';
import { type AddedAttempt, type Attempt, Run, type RunHost } from './run.ts';

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
export class Executor<T, R> implements RunHost<T, R> {
  #concurrency: number;
  readonly #handler: TaskHandler<T, R>;
  /** There if the handler takes attempts before they can start. */
  readonly #ahead: Ahead | undefined;
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly graceMs: number;
  readonly #listener: ExecutorListener;
  readonly #waiting = new Queue<Run<T, R>>();
  /** Those that run, and those that were handed over to do so. */
  readonly #active = new Bag<Run<T, R>>();
  #added = 0;
  #turnStartedAtMs: number | undefined = undefined;
  /** When the turn began that is just over, if it took longer than it should: what came in meanwhile is read now. */
  #longTurnSinceMs: number | undefined = undefined;
  #isYielding = false;
  #isPumping = false;
  #isHeld = false;
  /** The handler is giving runs back, of which the oldest comes last. */
  #isReturning = false;
  #onIdle: (() => void)[] = [];

  constructor(
    handler: TaskHandler<T, R>,
    clock: Clock,
    concurrency: number,
    graceMs: number,
    listener: ExecutorListener,
  ) {
    this.#handler = handler;
    this.#ahead = takesAhead(handler) ? handler[ahead] : undefined;
    this.clock = clock;
    this.#concurrency = concurrency;
    this.#listener = listener;
    this.timers = new TimerQueue(clock);
    this.graceMs = graceMs;
  }

  /** Queues an attempt; it may start at once. */
  add(attempt: Attempt<T, R>): AddedAttempt {
    this.#added += 1;
    const run = new Run(attempt, this.#added, this);
    this.#waiting.push(run);
    this.#pump();
    return run;
  }

  /**
   * For how long what is read now may have lain unread, as a handler held the thread, in milliseconds beyond the time of
   * a usual turn. Of a handler that computes after an `await` nothing is known.
   */
  get heldMs(): number {
    const sinceMs = this.#longTurnSinceMs ?? this.#turnStartedAtMs;
    return sinceMs === undefined ? 0 : Math.max(0, this.clock.now() - sinceMs - TURN_MS);
  }

  /** How many slots attempts occupy whose connections are over. */
  get leftOver(): number {
    let leftOver = 0;
    for (const run of this.#active) if (run.isLeftOver) leftOver += 1;
    return leftOver;
  }

  /** Changes how many run at once. Those that run already go on. */
  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#pump();
  }

  /** Starts nothing until {@link resume}, e.g. while results pile up that nobody reads. What has started goes on. */
  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    this.#pump();
  }

  /**
   * Gives back all that has not started: what waits here at once, what was handed over as soon as that is certain. But the oldest
   * `slots` are about to start, as soon as a thread is there for them: those stay.
   */
  releaseWaiting(slots = 0): void {
    for (const run of this.#waiting.clear()) run.release();
    if (this.#ahead === undefined) return;
    for (const run of this.#activeByAge().slice(slots).reverse()) run.recall();
  }

  /** Aborts all, and resolves when nothing runs any more, or was given up after the grace. */
  async abortAll(reason: unknown): Promise<void> {
    for (const run of this.#waiting.clear()) run.release();
    for (const run of this.#activeByAge().reverse()) run.cancel(reason);
    await this.idle();
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    if (this.#active.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** For its runs: the handler that it was handed to has given it back. */
  returned(run: Run<T, R>): void {
    this.#active.delete(run);
    this.#pumpWhenReturned();
    // The master takes the oldest for those that run: one that a younger has overtaken, or is about to, must not seem to.
    for (const { state, sequence } of this.#active) {
      if (state !== 'cancelled' && sequence > run.sequence) {
        run.release();
        return;
      }
    }
    this.#waiting.unshift(run);
  }

  /** For its runs: it is over, and about to tell. */
  ending(run: Run<T, R>, wasWaiting: boolean): void {
    if (wasWaiting) this.#waiting.remove(run);
    else this.#active.delete(run);
  }

  /** For its runs: it has told. */
  ended(run: Run<T, R>, durationMs: number): void {
    if (run.isLeftOver) this.#listener.slotFreed();
    if (this.#active.size === 0 && this.#onIdle.length > 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    if (durationMs >= TURN_MS && !this.#isYielding) {
      // The next may take as long: what came of this one goes first. A turn that is on comes to its end by itself.
      if (this.#turnStartedAtMs === undefined) this.#pause();
      this.#isYielding = true;
    }
    this.#pump();
  }

  /** For its runs: the handler can run nothing any more. */
  broken(error: TaskdistError): void {
    this.#listener.broken(error);
  }

  #pump(): void {
    // A handler that answers at once ends its run within `begin`: the loop below goes on with the next, not a deeper one.
    if (this.#isPumping || this.#isReturning) return;
    this.#isPumping = true;
    try {
      while (this.#waiting.size > 0 && !this.#isHeld && this.#active.size < this.#capacity()) {
        const nowMs = this.clock.now();
        if (this.#ahead === undefined && (this.#isYielding || this.#mustYield(nowMs))) return;
        const run = this.#waiting.shift();
        if (run === undefined) return;
        this.#active.add(run);
        if (this.#ahead === undefined) run.begin(this.#handler, nowMs);
        else run.handTo(this.#ahead, this.#concurrency);
      }
    } finally {
      this.#isPumping = false;
    }
  }

  #pumpWhenReturned(): void {
    if (this.#isReturning) return;
    this.#isReturning = true;
    this.clock.soon(() => {
      this.#isReturning = false;
      this.#pump();
    });
  }

  #activeByAge(): Run<T, R>[] {
    return [...this.#active].sort((a, b) => a.sequence - b.sequence);
  }

  #capacity(): number {
    return this.#ahead === undefined ? this.#concurrency : this.#ahead.capacity(this.#concurrency);
  }

  /** Whether this turn has lasted long enough; then goes on in the next. */
  #mustYield(nowMs: number): boolean {
    if (this.#turnStartedAtMs === undefined) {
      this.#turnStartedAtMs = nowMs;
      this.clock.soon(() => this.#endTurn(nowMs));
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
    if (this.clock.now() - startedAtMs > TURN_MS) this.#longTurnSinceMs = startedAtMs;
    this.#pause();
  }

  /** Starts nothing until the next turn. */
  #pause(): void {
    this.#isYielding = true;
    this.clock.soon(() => {
      this.#longTurnSinceMs = undefined;
      this.#isYielding = false;
      this.#pump();
    });
  }
}

function takesAhead<T, R>(handler: TaskHandler<T, R>): handler is AheadHandler<T, R> {
  return ahead in handler;
}
