// Where a map takes its tasks from: pulled when there is room for them, and closed at most once.
import { refuse } from '../options.ts';
import { isPromiseLike } from '../promise-like.ts';

/**
 * Tasks to come: an array, a generator, or anything else that can be iterated over, at once or in its own time. Promises
 * among them are awaited, as by `for await`.
 */
export type MapInputs<T> = Iterable<T | PromiseLike<T>> | AsyncIterable<T>;

type Opened<T> =
  | { readonly kind: 'sync'; readonly iterator: Iterator<T | PromiseLike<T>, unknown> }
  | { readonly kind: 'async'; readonly iterator: AsyncIterator<T, unknown> };

/** Refuses what cannot be iterated over. @throws InvalidOptionError */
export function expectInputs(name: string, inputs: unknown): void {
  if (!hasMethod(inputs, Symbol.iterator) && !hasMethod(inputs, Symbol.asyncIterator)) {
    refuse(name, 'an iterable or async iterable', inputs);
  }
}

/** An iterator over inputs. As in `for … of`, one that came to its end, or threw, is not closed. */
export class InputSource<T> {
  readonly #inputs: MapInputs<T>;
  #opened: Opened<T> | undefined = undefined;
  #state: 'open' | 'closed' = 'open';
  #isInNext = false;

  constructor(inputs: MapInputs<T>) {
    this.#inputs = inputs;
  }

  /** Asks for the next input; one at a time, and not after the last one. A sync input answers at once. */
  pull(): IteratorResult<T, unknown> | Promise<IteratorResult<T, unknown>> {
    try {
      this.#opened ??= open(this.#inputs);
      const { kind, iterator } = this.#opened;
      return kind === 'sync' ? this.#pullSync(iterator) : this.#pullAsync(iterator);
    } catch (error) {
      this.#state = 'closed';
      throw error;
    }
  }

  /** Tells the iterator that no more will be asked of it, and waits for it to clean up. Rejects with what that throws. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (this.#opened !== undefined && !this.#isInNext) await this.#opened.iterator.return?.();
  }

  #pullSync(
    iterator: Iterator<T | PromiseLike<T>, unknown>,
  ): IteratorResult<T, unknown> | Promise<IteratorResult<T, unknown>> {
    this.#isInNext = true;
    const step = iterator.next();
    this.#isInNext = false;
    if (step.done) {
      this.#state = 'closed';
      return step;
    }
    // Closed by its own code, e.g. as that aborted the signal: a generator that runs cannot be, so it is now.
    if (this.#state === 'closed') iterator.return?.();
    const { value } = step;
    return isPromiseLike(value) ? this.#settled(value) : { done: false, value };
  }

  async #settled(promise: PromiseLike<T>): Promise<IteratorResult<T, unknown>> {
    try {
      return { done: false, value: await promise };
    } catch (error) {
      // It goes before what the iterator throws when it is closed.
      await this.close().catch(() => {});
      throw error;
    }
  }

  async #pullAsync(iterator: AsyncIterator<T, unknown>): Promise<IteratorResult<T, unknown>> {
    try {
      const step = await iterator.next();
      if (step.done) this.#state = 'closed';
      return step;
    } catch (error) {
      this.#state = 'closed';
      throw error;
    }
  }
}

function open<T>(inputs: MapInputs<T>): Opened<T> {
  // As `for await` does: async goes first, where there are both.
  return isAsync(inputs)
    ? { kind: 'async', iterator: inputs[Symbol.asyncIterator]() }
    : { kind: 'sync', iterator: inputs[Symbol.iterator]() };
}

function isAsync<T>(inputs: MapInputs<T>): inputs is AsyncIterable<T> {
  return hasMethod(inputs, Symbol.asyncIterator);
}

/** Of primitives too: a string is an iterable. */
function hasMethod(value: unknown, name: symbol): boolean {
  return value !== null && value !== undefined && typeof Reflect.get(Object(value), name) === 'function';
}
