// A worker of a simulated cluster, in a process and a page of its own.
import type { Random } from '../../src/ports.ts';
import type { Prefetch } from '../../src/protocol/messages.ts';
import { integerBelow } from '../../src/testing/seeded-random.ts';
import type { VirtualClock, VirtualProcess } from '../../src/testing/virtual-clock.ts';
import { virtualEnvironment } from '../../src/testing/virtual-environment.ts';
import { type Accept, VirtualNetwork } from '../../src/testing/virtual-network.ts';
import { VirtualPage } from '../../src/testing/virtual-page.ts';
import { Worker } from '../../src/worker/worker.ts';
import { KINDS, runTask, type SimulatedTask } from './simulated-task.ts';

/** The most that a worker's concurrency is ever set to. */
export const MAX_CONCURRENCY = 3;

export interface Member {
  readonly name: string;
  readonly worker: Worker<SimulatedTask, number>;
  readonly process: VirtualProcess;
  readonly network: VirtualNetwork;
  readonly page: VirtualPage;
  readonly prefetch: Prefetch;
}

/** A worker that has just been started. */
export function createMember(index: number, clock: VirtualClock, random: Random, accept: Accept): Member {
  const process = clock.createProcess();
  const network = new VirtualNetwork({ latencyMs: 1 + integerBelow(random, 80), closeTimeoutMs: 1000 });
  network.listen(clock, accept);
  const page = new VirtualPage();
  const prefetch = integerBelow(random, 2) === 0 ? 'auto' : integerBelow(random, 6);
  const options = {
    name: `m${index}`,
    concurrency: 1 + integerBelow(random, MAX_CONCURRENCY),
    prefetch,
    labels: { kind: KINDS[index % KINDS.length] ?? '' },
    grace: 100,
  } as const;
  const environment = virtualEnvironment({ clock: process, network, page, seed: integerBelow(random, 2 ** 30) });
  const worker = new Worker<SimulatedTask, number>(
    (task, context) => runTask(process, task, context),
    options,
    environment,
  );
  void worker.start();
  return { name: options.name, worker, process, network, page, prefetch };
}
