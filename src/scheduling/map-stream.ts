// The stream of a map: puts tasks as there is room for them, and hands over their results.
import { isTaskdistError } from '../errors.ts';
import { Queue } from '../queue.ts';
import type { InputSource } from './map-inputs.ts';

/** A task of a map, and its result. */
export interface MapResult<T, R> {
  readonly status: 'done';
  /** The place of the task among the inputs, counted from 0. */
  readonly index: number;
  readonly task: T;
  readonly result: R;
}

/** A task of a map that failed. Only with `failures: 'yield'`. */
export interface MapFailure<T> {
  readonly status: 'failed';
  /** The place of the task among the inputs, counted from 0. */
  readonly index: number;
  readonly task: T;
  /** What `put` rejected with: a {@link DeadLetterError}, mostly. */
  readonly error: unknown;
}

/** How a {@link MapStream} behaves; the options of a map, complete. */
export interface MapStreamOptions {
  readonly ordered: boolean;
  readonly window: number;
  readonly failures: 'throw' | 'yield';
  readonly signal: AbortSignal | undefined;
}

type Outcome<T, R> = MapResult<T, R> | MapFailure<T>;

type Step<T, R> = IteratorResult<Outcome<T, R>, undefined>;

/** A place in the line of what is to be handed over. */
interface Place<T, R> {
  /** Undefined as long as the task is not settled. */
  outcome: Outcome<T, R> | undefined;
}

type State =
  /** Nobody has asked for anything yet. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' }
  /** Over by an error that nobody has been told yet; they are when `released` resolves, which never rejects. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly released: Promise<void> }
  | { readonly kind: 'ended' };

const ENDED: State = Object.freeze({ kind: 'ended' });

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** Runs from the first `next()`, until the inputs are at their end, something fails, or nobody wants any more. */
export class MapStream<T, R> implements AsyncIterableIterator<Outcome<T, R>, undefined, undefined> {
  readonly #put: (task: T) => Promise<R>;
  readonly #cancel: (reason?: unknown) => void;
  readonly #source: InputSource<T>;
  readonly #options: MapStreamOptions;
  /** What is to be handed over, in its order: a task has its place when it is put if ordered, else when it is settled. */
  readonly #line = new Queue<Place<T, R>>();
  /** The `next()`s without an answer, the oldest first. */
  readonly #waiting = new Queue<(step: Step<T, R> | Promise<Step<T, R>>) => void>();
  #state: State = { kind: 'idle' };
  #nextIndex = 0;
  /** How many inputs are between being asked for and being handed over; never more than the window. */
  #open = 0;
  /** A generator that waits for something is closed only when that has come: nobody waits for it then. */
  #isPulling = false;
  /** The inputs are at their end, or a failure is known and will end the stream. */
  #isIntakeOver = false;

