// A `take` that is under way: what was asked for, and how it is called back.
import { callListener } from '../events.ts';
import type { TakeListener, TakeSignal } from '../scheduling/scheduler.ts';

/** Its own signal, as a master has one for each idle worker: an AbortController and what it brings take 1 kB. */
export class Take implements TakeSignal {
  /** How many tasks at most. */
  max: number;
  /** How many of them the worker could start at once. */
  idleSlots: number;
  aborted = false;
  /** The scheduler, and whoever else there may be. */
  #listener: TakeListener | undefined = undefined;
  #others: Set<TakeListener> | undefined = undefined;

  constructor(max: number, idleSlots: number) {
    this.max = max;
    this.idleSlots = idleSlots;
  }

  addEventListener(_type: 'abort', listener: TakeListener): void {
    // As with an AbortSignal: each is called once, and none that comes too late.
    if (this.aborted || listener === this.#listener || this.#others?.has(listener)) return;
    if (this.#listener === undefined) {
      this.#listener = listener;
      return;
    }
    this.#others ??= new Set();
    this.#others.add(listener);
  }

  removeEventListener(_type: 'abort', listener: TakeListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others?.delete(listener);
  }

  /** Calls it back. */
  abort(): void {
    this.aborted = true;
    const listeners = [this.#listener, ...(this.#others ?? [])];
    this.#listener = undefined;
    this.#others = undefined;
    for (const listener of listeners) {
      if (listener !== undefined) callListener(() => tell(listener));
    }
  }
}

function tell(listener: TakeListener): void {
  if (typeof listener === 'function') listener();
  else listener.handleEvent();
}
