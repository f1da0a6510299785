// Watches the master and sums up: who computes, how fast, and who made which tile.

import type { FifoScheduler, Master, WorkerInfo } from 'taskdist';
import type { ClusterSnapshot, WorkerSnapshot } from './cluster-snapshot.ts';
import { RateMeter } from './rate-meter.ts';
import type { TileTask } from './tile.ts';
import { workerColour } from './worker-colour.ts';

export class ClusterReport {
  readonly #master: Master<TileTask, unknown>;
  readonly #scheduler: FifoScheduler<TileTask, unknown>;
  readonly #startedAt = Date.now();
  readonly #makers = new WeakMap<TileTask, WorkerInfo>();
  readonly #rates = new Map<string, RateMeter>();
  #done = 0;

  constructor(master: Master<TileTask, unknown>, scheduler: FifoScheduler<TileTask, unknown>) {
    this.#master = master;
    this.#scheduler = scheduler;
    master.on('workerConnected', ({ worker }) => this.#rates.set(worker.id, new RateMeter(Date.now())));
    master.on('workerDisconnected', ({ worker }) => this.#rates.delete(worker.id));
    master.on('attemptEnded', ({ worker, task, outcome }) => {
      if (outcome === 'done') {
        this.#done++;
        this.#makers.set(task, worker);
        this.#rates.get(worker.id)?.record(Date.now());
      }
    });
  }

  /** Calls back when a worker has come or gone, and when a tile is done. */
  onChange(listener: () => void): void {
    this.#master.on('attemptEnded', listener);
    this.#master.on('workerConnected', listener);
    this.#master.on('workerDisconnected', listener);
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

  #describe({ id, name, platform, concurrency, running, done }: WorkerInfo): WorkerSnapshot {
    const rate = this.#rates.get(id)?.perSecond(Date.now()) ?? 0;
    return { id, name, platform, colour: workerColour(id), concurrency, running, done, rate };
  }
}