  /** `put` must reject every unsettled task when `cancel` is called. */
  constructor(
    put: (task: T) => Promise<R>,
    cancel: (reason?: unknown) => void,
    source: InputSource<T>,
    options: MapStreamOptions,
  ) {
    this.#put = put;
    this.#cancel = cancel;
    this.#source = source;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Resolves to the next result, and to the end for ever after. */
  next(): Promise<Step<T, R>> {
    if (this.#state.kind === 'idle') this.#start();
    const state = this.#state;
    if (state.kind === 'running') {
      return new Promise((resolve) => {
        this.#waiting.push(resolve);
        this.#advance();
      });
    }
    this.#state = ENDED;
    if (state.kind !== 'failed') return Promise.resolve(DONE);
    return state.released.then(() => {
      throw state.error;
    });
  }

  /** Ends the stream: cancels what is outstanding, closes the inputs, and waits for them unless they are busy. */
  async return(): Promise<Step<T, R>> {
    const state = this.#state;
    const isInputBusy = this.#isPulling;
    this.#end();
    if (state.kind === 'failed') await state.released;
    if (state.kind !== 'running' && state.kind !== 'idle') return DONE;
    const released = this.#release();
    if (isInputBusy) released.catch(() => {});
    else await released;
    return DONE;
  }

  #start(): void {
    this.#state = { kind: 'running' };
    const { signal } = this.#options;
    if (signal?.aborted) this.#fail(signal.reason);
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  /** Hands over what can be, for as long as somebody waits for it, and fills the room that this makes. */
  #advance(): void {
    for (;;) {
      const outcome = this.#line.peek()?.outcome;
      if (outcome === undefined) break;
      if (this.#isFatal(outcome)) {
        this.#fail(outcome.error);
        return;
      }
      const resolve = this.#waiting.shift();
      if (resolve === undefined) break;
      this.#line.shift();
      this.#open -= 1;
      resolve({ done: false, value: outcome });
    }
    if (this.#mayPull() && !this.#isPulling) void this.#pull();
    this.#endIfThrough();
  }

  #mayPull(): boolean {
    return this.#state.kind === 'running' && !this.#isIntakeOver && this.#open < this.#options.window;
  }

  async #pull(): Promise<void> {
    this.#isPulling = true;
    try {
      while (this.#mayPull()) {
        this.#open += 1;
        const pulled = this.#source.pull();
        // Not awaited where it need not be: a sync input fills the window at once.
        const step = pulled instanceof Promise ? await pulled : pulled;
        if (this.#state.kind !== 'running' || this.#isIntakeOver) break;
        if (step.done) {
          this.#open -= 1;
          this.#isIntakeOver = true;
        } else {
          this.#putNext(step.value);
        }
      }
    } catch (error) {
      // A failure that is known goes before it: its turn comes.
      if (!this.#isIntakeOver) this.#fail(error);
    }
    this.#isPulling = false;
    this.#endIfThrough();
  }

  #putNext(task: T): void {
    const place: Place<T, R> = { outcome: undefined };
    const index = this.#nextIndex;
    this.#nextIndex += 1;
    if (this.#options.ordered) this.#line.push(place);
    this.#put(task).then(
      (result) => this.#settle(place, { status: 'done', index, task, result }),
      (error: unknown) => this.#settle(place, { status: 'failed', index, task, error }),
    );
  }

  #settle(place: Place<T, R>, outcome: Outcome<T, R>): void {
    if (this.#state.kind !== 'running') return;
    place.outcome = outcome;
    if (!this.#options.ordered) this.#line.push(place);
    // Whatever came after it would not be handed over.
    if (this.#isFatal(outcome)) this.#isIntakeOver = true;
    this.#advance();
  }

  #isFatal(outcome: Outcome<T, R>): outcome is MapFailure<T> {
    if (outcome.status !== 'failed') return false;
    // Once the master has stopped, all that is put fails: a stream of failures as long as the inputs.
    return this.#options.failures === 'throw' || isTaskdistError(outcome.error, 'TASKDIST_STOPPED');
  }

  #fail(error: unknown): void {
    if (this.#state.kind !== 'running') return;
    const isInputBusy = this.#isPulling;
    this.#state = ENDED;
    // The error goes before what the inputs throw when they are closed.
    const closed = this.#release(error).catch(() => {});
    this.#state = { kind: 'failed', error, released: isInputBusy ? Promise.resolve() : closed };
    this.#answerWaiting();
  }

  #endIfThrough(): void {
    if (this.#state.kind !== 'running' || !this.#isIntakeOver || this.#open > 0) return;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#end();
  }

  #end(): void {
    this.#state = ENDED;
    this.#answerWaiting();
  }

  /** The first is told of the failure, if there is one, and the others of the end. */
  #answerWaiting(): void {
    for (const resolve of this.#waiting.clear()) resolve(this.next());
  }

  /** Lets go of all that the stream holds. The state must say already that it is over: this calls others' code. */
  #release(reason?: unknown): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#line.clear();
    this.#cancel(reason);
    return this.#source.close();
  }
}
