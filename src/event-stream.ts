// A bounded stream of events: what is pushed at one end is taken at the other, and nobody waits for a slow taker.
import { Queue } from './queue.ts';

/** Stands in a stream for events that were dropped as nobody took them. */
export interface Dropped {
  readonly type: 'dropped';
  /** How many events are missing before the next one, an integer ≥ 1. */
  readonly count: number;
}

type Result<Event> = IteratorResult<Event | Dropped, undefined>;

const done = Object.freeze({ done: true, value: undefined } as const);

/** What {@link EventStream} is made with. */
interface EventStreamParts {
  /** How many events are held at most until they are taken. */
  readonly limit: number;
  /** Ends the stream at once, and quietly. */
  readonly signal: AbortSignal | undefined;
  /** Called once, when the stream takes no more events. */
  readonly onEnd: () => void;
}

/** Holds the latest events until they are taken, in order. Calls of `next` that come early wait in theirs. */
export class EventStream<Event extends object> implements AsyncIterableIterator<Event | Dropped, undefined> {
  readonly #parts: EventStreamParts;
  readonly #held = new Queue<Event>();
  readonly #waiting = new Queue<(result: Result<Event>) => void>();
  readonly #onAbort = (): void => this.#discard();
  /** How many events were dropped since one was last taken. */
  #dropped = 0;
  #isOpen = true;

  constructor(parts: EventStreamParts) {
    this.#parts = parts;
    parts.signal?.addEventListener('abort', this.#onAbort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: Event): void {
    if (!this.#isOpen) return;
    const take = this.#waiting.shift();
    if (take !== undefined) {
      take({ done: false, value: event });
      return;
    }
    this.#held.push(event);
    if (this.#held.size <= this.#parts.limit) return;
    this.#held.shift();
    this.#dropped += 1;
  }

  next(): Promise<Result<Event>> {
    // The listener is gone once the stream has ended, but what it holds may still be being taken.
    if (this.#parts.signal?.aborted) this.#discard();
    const value = this.#takeHeld();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (!this.#isOpen) return Promise.resolve(done);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<Result<Event>> {
    this.#discard();
    return Promise.resolve(done);
  }

  /** Takes no more events, and is done when those it holds are taken. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.signal?.removeEventListener('abort', this.#onAbort);
    this.#parts.onEnd();
    for (const take of this.#waiting.clear()) take(done);
  }

  /** Is done at once. */
  #discard(): void {
    this.end();
    this.#held.clear();
    this.#dropped = 0;
  }

  #takeHeld(): Event | Dropped | undefined {
    if (this.#dropped === 0) return this.#held.shift();
    const count = this.#dropped;
    this.#dropped = 0;
    return { type: 'dropped', count };
  }
}
