// A `take` that is under way: what was asked for, and how it is called back.
import { callListener } from '../events.ts';
import type { TakeListener, TakeSignal } from '../scheduling/scheduler.ts';

/** Not written to. */
const NOBODY: readonly TakeListener[] = [];

/** Its own signal, as a master has one for each idle worker: an AbortController and what it brings take 1 kB. */
export class Take implements TakeSignal {
  /** How many tasks at most. */
  max: number;
  /** How many of them the worker could start at once. */
  idleSlots: number;
  aborted = false;
  #listeners = NOBODY;

  constructor(max: number, idleSlots: number) {
    this.max = max;
    this.idleSlots = idleSlots;
  }

  addEventListener(_type: 'abort', listener: TakeListener): void {
    // As with an AbortSignal: each is called once, and none that comes too late.
    if (this.aborted || this.#listeners.includes(listener)) return;
    // Not spread, which leaves room for more.
    this.#listeners = this.#listeners.concat(listener);
  }

  removeEventListener(_type: 'abort', listener: TakeListener): void {
    const others = this.#listeners.filter((each) => each !== listener);
    this.#listeners = others.length === 0 ? NOBODY : others;
  }

  /** Calls it back. */
  abort(): void {
    this.aborted = true;
    const listeners = this.#listeners;
    this.#listeners = NOBODY;
    for (const listener of listeners) {
      callListener(() => (typeof listener === 'function' ? listener() : listener.handleEvent()));
    }
  }
}
