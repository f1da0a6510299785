// Whether a thousand workers are kept busy.
import type { Child } from '../harness/child.ts';
import type { Bench, Part, PartFindings } from '../harness/part.ts';
import { inTurns, type Rounds } from '../harness/rounds.ts';
import { compared, measured } from '../harness/rows.ts';
import type { TimerMaster } from '../processes/timer-master.ts';
import type { TimerWorker } from '../processes/timer-worker.ts';

const PROCESSES = 4;
const WAIT_MS = 1000;
const TASKS_PER_WORKER = 10;

/**
 * 1000 workers with concurrency 1, all else by default, and 10 tasks for each, put at once when all are connected. A task is a timer
 * of one second, so that 1000 can run at once on any machine. The time runs from the first put to the last result; ideal is ten
 * seconds. A timer itself is late by a millisecond or so, which counts as lost.
 *
 * The workers are in four processes, so that a process of the bench, which has 250 connections, is less of a bottleneck than the one
 * master.
 */
export const scale: Part = {
  name: 'scale',
  title: 'tasks of one second, ten for each of many workers',
  async run(bench) {
    const [workers, tasksPerWorker] = bench.isQuick ? [200, 3] : [1000, TASKS_PER_WORKER];
    const { master, crowd } = await startCrowd(bench, workers);
    const tasks = workers * tasksPerWorker;
    const measure = async () => {
      const before = await cpuMsOf(crowd);
      const { elapsedMs, cpuMs } = await master.call('compute', tasks, WAIT_MS);
      const workersMs = (await cpuMsOf(crowd)) - before;
      return {
        workers,
        tasks,
        rate: (tasks / elapsedMs) * 1000,
        ideal: (workers / WAIT_MS) * 1000,
        masterCpuUs: (cpuMs / tasks) * 1000,
        workerCpuUs: (workersMs / tasks) * 1000,
      };
    };
    const rounds = await inTurns({ taskdist: measure }, { rounds: bench.rounds, progress: bench.progress });
    return { rows: rowsOf(rounds, workers), series: rounds.series() };
  },
};

async function startCrowd(bench: Bench, workers: number) {
  const master = await bench.start<TimerMaster>('timer-master');
  const port = await master.call('listen');
  const crowd: Child<TimerWorker>[] = [];
  while (crowd.length < PROCESSES) crowd.push(await bench.start<TimerWorker>('timer-worker'));
  await Promise.all(crowd.map((process) => process.call('connect', port, workers / PROCESSES)));
  const connected = await master.call('connections');
  if (connected !== workers) throw new Error(`Expected ${workers} connected workers, got ${connected}`);
  return { master, crowd };
}

async function cpuMsOf(crowd: readonly Child<TimerWorker>[]): Promise<number> {
  const each = await Promise.all(crowd.map((process) => process.call('cpuMs')));
  return each.reduce((sum, ms) => sum + ms, 0);
}

function rowsOf(rounds: Rounds, workers: number): PartFindings['rows'] {
  const values = (figure: string) => rounds.values('taskdist', figure);
  return [
    compared({
      what: `${workers} workers, each with one slot`,
      unit: 'tasks/s',
      values: values('rate'),
      against: 'ideal',
      againstValues: values('ideal'),
      target: { atLeast: 0.98 },
      note: `The workers are in ${PROCESSES} processes, the master in one of its own.`,
    }),
    measured({ what: "master's CPU per task", unit: 'µs', values: values('masterCpuUs') }),
    measured({ what: "workers' CPU per task", unit: 'µs', values: values('workerCpuUs') }),
  ];
}
