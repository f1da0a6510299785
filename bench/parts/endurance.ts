// Whether the ten millionth task is as fast as the first ones, and memory what it was.
import type { Bench, Part, PartFindings } from '../harness/part.ts';
import { inTurns } from '../harness/rounds.ts';
import { compared } from '../harness/rows.ts';
import { median } from '../harness/statistics.ts';
import { startTaskdist, type TaskdistPair, taskdistFigures } from './taskdist-pair.ts';

const STAGES = 10;
const BATCH = 100_000;
/** Batches of each stage. */
const BATCHES = 10;
/** So many of them are compared to those of a new pair, after as many that warm it up. */
const COMPARED = 3;
/** The stages that are judged. */
const LAST = 3;

/** After one stage, of a million tasks. */
interface Stage {
  readonly tasksDone: number;
  readonly rate: number;
  readonly masterCpuUs: number;
  /** Of the new pair, meanwhile. */
  readonly newRate: number;
  readonly newMasterCpuUs: number;
  readonly masterHeapBytes: number;
  readonly workerHeapBytes: number;
}

/**
 * Ten million tasks, `fibonacci(10)`, put 100 000 at once, through one master and one worker that are never started anew. In
 * each million, batches are measured in turns with those of a master and a worker that have just been started, so that
 * whatever else the machine does in these minutes falls on both. After each million, both heaps are measured after gc.
 */
export const endurance: Part = {
  name: 'endurance',
  title: 'ten million tasks through one master and one worker',
  async run(bench) {
    const pair = await startTaskdist(bench, { nodeOptions: ['--expose-gc'] });
    const stages: Stage[] = [];
    for (let stage = 1; stage <= STAGES; stage++) {
      bench.progress(`stage ${stage} of ${STAGES}`);
      stages.push(await measureStage(bench, pair, stage));
    }
    return { rounds: LAST, rows: rowsOf(stages), series: { stages: stages.map((stage) => ({ ...stage })) } };
  },
};

async function measureStage(bench: Bench, pair: TaskdistPair, stage: number): Promise<Stage> {
  const batch = bench.isQuick ? BATCH / 10 : BATCH;
  for (let done = 2 * COMPARED; done < BATCHES; done++) await taskdistFigures(pair, batch);
  const newPair = await startTaskdist(bench);
  const rounds = await inTurns(
    { own: () => taskdistFigures(pair, batch), fresh: () => taskdistFigures(newPair, batch) },
    { rounds: COMPARED, warmUps: COMPARED },
  );
  await Promise.all([newPair.master, newPair.worker].map((process) => process[Symbol.asyncDispose]()));
  return {
    tasksDone: stage * BATCHES * batch,
    rate: median(rounds.values('own', 'rate')),
    masterCpuUs: median(rounds.values('own', 'masterCpuUs')),
    newRate: median(rounds.values('fresh', 'rate')),
    newMasterCpuUs: median(rounds.values('fresh', 'masterCpuUs')),
    masterHeapBytes: await pair.master.call('heapBytes'),
    workerHeapBytes: await pair.worker.call('heapBytes'),
  };
}

function rowsOf(stages: readonly Stage[]): PartFindings['rows'] {
  const [first] = stages;
  if (first === undefined) throw new RangeError('Expected at least one stage');
  const last = stages.slice(-LAST);
  const againstNew = (figure: 'rate' | 'masterCpuUs', newFigure: 'newRate' | 'newMasterCpuUs') => ({
    values: last.map((stage) => stage[figure]),
    against: 'a new pair',
    againstValues: last.map((stage) => stage[newFigure]),
  });
  const megabytesAgainstFirst = (figure: 'masterHeapBytes' | 'workerHeapBytes') => ({
    unit: 'MB',
    values: last.map((stage) => stage[figure] / 1_000_000),
    against: 'the first tenth',
    againstValues: last.map(() => first[figure] / 1_000_000),
    target: { atMost: 1.1 },
  });
  return [
    compared({
      what: 'rate in the last three tenths',
      unit: 'tasks/s',
      ...againstNew('rate', 'newRate'),
      target: { atLeast: 0.9 },
      note: 'Flat is read as: not below 0.9 of the rate of a master and a worker that have done no more than half a million, measured in turns; not above 1.1 of the heap.',
    }),
    compared({ what: "master's CPU per task in them", unit: 'µs', ...againstNew('masterCpuUs', 'newMasterCpuUs') }),
    compared({ what: "master's heap after them", ...megabytesAgainstFirst('masterHeapBytes') }),
    compared({ what: "worker's heap after them", ...megabytesAgainstFirst('workerHeapBytes') }),
  ];
}
