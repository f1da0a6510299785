// Watches the master and sums up: who computes, how fast, and who made which tile. Only tiles count as done.

import type { DurationSummary, FifoScheduler, Master, WorkerInfo } from 'taskdist';
import type { ClusterSnapshot, Percentiles, WorkerSnapshot } from './cluster-snapshot.ts';
import { type TileTask, tilePath } from './tile.ts';
import { workerColour } from './worker-colour.ts';

/** Of how many tiles it is remembered who made them: they are answered at once, so a few would do. */
const REMEMBERED_TILES = 1000;

interface MadeTile {
  readonly maker: WorkerInfo;
  isCounted: boolean;
}

export class ClusterReport {
  readonly #master: Master<TileTask, unknown>;
  readonly #scheduler: FifoScheduler<TileTask, unknown>;
  readonly #startedAt = Date.now();
  /** The tiles that were made last, by their paths, as several viewers may be answered with the same one. */
  readonly #made = new Map<string, MadeTile>();
  /** How many tiles each of the connected workers has made. */
  readonly #doneBy = new Map<string, number>();
  #done = 0;

  constructor(master: Master<TileTask, unknown>, scheduler: FifoScheduler<TileTask, unknown>) {
    this.#master = master;
    this.#scheduler = scheduler;
    // Listened to, not streamed: whoever awaits the tile asks for its maker at once.
    master.on('attemptEnded', ({ worker, task, outcome }) => {
      if (outcome === 'done') {
        this.#remember(tilePath(task), worker);
      }
    });
    master.on('workerConnected', ({ worker }) => this.#doneBy.set(worker.id, 0));
    master.on('workerDisconnected', ({ worker }) => this.#doneBy.delete(worker.id));
  }

  /** Says that what was made there is a tile; each viewer who gets it may say so. */
  count(path: string): void {
    const made = this.#made.get(path);
    if (made === undefined || made.isCounted) {
      return;
    }
    made.isCounted = true;
    this.#done++;
    const { id } = made.maker;
    const done = this.#doneBy.get(id);
    if (done !== undefined) {
      this.#doneBy.set(id, done + 1);
    }
  }

  /** Who made the tile that has just come from there. */
  makerOf(path: string): WorkerInfo | undefined {
    return this.#made.get(path)?.maker;
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

  #remember(path: string, maker: WorkerInfo): void {
    // Anew, so that it is the youngest.
    this.#made.delete(path);
    this.#made.set(path, { maker, isCounted: false });
    const [oldest] = this.#made.keys();
    if (this.#made.size > REMEMBERED_TILES && oldest !== undefined) {
      this.#made.delete(oldest);
    }
  }

  #describe({ id, name, platform, isInterrupted, concurrency, ...worker }: WorkerInfo): WorkerSnapshot {
    const { running, waiting, recalled, rate, roundTrip = null } = worker;
    const done = this.#doneBy.get(id) ?? 0;
    return {
      id,
      name,
      platform,
      colour: workerColour(id),
      isInterrupted,
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
