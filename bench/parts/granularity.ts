// How short tasks may be before what they cost besides outweighs them.
import type { Child } from '../harness/child.ts';
import { type EfficiencyPoint, metgUs } from '../harness/granularity.ts';
import type { Bench, Part, PartFindings } from '../harness/part.ts';
import type { Row, Target } from '../harness/results.ts';
import { type Contenders, type Figures, inTurns, type Rounds } from '../harness/rounds.ts';
import { measured } from '../harness/rows.ts';
import type { BusyMaster } from '../processes/busy-master.ts';
import type { BusyWorker } from '../processes/busy-worker.ts';

interface Pair {
  readonly master: Child<BusyMaster>;
  readonly worker: Child<BusyWorker>;
}

interface Kind {
  readonly name: string;
  /** In the results, where only numbers stand. */
  readonly id: number;
  readonly connect: 'connectInline' | 'connectWithSandbox';
  readonly targets: readonly { readonly share: number; readonly atMostUs: number }[];
}

const INLINE: Kind = {
  name: 'inline',
  id: 0,
  connect: 'connectInline',
  targets: [
    { share: 0.5, atMostUs: 10 },
    { share: 0.9, atMostUs: 60 },
  ],
};

const SANDBOX: Kind = {
  name: 'sandbox of one thread',
  id: 1,
  connect: 'connectWithSandbox',
  targets: [
    { share: 0.5, atMostUs: 30 },
    { share: 0.9, atMostUs: 200 },
  ],
};

/** From 1 µs to 4 ms. */
const LENGTHS_US = Array.from({ length: 13 }, (_, power) => 2 ** power);

/** So long that what a task costs besides does not matter: what is lost then, the machine has taken. */
const LONG_US = 250_000;

/** What a task is taken to cost besides, for the number of tasks of the first round. */
const FIRST_COST_US = 50;

/**
 * METG as Task Bench defines it (Slaughter et al. 2020): the shortest task at which a given share of a core's time is useful work. A
 * task is a loop of so many dependent multiplications, and its length what these take by themselves in the same thread, which
 * is measured before each point, as the best of 50 samples. One slot, all defaults, master and worker in two processes.
 *
 * The efficiency is tasks × length / time, from when all tasks are put to the last result. Each point takes about a second. METG
 * is found for each round by itself; once more by the processor's time of the worker instead of the time that passes. In the
 * sandbox three threads are busy when tasks are short, the master's, the worker's, and the one that computes: on two cores the last
 * is not alone on its own, and that counts as lost.
 */
export const granularity: Part = {
  name: 'granularity',
  title: 'METG: the shortest busy task at which so much of the time is useful work',
  async run(bench) {
    const kinds = [INLINE, SANDBOX];
    const contenders: Record<string, Contenders[string]> = {};
    for (const kind of kinds) Object.assign(contenders, await startContenders(bench, kind));
    const rounds = await inTurns(contenders, { rounds: bench.rounds, progress: bench.progress });
    return {
      rows: kinds.flatMap((kind) => rowsOf(kind, rounds)),
      series: { efficiency: Object.values(rounds.series()).flat() },
    };
  },
};

async function startContenders(bench: Bench, kind: Kind): Promise<Contenders> {
  const master = await bench.start<BusyMaster>('busy-master');
  const worker = await bench.start<BusyWorker>('busy-worker');
  await worker.call(kind.connect, await master.call('listen'));
  const pointMs = bench.isQuick ? 200 : 1000;
  return Object.fromEntries(
    [...LENGTHS_US, LONG_US].map((taskUs) => [
      nameOf(kind, taskUs),
      pointOf({ master, worker }, kind, taskUs, pointMs),
    ]),
  );
}

/** Takes as many tasks as went through in that time the last time. */
function pointOf({ master, worker }: Pair, kind: Kind, taskUs: number, pointMs: number): () => Promise<Figures> {
  let tasksPerMs = 1000 / (taskUs + FIRST_COST_US);
  return async () => {
    const tasks = Math.ceil(tasksPerMs * pointMs);
    const stepsPerUs = await master.call('stepsPerUs');
    const cpuBefore = await worker.call('cpuMs');
    const elapsedMs = await master.call('compute', tasks, Math.round(taskUs * stepsPerUs));
    const cpuMs = (await worker.call('cpuMs')) - cpuBefore;
    tasksPerMs = tasks / elapsedMs;
    const usefulMs = (tasks * taskUs) / 1000;
    const [efficiency, cpuEfficiency] = [usefulMs / elapsedMs, usefulMs / cpuMs];
    return { kind: kind.id, taskUs, efficiency, cpuEfficiency, tasks, stepsPerUs };
  };
}

function nameOf({ name }: Kind, taskUs: number): string {
  return `${name}, ${taskUs} µs`;
}

function rowsOf(kind: Kind, rounds: Rounds): PartFindings['rows'] {
  const curves = curvesOf((taskUs) => rounds.values(nameOf(kind, taskUs), 'efficiency'));
  const longCpu = rounds.values(nameOf(kind, LONG_US), 'cpuEfficiency');
  const relative = curvesOf((taskUs) =>
    rounds.values(nameOf(kind, taskUs), 'cpuEfficiency').map((share, round) => share / (longCpu[round] ?? Number.NaN)),
  );
  const row = (what: string, share: number, of: readonly EfficiencyPoint[][], target?: Target): Row =>
    measured({
      what: `METG(${share * 100} %), ${kind.name}${what}`,
      unit: 'µs',
      values: of.map((curve) => metgUs(curve, share)),
      ...(target === undefined ? {} : { target }),
    });
  return [
    ...kind.targets.map(({ share, atMostUs }) => row('', share, curves, { atMost: atMostUs })),
    ...kind.targets.map(({ share }) => row(", of the worker's CPU", share, relative)),
    measured({
      what: `useful in tasks of ${LONG_US / 1000} ms, ${kind.name}`,
      unit: '%',
      values: rounds.values(nameOf(kind, LONG_US), 'efficiency').map((efficiency) => efficiency * 100),
      note: NOTE,
    }),
  ];
}

const NOTE =
  "Of tasks of 250 ms only the machine takes anything: where it takes a tenth, METG(90 %) says nothing of taskdist. Of the worker's CPU, all threads, compared to that of tasks of 250 ms: other work on the machine matters less. In the sandbox three threads are busy when tasks are short, and on two cores they share.";

/** One per round. */
function curvesOf(valuesAt: (taskUs: number) => readonly number[]): EfficiencyPoint[][] {
  const byLength = LENGTHS_US.map(valuesAt);
  return (byLength[0] ?? []).map((_, round) =>
    LENGTHS_US.map((taskUs, index) => ({ taskUs, efficiency: byLength[index]?.[round] ?? Number.NaN })),
  );
}
