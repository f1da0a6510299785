// What this tab lends: nothing until it is started, then a worker of the cluster that computes on some cores.

import { sandbox, Worker as TaskWorker } from 'taskdist';
import type { TilePixels, TileTask } from '../tile.ts';

export type ContributionState =
  | { readonly kind: 'off'; readonly problem?: string }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly workerId: string }
  | { readonly kind: 'reconnecting' };

export interface ContributionOptions {
  readonly url: string;
  readonly name: string;
  readonly maxCores: number;
}

export class Contribution {
  readonly #options: ContributionOptions;
  readonly #onChange: () => void;
  #state: ContributionState = { kind: 'off' };
  #worker: TaskWorker<TileTask, TilePixels> | undefined;
  #cores: number;
  #tiles = 0;
  /** How many of them were computed for connections that are no more. */
  #earlierTiles = 0;

  constructor(options: ContributionOptions, onChange: () => void) {
    this.#options = options;
    this.#onChange = onChange;
    this.#cores = Math.max(1, Math.floor(options.maxCores / 2));
  }

  get state(): ContributionState {
    return this.#state;
  }

  get cores(): number {
    return this.#cores;
  }

  get isPaused(): boolean {
    return this.#worker?.isPaused ?? false;
  }

  /** How many tiles this tab has computed for the server that runs now. */
  get tiles(): number {
    return this.#tiles;
  }

  /** Says that the server is another one: what was computed for earlier connections was not for it. */
  forgetEarlierTiles(): void {
    this.#tiles -= this.#earlierTiles;
    this.#earlierTiles = 0;
  }

  start(): void {
    if (this.#worker !== undefined) {
      return;
    }
    const { url, name, maxCores } = this.#options;
    const handler = sandbox<TileTask, TilePixels>(
      // Bundlers find the script by just this expression, so the browser's Worker keeps its plain name here.
      () => new Worker(new URL('./tile-worker.ts', import.meta.url), { type: 'module' }),
      { size: maxCores },
    );
    const worker = new TaskWorker(handler, { url, name, concurrency: this.#cores, accepts: ['tile'] });
    this.#worker = worker;
    this.#listen(worker);
    this.#change({ kind: 'connecting' });
    // Whether it succeeds is told by the events.
    void worker.start();
  }

  stop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#earlierTiles = this.#tiles;
    this.#change({ kind: 'off' });
    void worker?.stop();
  }

  setPaused(isPaused: boolean): void {
    if (isPaused) {
      this.#worker?.pause();
    } else {
      this.#worker?.resume();
    }
    this.#onChange();
  }

  setCores(cores: number): void {
    this.#cores = cores;
    this.#worker?.setConcurrency(cores);
    this.#onChange();
  }

  #listen(worker: TaskWorker<TileTask, TilePixels>): void {
    // A worker that was switched off may still have something to tell, but no longer about this tab's state.
    const ifCurrent = (change: () => void) => {
      if (this.#worker === worker) {
        change();
      }
    };
    worker.on('connected', ({ id }) => ifCurrent(() => this.#change({ kind: 'connected', workerId: id })));
    worker.on('disconnected', ({ reason }) =>
      ifCurrent(() => {
        this.#earlierTiles = this.#tiles;
        if (worker.state === 'stopping') {
          // By itself: the master has refused it for good.
          this.#worker = undefined;
          this.#change({ kind: 'off', problem: reason });
        } else {
          this.#change({ kind: 'reconnecting' });
        }
      }),
    );
    worker.on('error', ({ error }) =>
      ifCurrent(() => {
        this.stop();
        this.#change({ kind: 'off', problem: error.message });
      }),
    );
    worker.on('taskSettled', ({ outcome }) => {
      if (outcome === 'done') {
        this.#tiles++;
        this.#onChange();
      }
    });
  }

  #change(state: ContributionState): void {
    this.#state = state;
    this.#onChange();
  }
}
