// What a queued task and an idle worker cost the master.
import type { Child } from '../harness/child.ts';
import type { Bench, Part, PartFindings } from '../harness/part.ts';
import { inTurns, type Rounds } from '../harness/rounds.ts';
import { compared, measured } from '../harness/rows.ts';
import type { CrowdMaster } from '../processes/crowd-master.ts';
import type { CrowdWorker } from '../processes/crowd-worker.ts';
import type { QueueMaster } from '../processes/queue-master.ts';
import type { WsCrowdClient } from '../processes/ws-crowd-client.ts';
import type { WsCrowdServer } from '../processes/ws-crowd-server.ts';

const WITH_GC = { nodeOptions: ['--expose-gc'] };

/**
 * Every figure is of a fresh process, in every round.
 *
 * - A queued task: heap after gc, with 200 000 tasks put and their promises kept in an array, less the heap before, less the same
 *   for the bare task objects in an array. Without a worker, and with one that is busy for ever.
 * - An idle worker: resident memory of the master after gc, with 5000 workers connected (from two other processes), less what it was
 *   with none; compared with a raw `ws` server, by the same options, and 5000 raw `ws` connections.
 */
export const memory: Part = {
  name: 'memory',
  title: 'what a queued task, and an idle worker, cost the master',
  async run(bench) {
    const [tasks, workers] = bench.isQuick ? [50_000, 1000] : [200_000, 5000];
    const rounds = await inTurns(
      {
        'queued task': () => measureQueue(bench, tasks, false),
        'queued task, worker busy': () => measureQueue(bench, tasks, true),
        'idle worker': () => measureCrowd(bench, workers),
        'ws connection': () => measureWsCrowd(bench, workers),
      },
      // Nothing is warm in a fresh process.
      { rounds: bench.rounds, progress: bench.progress, warmUps: 0 },
    );
    return { rows: rowsOf(rounds, workers), series: rounds.series() };
  },
};

async function measureQueue(bench: Bench, tasks: number, isWorkerBusy: boolean) {
  await using master = await bench.start<QueueMaster>('queue-master', WITH_GC);
  await using worker = isWorkerBusy ? await bench.start<CrowdWorker>('crowd-worker') : undefined;
  if (worker !== undefined) {
    await worker.call('connect', await master.call('listen'), 1);
    await master.call('occupy');
  }
  const bareBytes = await master.call('bareTask', tasks);
  const queuedBytes = await master.call('queuedTask', tasks);
  return { tasks, bareBytes, queuedBytes, bytesPerTask: queuedBytes - bareBytes };
}

async function measureCrowd(bench: Bench, workers: number) {
  await using master = await bench.start<CrowdMaster>('crowd-master', WITH_GC);
  await using first = await bench.start<CrowdWorker>('crowd-worker');
  await using second = await bench.start<CrowdWorker>('crowd-worker');
  return await measureConnections(master, [first, second], workers);
}

async function measureWsCrowd(bench: Bench, connections: number) {
  await using server = await bench.start<WsCrowdServer>('ws-crowd-server', WITH_GC);
  await using first = await bench.start<WsCrowdClient>('ws-crowd-client');
  await using second = await bench.start<WsCrowdClient>('ws-crowd-client');
  return await measureConnections(server, [first, second], connections);
}

async function measureConnections(
  server: Child<CrowdMaster> | Child<WsCrowdServer>,
  crowd: readonly (Child<CrowdWorker> | Child<WsCrowdClient>)[],
  connections: number,
) {
  const port = await server.call('listen');
  const before = await server.call('residentBytes');
  await Promise.all(crowd.map((process) => process.call('connect', port, connections / crowd.length)));
  const connected = await server.call('connections');
  if (connected !== connections) throw new Error(`Expected ${connections} connections, got ${connected}`);
  return { connections, bytesPerConnection: ((await server.call('residentBytes')) - before) / connections };
}

function rowsOf(rounds: Rounds, workers: number): PartFindings['rows'] {
  const queued = { unit: 'bytes', target: { atMost: 500 } };
  const perWorker = rounds.values('idle worker', 'bytesPerConnection');
  const perConnection = rounds.values('ws connection', 'bytesPerConnection');
  return [
    measured({
      ...queued,
      what: 'heap per queued task, without a worker',
      values: rounds.values('queued task', 'bytesPerTask'),
      note: 'Beyond the task itself; its promise included.',
    }),
    measured({
      ...queued,
      what: 'the same, with a busy worker',
      values: rounds.values('queued task, worker busy', 'bytesPerTask'),
    }),
    compared({
      what: `resident memory per idle worker, of ${workers}`,
      unit: 'bytes',
      values: perWorker,
      against: 'raw ws',
      againstValues: perConnection,
    }),
    measured({
      what: 'of that, beyond a raw ws connection',
      unit: 'bytes',
      values: perWorker.map((bytes, round) => bytes - (perConnection[round] ?? Number.NaN)),
      target: { atMost: 4096 },
    }),
  ];
}
