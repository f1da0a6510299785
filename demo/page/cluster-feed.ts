// News from the server: who is computing. Connects again by itself, and says when the server is gone.

import type { ClusterSnapshot } from '../cluster-snapshot.ts';

export type ClusterState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live'; readonly snapshot: ClusterSnapshot }
  | { readonly kind: 'gone' };

/** News come each second. After this much silence the server is taken to be gone. */
const SILENCE_MS = 5000;

const RETRY_MS = 1000;

export class ClusterFeed {
  readonly #url: string;
  readonly #listeners = new Set<(state: ClusterState) => void>();
  #state: ClusterState = { kind: 'connecting' };
  #source: EventSource | undefined;
  #timer: number | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  get state(): ClusterState {
    return this.#state;
  }

  start(): void {
    // A browser opens six connections to one server, for all its tabs: one that nobody sees needs no news.
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#close() : this.#open()));
    if (!document.hidden) {
      this.#open();
    }
  }

  /** Calls back with the state now and from now on. Returns a function that ends it. */
  onChange(listener: (state: ClusterState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the server is there. */
  live(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const stop = this.onChange(({ kind }) => {
        if (kind === 'live') {
          // After onChange() has returned, as it calls back at once.
          queueMicrotask(() => {
            stop();
            resolve();
          });
        }
      });
      signal.addEventListener('abort', () => {
        stop();
        reject(signal.reason);
      });
    });
  }

  #open(): void {
    this.#close();
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#watch();
    source.onmessage = (event) => {
      this.#watch();
      this.#change({ kind: 'live', snapshot: JSON.parse(event.data) as ClusterSnapshot });
    };
    source.onerror = () => this.#lost();
  }

  #close(): void {
    window.clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #lost(): void {
    this.#close();
    this.#change({ kind: 'gone' });
    this.#timer = window.setTimeout(() => this.#open(), RETRY_MS);
  }

  #watch(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #change(state: ClusterState): void {
    this.#state = state;
    for (const listener of this.#listeners) {
      listener(state);
    }
  }
}
