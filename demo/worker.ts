// `npm run worker`: a Node process that computes tiles for a master.

import { Worker as Thread } from 'node:worker_threads';
import { sandbox, Worker } from 'taskdist';
import { readWorkerOptions, UsageError, WORKER_USAGE, type WorkerOptions } from './command-line.ts';
import { drainOnSignal } from './drain-on-signal.ts';
import type { TilePixels, TileTask } from './tile.ts';

/** How often it says what it has done, if it has done anything. */
const REPORT_MS = 10_000;

try {
  const options = readWorkerOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(WORKER_USAGE);
  } else {
    run(options);
  }
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
}

function run({ master, threads, name }: WorkerOptions): void {
  const handler = sandbox<TileTask, TilePixels>(() => new Thread(new URL('./tile-thread.js', import.meta.url)), {
    size: threads,
  });
  const worker = new Worker(handler, { url: master, name, concurrency: threads, accepts: ['tile'] });
  reportConnection(worker, master, threads);
  reportTiles(worker);
  drainOnSignal((grace) => worker.drain({ grace }));
  // Whether it succeeds is told by the events.
  void worker.start();
}

function reportConnection(worker: Worker<TileTask, TilePixels>, master: string, threads: number): void {
  worker.on('connecting', ({ tries }) => {
    if (tries === 1) {
      console.log(`worker: connecting to ${master}`);
    }
  });
  let isKnownLost = false;
  worker.on('connected', () => {
    isKnownLost = false;
    console.log(`worker: connected, lending ${threads} ${threads === 1 ? 'thread' : 'threads'}`);
  });
  worker.on('disconnected', ({ reason, retryDelay }) => {
    if (retryDelay === undefined) {
      console.log(`worker: disconnected (${reason})`);
      // Stopped on a signal it exits with 0 all the same; refused by the master, it has nothing left to do.
      process.exitCode = 1;
    } else if (!isKnownLost) {
      isKnownLost = true;
      console.log(`worker: disconnected (${reason || 'no answer'}), trying again until it works`);
    }
  });
  worker.on('error', ({ error }) => console.error(`worker: ${error.message}`));
}

function reportTiles(worker: Worker<TileTask, TilePixels>): void {
  let done = 0;
  let reported = 0;
  worker.on('taskSettled', ({ outcome }) => {
    done += outcome === 'done' ? 1 : 0;
  });
  const timer = setInterval(() => {
    if (done > reported) {
      reported = done;
      console.log(`worker: ${done} ${done === 1 ? 'tile' : 'tiles'} done`);
    }
  }, REPORT_MS);
  timer.unref();
}
