// A `put` whose tasks the test settles, and inputs that note what is asked of them.
import type { MappedPutOptions } from '../../src/scheduling/map.ts';

/** Notes every task put, until the test settles it; rejects what is outstanding when its signal aborts. */
export class ManualPut<T, R = T> {
  /** All tasks that were put, in order. */
  readonly tasks: T[] = [];
  /** What was asked for all of them. */
  options: MappedPutOptions | undefined = undefined;
  readonly #settlers: { resolve: (result: R) => void; reject: (error: unknown) => void }[] = [];

  readonly prepare = (options: MappedPutOptions): ((task: T) => Promise<R>) => {
    this.options = options;
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    return (task) =>
      new Promise((resolve, reject) => {
        this.tasks.push(task);
        this.#settlers.push({ resolve, reject });
      });
  };

  readonly #onAbort = (): void => {
    for (const { reject } of this.#settlers) reject(this.signal.reason);
  };

  /** What all puts have for a signal. */
  get signal(): AbortSignal {
    return this.options!.signal;
  }

  resolve(index: number, result: R): void {
    this.#settlers[index]!.resolve(result);
  }

  reject(index: number, error: unknown): void {
    this.#settlers[index]!.reject(error);
  }
}

/** 0, 1, 2, … up to `length`: counts how many were taken, and how often they were closed. */
export class CountedInputs implements Iterable<number> {
  readonly #length: number;
  pulled = 0;
  closed = 0;

  constructor(length = Number.POSITIVE_INFINITY) {
    this.#length = length;
  }

  [Symbol.iterator](): Iterator<number, undefined> {
    return {
      next: () => {
        if (this.pulled >= this.#length) return { done: true, value: undefined };
        this.pulled += 1;
        return { done: false, value: this.pulled - 1 };
      },
      return: () => {
        this.closed += 1;
        return { done: true, value: undefined };
      },
    };
  }
}

/** Inputs that the test hands in, one for each time that it is asked. */
export class ManualInputs<T> implements AsyncIterable<T> {
  readonly #asked: { resolve: (step: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void }[] = [];
  /** How often it was asked for an input. */
  pulled = 0;
  closed = 0;
  /** What is done when it is closed. */
  onClose: () => Promise<void> = async () => {};

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => {
        this.pulled += 1;
        return new Promise((resolve, reject) => this.#asked.push({ resolve, reject }));
      },
      return: async () => {
        this.closed += 1;
        await this.onClose();
        return { done: true, value: undefined };
      },
    };
  }

  /** How many pulls wait for an answer. */
  get asked(): number {
    return this.#asked.length;
  }

  give(value: T): void {
    this.#asked.shift()!.resolve({ done: false, value });
  }

  end(): void {
    this.#asked.shift()!.resolve({ done: true, value: undefined });
  }

  fail(error: unknown): void {
    this.#asked.shift()!.reject(error);
  }
}
