// The promises that several callers wait for, by idempotency key.
import { AbortWatch } from './abort-watch.ts';

/** Somebody who waits for a promise that is not its own. */
interface Waiter {
  reject(reason: unknown): void;
}

/** Promises by key, from when they are added until they are deleted. */
export class SharedPromises<R> {
  readonly #promises = new Map<string, Promise<R>>();
  readonly #aborts = new AbortWatch<Waiter>((waiter, reason) => waiter.reject(reason));

  /** A promise for one more who waits, whose signal ends that wait alone; undefined if there is none of that key. */
  find(key: string, signal: AbortSignal | undefined): Promise<R> | undefined {
    const shared = this.#promises.get(key);
    if (shared === undefined || signal === undefined) return shared;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const waiter: Waiter = { reject };
      this.#aborts.add(signal, waiter);
      const over = (): void => this.#aborts.remove(signal, waiter);
      shared.then(resolve, reject).finally(over);
    });
  }

  add(key: string, promise: Promise<R>): void {
    this.#promises.set(key, promise);
  }

  delete(key: string): void {
    this.#promises.delete(key);
  }
}
