// One task per tile, however many viewers ask for it at the same time.

import { type TileCoordinates, type TileTask, tilePath } from './tile.ts';

/** What this needs of a scheduler. */
export interface TileScheduler {
  put(task: TileTask, options: { signal: AbortSignal; priority: number }): Promise<unknown>;
}

export interface FinishedTile {
  /** The very object that was put, which is what the master's events name. */
  readonly task: TileTask;
  readonly result: unknown;
}

interface Sharing {
  readonly finished: Promise<FinishedTile>;
  readonly cancel: AbortController;
  viewers: number;
}

export class SharedTiles {
  readonly #scheduler: TileScheduler;
  readonly #inFlight = new Map<string, Sharing>();

  constructor(scheduler: TileScheduler) {
    this.#scheduler = scheduler;
  }

  /** How many different tiles are being waited for. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * The tile; `signal` says that this viewer has left. The task is cancelled when the last of its viewers has. It has the
   * priority with which it was asked for first.
   */
  get(coordinates: TileCoordinates, priority: number, signal: AbortSignal): Promise<FinishedTile> {
    if (signal.aborted) {
      return Promise.reject(signal.reason);
    }
    const path = tilePath(coordinates);
    const sharing = this.#inFlight.get(path) ?? this.#start(path, coordinates, priority);
    sharing.viewers++;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason);
        sharing.viewers--;
        if (sharing.viewers === 0) {
          // Forget it first: whoever asks from now on needs a new task.
          this.#forget(path, sharing);
          sharing.cancel.abort(signal.reason);
        }
      };
      signal.addEventListener('abort', leave, { once: true });
      const settle =
        <Value>(how: (value: Value) => void) =>
        (value: Value) => {
          signal.removeEventListener('abort', leave);
          how(value);
        };
      sharing.finished.then(settle(resolve), settle(reject));
    });
  }

  #start(path: string, coordinates: TileCoordinates, priority: number): Sharing {
    const cancel = new AbortController();
    const finished = this.#put({ type: 'tile', ...coordinates }, priority, cancel.signal);
    const sharing: Sharing = {
      finished: finished.finally(() => this.#forget(path, sharing)),
      cancel,
      viewers: 0,
    };
    this.#inFlight.set(path, sharing);
    return sharing;
  }

  async #put(task: TileTask, priority: number, signal: AbortSignal): Promise<FinishedTile> {
    return { task, result: await this.#scheduler.put(task, { signal, priority }) };
  }

  #forget(path: string, sharing: Sharing): void {
    if (this.#inFlight.get(path) === sharing) {
      this.#inFlight.delete(path);
    }
  }
}
