// How many tasks a second go through one thread of a sandbox.
import type { Bench, Part, PartFindings } from '../harness/part.ts';
import { type Contenders, inTurns, type Rounds } from '../harness/rounds.ts';
import { compared, measured } from '../harness/rows.ts';
import type { ComlinkCaller } from '../processes/comlink-caller.ts';
import type { SandboxWorker } from '../processes/sandbox-worker.ts';
import type { TaskdistMaster } from '../processes/taskdist-master.ts';
import { taskdistFigures } from './taskdist-pair.ts';

const OUTSTANDING = 64;

/**
 * Tasks are `fibonacci(10)`, and every result is checked, by their sum.
 *
 * - taskdist: master and worker are processes of their own, and the worker computes in one thread, by `sandbox` with
 *   `size: 1`; all else by default. All tasks are put at once. Three threads are busy, so that on two cores they share.
 * - Comlink: what the sandbox is built on, in one process with one thread, by Comlink's own adapter for Node. One call per task,
 *   64 outstanding; nobody notices when the thread dies, and nothing can be aborted. Two threads are busy.
 */
export const sandbox: Part = {
  name: 'sandbox',
  title: 'fibonacci(10), one Node worker, in one thread',
  async run(bench) {
    const tasks = bench.isQuick ? 20_000 : 100_000;
    const rounds = await inTurns(await startContenders(bench, tasks), bench);
    return { rows: rowsOf(rounds), series: rounds.series() };
  },
};

async function startContenders(bench: Bench, tasks: number): Promise<Contenders> {
  const master = await bench.start<TaskdistMaster>('taskdist-master');
  const worker = await bench.start<SandboxWorker>('sandbox-worker');
  await worker.call('connect', await master.call('listen'));
  const caller = await bench.start<ComlinkCaller>('comlink-caller');
  return {
    taskdist: () => taskdistFigures({ master, worker }, tasks),
    comlink: async () => {
      const { elapsedMs, cpuMs } = await caller.call('compute', tasks, OUTSTANDING);
      return { tasks, rate: (tasks / elapsedMs) * 1000, workerCpuUs: (cpuMs / tasks) * 1000 };
    },
  };
}

function rowsOf(rounds: Rounds): PartFindings['rows'] {
  const figure = (name: string) => ({
    values: rounds.values('taskdist', name),
    against: 'Comlink',
    againstValues: rounds.values('comlink', name),
  });
  return [
    compared({
      what: 'tasks put at once',
      unit: 'tasks/s',
      ...figure('rate'),
      target: { atLeast: 2.5 },
      note: 'Comlink: one call per task, 64 outstanding, in one process; its CPU is that of both threads.',
    }),
    compared({ what: "worker's CPU per task, both threads", unit: 'µs', ...figure('workerCpuUs') }),
    measured({ what: "master's CPU per task", unit: 'µs', values: rounds.values('taskdist', 'masterCpuUs') }),
  ];
}
