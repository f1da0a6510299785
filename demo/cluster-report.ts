// Watches the master and sums up: who computes, how fast, and who made which tile. Only tiles count as done.

import type { FifoScheduler, Master, WorkerInfo } from 'taskdist';
import type { ClusterSnapshot, WorkerSnapshot } from './cluster-snapshot.ts';
import { RateMeter } from './rate-meter.ts';
import type { TileTask } from './tile.ts';
import { workerColour } from './worker-colour.ts';

interface Tally {
  done: number;
  readonly rate: RateMeter;
}

export class ClusterReport {
  readonly #master: Master<TileTask, unknown>;
  readonly #scheduler: FifoScheduler<TileTask, unknown>;
  readonly #startedAt = Date.now();
  readonly #makers = new WeakMap<TileTask, WorkerInfo>();
  readonly #tallies = new Map<string, Tally>();
  #done = 0;

  constructor(master: Master<TileTask, unknown>, scheduler: FifoScheduler<TileTask, unknown>) {
    this.#master = master;
    this.#scheduler = scheduler;
    master.on('workerConnected', ({ worker }) => {
      this.#tallies.set(worker.id, { done: 0, rate: new RateMeter(Date.now()) });
    });
    master.on('workerDisconnected', ({ worker }) => this.#tallies.delete(worker.id));
    master.on('attemptEnded', ({ worker, task, outcome }) => {
      if (outcome === 'done') {
        this.#makers.set(task, worker);
      }
    });
  }

  /** Calls back when a worker has come or gone, and when a tile is done. */
  onChange(listener: () => void): void {
    this.#master.on('attemptEnded', listener);
    this.#master.on('workerConnected', listener);
    this.#master.on('workerDisconnected', listener);
  }

  /** Says that the result of this task is a tile. */
  count(task: TileTask): void {
    this.#done++;
    const tally = this.#tallies.get(this.#makers.get(task)?.id ?? '');
    if (tally !== undefined) {
      tally.done++;
      tally.rate.record(Date.now());
    }
  }

  /** Who computed this task; undefined while nobody has. */
  makerOf(task: TileTask): WorkerInfo | undefined {
    return this.#makers.get(task);
  }

  snapshot(): ClusterSnapshot {
    return {
      startedAt: this.#startedAt,
      workers: this.#master.workers().map((worker) => this.#describe(worker)),
      queued: this.#scheduler.queued,
      done: this.#done,
    };
  }

  #describe({ id, name, platform, concurrency, running }: WorkerInfo): WorkerSnapshot {
    const tally = this.#tallies.get(id);
    const done = tally?.done ?? 0;
    const rate = tally?.rate.perSecond(Date.now()) ?? 0;
    return { id, name, platform, colour: workerColour(id), concurrency, running, done, rate };
  }
}
