// A page that lends what its address says to the master that it came from, and keeps what happens.

import { sandbox, Worker as TaskWorker, type WorkerEvent } from 'taskdist';
import type { PageOptions } from './lending.ts';
import { runTask } from './run.ts';
import { type FaultTask, GATES } from './task.ts';

const options: PageOptions = JSON.parse(new URLSearchParams(location.search).get('options') ?? '{}');
const { threads = 0, grace = 100, ...workerOptions } = options;

const createThread = () => {
  window.lending.threads += 1;
  return new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' });
};
const handler = threads === 0 ? runTask : sandbox<FaultTask, unknown>(createThread, { size: threads, grace });
const url = new URL('/taskdist', location.href);
url.protocol = 'ws:';
const worker = new TaskWorker<FaultTask, unknown>(handler, { url, name: 'page', ...workerOptions });
const events: WorkerEvent<FaultTask>[] = [];
window.lending = {
  worker,
  events,
  threads: 0,
  transitions: [],
  ticks: [],
  openGate(gate) {
    const gates = new BroadcastChannel(GATES);
    gates.postMessage(gate);
    gates.close();
  },
  startTicking(intervalMs) {
    const tick = () => {
      window.lending.ticks.push(performance.now());
      setTimeout(tick, intervalMs);
    };
    tick();
  },
};
for (const type of ['connecting', 'connected', 'disconnected', 'taskStarted', 'taskSettled', 'error'] as const)
  worker.on(type, (event) => events.push(event));
window.addEventListener('load', () => {
  // Not of the first `pageshow`, which comes behind.
  setTimeout(() => {
    for (const type of ['pagehide', 'pageshow'] as const) {
      window.addEventListener(type, ({ persisted }) =>
        window.lending.transitions.push(persisted ? `${type} persisted` : type),
      );
    }
  });
});
void worker.start();
