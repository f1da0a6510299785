// A master and one worker, each in a process of its own.
import type { Child, ChildOptions } from '../harness/child.ts';
import type { Bench } from '../harness/part.ts';
import type { Figures } from '../harness/rounds.ts';
import type { TaskdistMaster } from '../processes/taskdist-master.ts';
import type { TaskdistWorker } from '../processes/taskdist-worker.ts';

export interface TaskdistPair {
  readonly master: Child<TaskdistMaster>;
  readonly worker: Child<TaskdistWorker>;
}

/** A process, of whatever kind, that can say how much time of the processor it has used. */
interface Timed {
  call(name: 'cpuMs'): Promise<number>;
}

export async function startTaskdist(bench: Bench, options?: ChildOptions): Promise<TaskdistPair> {
  const master = await bench.start<TaskdistMaster>('taskdist-master', options);
  const worker = await bench.start<TaskdistWorker>('taskdist-worker', options);
  await worker.call('connect', await master.call('listen'));
  return { master, worker };
}

/** Rate, and the processor's time per task on both sides, of so many tasks put at once. */
export function taskdistFigures(
  { master, worker }: Pick<TaskdistPair, 'master'> & { readonly worker: Timed },
  tasks: number,
): Promise<Figures> {
  return figuresOf(tasks, worker, () => master.call('compute', tasks));
}

/** The same of anybody: `compute` is what the master does. */
export async function figuresOf(
  tasks: number,
  worker: Timed,
  compute: () => Promise<{ elapsedMs: number; cpuMs: number }>,
): Promise<Figures> {
  const workerBefore = await worker.call('cpuMs');
  const { elapsedMs, cpuMs } = await compute();
  const workerMs = (await worker.call('cpuMs')) - workerBefore;
  return {
    tasks,
    rate: (tasks / elapsedMs) * 1000,
    masterCpuUs: (cpuMs / tasks) * 1000,
    workerCpuUs: (workerMs / tasks) * 1000,
  };
}
