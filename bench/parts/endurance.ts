// Whether the ten millionth task is as fast as the first ones, and memory what it was.
import type { Part, PartFindings } from '../harness/part.ts';
import { compared } from '../harness/rows.ts';
import { startTaskdist, type TaskdistPair } from './taskdist-pair.ts';

const STAGES = 10;
const BATCH = 100_000;
/** The stages that the first one is compared to. */
const LAST = 3;

/** After one stage, of a million tasks. */
interface Stage {
  readonly tasksDone: number;
  readonly rate: number;
  readonly masterCpuUs: number;
  readonly masterHeapBytes: number;
  readonly workerHeapBytes: number;
}

/**
 * Ten million tasks, `fibonacci(10)`, put 100 000 at once, through one master and one worker that are never started anew.
 * After each million, both heaps are measured after gc. The first million comes after half a million that do not count.
 */
export const endurance: Part = {
  name: 'endurance',
  title: 'ten million tasks through one master and one worker',
  async run(bench) {
    const stageTasks = bench.isQuick ? BATCH : 10 * BATCH;
    const pair = await startTaskdist(bench, { nodeOptions: ['--expose-gc'] });
    await runTasks(pair, stageTasks / 2);
    const stages: Stage[] = [];
    for (let stage = 1; stage <= STAGES; stage++) {
      bench.progress(`${stage} of ${STAGES} times ${stageTasks} tasks`);
      const { elapsedMs, cpuMs } = await runTasks(pair, stageTasks);
      stages.push({
        tasksDone: stage * stageTasks,
        rate: (stageTasks / elapsedMs) * 1000,
        masterCpuUs: (cpuMs / stageTasks) * 1000,
        masterHeapBytes: await pair.master.call('heapBytes'),
        workerHeapBytes: await pair.worker.call('heapBytes'),
      });
    }
    return { rounds: 1, rows: rowsOf(stages), series: { stages: stages.map((stage) => ({ ...stage })) } };
  },
};

/** What it took, and the master's share of the processor's time. */
async function runTasks({ master }: TaskdistPair, tasks: number): Promise<{ elapsedMs: number; cpuMs: number }> {
  const sum = { elapsedMs: 0, cpuMs: 0 };
  for (let left = tasks; left > 0; left -= BATCH) {
    const batch = await master.call('compute', Math.min(left, BATCH));
    sum.elapsedMs += batch.elapsedMs;
    sum.cpuMs += batch.cpuMs;
  }
  return sum;
}

function rowsOf(stages: readonly Stage[]): PartFindings['rows'] {
  const [first] = stages;
  if (first === undefined) throw new RangeError('Expected at least one stage');
  const last = stages.slice(-LAST);
  const lastAgainstFirst = (figure: keyof Stage, scale: number) => ({
    values: last.map((stage) => stage[figure] / scale),
    against: 'the first tenth',
    againstValues: last.map(() => first[figure] / scale),
  });
  return [
    compared({
      what: 'rate of the last three tenths',
      unit: 'tasks/s',
      ...lastAgainstFirst('rate', 1),
      target: { atLeast: 0.9 },
      note: 'Flat is read as: not below 0.9 of the rate, not above 1.1 of the heap.',
    }),
    compared({ what: "master's CPU per task in them", unit: 'µs', ...lastAgainstFirst('masterCpuUs', 1) }),
    compared({
      what: "master's heap after them",
      unit: 'MB',
      ...lastAgainstFirst('masterHeapBytes', 1_000_000),
      target: { atMost: 1.1 },
    }),
    compared({
      what: "worker's heap after them",
      unit: 'MB',
      ...lastAgainstFirst('workerHeapBytes', 1_000_000),
      target: { atMost: 1.1 },
    }),
  ];
}
