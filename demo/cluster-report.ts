// Watches the master and sums up: who computes, how fast, and who made which tile. Only tiles count as done.

import type { DurationSummary, FifoScheduler, Master, WorkerInfo } from 'taskdist';
import type { ClusterSnapshot, Percentiles, WorkerSnapshot } from './cluster-snapshot.ts';
import type { TileTask } from './tile.ts';
import { workerColour } from './worker-colour.ts';

export class ClusterReport {
  readonly #master: Master<TileTask, unknown>;
  readonly #scheduler: FifoScheduler<TileTask, unknown>;
  readonly #startedAt = Date.now();
  readonly #makers = new WeakMap<TileTask, WorkerInfo>();
  /** How many tiles each of the connected workers has made. */
  readonly #doneBy = new Map<string, number>();
  #done = 0;

  constructor(master: Master<TileTask, unknown>, scheduler: FifoScheduler<TileTask, unknown>) {
    this.#master = master;
    this.#scheduler = scheduler;
    // Listened to, not streamed: whoever awaits the tile asks for its maker at once.
    master.on('attemptEnded', ({ worker, task, outcome }) => {
      if (outcome === 'done') {
        this.#makers.set(task, worker);
      }
    });
    master.on('workerConnected', ({ worker }) => this.#doneBy.set(worker.id, 0));
    master.on('workerDisconnected', ({ worker }) => this.#doneBy.delete(worker.id));
  }

  /** Says that the result of this task is a tile. */
  count(task: TileTask): void {
    this.#done++;
    const { id = '' } = this.#makers.get(task) ?? {};
    const done = this.#doneBy.get(id);
    if (done !== undefined) {
      this.#doneBy.set(id, done + 1);
    }
  }

  /** Who computed this task; undefined while nobody has. */
  makerOf(task: TileTask): WorkerInfo | undefined {
    return this.#makers.get(task);
  }

  snapshot(): ClusterSnapshot {
    const { queued, leased, running, rate, total, waitTime, runTime } = this.#scheduler.stats();
    return {
      startedAt: this.#startedAt,
      workers: this.#master.workers().map((worker) => this.#describe(worker)),
      queued,
      prefetched: leased - running,
      running,
      done: this.#done,
      recalled: total.recalled,
      rate,
      waitTime: percentiles(waitTime),
      runTime: percentiles(runTime),
    };
  }

  #describe({ id, name, platform, concurrency, ...worker }: WorkerInfo): WorkerSnapshot {
    const { running, waiting, recalled, rate, roundTrip = null } = worker;
    const done = this.#doneBy.get(id) ?? 0;
    return {
      id,
      name,
      platform,
      colour: workerColour(id),
      concurrency,
      running,
      waiting,
      done,
      recalled,
      rate,
      roundTrip,
    };
  }
}

function percentiles({ count, p50, p90, p99 }: DurationSummary): Percentiles {
  return count === 0 ? null : { p50, p90, p99 };
}
