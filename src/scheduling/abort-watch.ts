// Which tasks end when which signal aborts: one listener per signal, however many tasks share it.

/** Watches signals on behalf of items. */
export class AbortWatch<Item> {
  readonly #watched = new Map<AbortSignal, { items: Set<Item>; listener: () => void }>();
  readonly #onAbort: (item: Item, reason: unknown) => void;

  constructor(onAbort: (item: Item, reason: unknown) => void) {
    this.#onAbort = onAbort;
  }

  /** Starts to watch; the signal must not have aborted yet. */
  add(signal: AbortSignal, item: Item): void {
    const found = this.#watched.get(signal);
    if (found !== undefined) {
      found.items.add(item);
      return;
    }
    const items = new Set([item]);
    const listener = (): void => {
      // What an abort removes on its way is not visited any more; so the entry must stay until the end.
      for (const each of items) this.#onAbort(each, signal.reason);
      this.#watched.delete(signal);
    };
    this.#watched.set(signal, { items, listener });
    signal.addEventListener('abort', listener, { once: true });
  }

  /** Stops watching for this item. */
  remove(signal: AbortSignal, item: Item): void {
    const found = this.#watched.get(signal);
    if (found === undefined) return;
    found.items.delete(item);
    if (found.items.size > 0) return;
    this.#watched.delete(signal);
    signal.removeEventListener('abort', found.listener);
  }
}
