// Whether it gets slower with much of something: tasks that wait, types of tasks, idle workers, or kinds of them.
import type { Bench, Part } from '../harness/part.ts';
import type { Row, Series } from '../harness/results.ts';
import { type Contenders, inTurns, type Rounds } from '../harness/rounds.ts';
import { compared } from '../harness/rows.ts';
import { formatNumber } from '../harness/table.ts';
import type { CrowdWorker } from '../processes/crowd-worker.ts';
import type { GrowthMaster } from '../processes/growth-master.ts';
import type { TaskdistWorker } from '../processes/taskdist-worker.ts';

interface Setting {
  readonly backlog: number;
  readonly types: number;
  readonly idleWorkers: number;
  /** How many kinds of them there are, by their labels. */
  readonly kinds: number;
}

interface Dimension {
  readonly name: keyof Setting;
  readonly what: (size: number) => string;
  readonly sizes: readonly number[];
  /** The rest of the setting. */
  readonly common: Setting;
}

const common: Setting = { backlog: 10_000, types: 1, idleWorkers: 0, kinds: 1 };

const dimensions: readonly Dimension[] = [
  { name: 'backlog', what: (size) => `${formatNumber(size)} tasks wait`, sizes: [1e3, 1e4, 1e5, 1e6], common },
  // So many that each type is there ten times.
  {
    name: 'types',
    what: (size) => `${formatNumber(size)} types of tasks`,
    sizes: [1, 10, 100, 1000, 10_000],
    common: { ...common, backlog: 100_000 },
  },
  {
    name: 'idleWorkers',
    what: (size) => `${formatNumber(size)} other workers idle`,
    sizes: [1, 10, 100, 1000],
    common,
  },
  {
    name: 'kinds',
    what: (size) => `${formatNumber(size)} kinds among 1000 idle workers`,
    sizes: [1, 10, 100, 1000],
    common: { ...common, idleWorkers: 1000 },
  },
];

/**
 * One busy worker, `fibonacci(10)`, and a queue of constant length: whenever a task is done, another one is put. Each size has a
 * master and a worker of its own; while the others are measured, the worker is paused.
 *
 * - backlog: 10³ to 10⁶ tasks in the queue;
 * - types: tasks of 1 to 10 000 types in turn, 100 000 in the queue;
 * - idle workers: 1 to 1000 others are connected, which accept another type of tasks; 10 000 in the queue;
 * - kinds: 1000 others, as before, with 1 to 1000 different labels; 10 000 in the queue.
 */
export const growth: Part = {
  name: 'growth',
  title: 'the rate with much of something',
  async run(bench) {
    const tasks = bench.isQuick ? 20_000 : 100_000;
    const rows: Row[] = [];
    const series: Record<string, Series[string]> = {};
    for (const dimension of dimensions) {
      const contenders: Record<string, Contenders[string]> = {};
      const endings: (() => Promise<void>)[] = [];
      for (const size of dimension.sizes) {
        const { measure, end } = await start(bench, { ...dimension.common, [dimension.name]: size }, tasks);
        contenders[`${dimension.name} ${size}`] = measure;
        endings.push(end);
      }
      const rounds = await inTurns(contenders, bench);
      await Promise.all(endings.map((end) => end()));
      rows.push(...rowsOf(dimension, rounds));
      series[dimension.name] = Object.values(rounds.series()).flat();
    }
    return { rows, series };
  },
};

async function start(bench: Bench, setting: Setting, tasks: number) {
  const { backlog, types, idleWorkers, kinds } = setting;
  const master = await bench.start<GrowthMaster>('growth-master');
  const worker = await bench.start<TaskdistWorker>('taskdist-worker');
  const crowd = idleWorkers > 0 ? await bench.start<CrowdWorker>('crowd-worker') : undefined;
  const port = await master.call('listen');
  await crowd?.call('connect', port, idleWorkers, ['something else'], kinds);
  await worker.call('connect', port);
  await worker.call('pause');
  await master.call('fill', backlog, types);
  return {
    async measure() {
      const [{ elapsedMs, cpuMs }] = await Promise.all([master.call('done', tasks), worker.call('resume')]);
      await worker.call('pause');
      return { ...setting, rate: (tasks / elapsedMs) * 1000, masterCpuUs: (cpuMs / tasks) * 1000 };
    },
    async end() {
      await Promise.all([master, worker, crowd].map((process) => process?.[Symbol.asyncDispose]()));
    },
  };
}

function rowsOf({ name, what, sizes }: Dimension, rounds: Rounds): Row[] {
  const [smallest, ...larger] = sizes;
  const againstValues = rounds.values(`${name} ${smallest}`, 'rate');
  return larger.map((size) =>
    compared({
      what: what(size),
      unit: 'tasks/s',
      values: rounds.values(`${name} ${size}`, 'rate'),
      against: formatNumber(smallest ?? Number.NaN),
      againstValues,
      target: { atLeast: 0.9 },
      note: 'Flat is read as: not below 0.9 of the rate at the smallest.',
    }),
  );
}
