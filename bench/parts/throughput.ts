// How many tasks a second go through one worker, compared to what else one would take.
import type { Bench, Part, PartFindings } from '../harness/part.ts';
import type { Row } from '../harness/results.ts';
import { type Contenders, inTurns, type Rounds } from '../harness/rounds.ts';
import { compared } from '../harness/rows.ts';
import type { BullmqQueue } from '../processes/bullmq-queue.ts';
import type { BullmqWorker } from '../processes/bullmq-worker.ts';
import type { PiscinaPool } from '../processes/piscina-pool.ts';
import type { RedisHost } from '../processes/redis.ts';
import type { WsClient } from '../processes/ws-client.ts';
import type { WsServer } from '../processes/ws-server.ts';
import { figuresOf, startTaskdist, taskdistFigures } from './taskdist-pair.ts';

const OUTSTANDING = 64;

/**
 * Tasks are `fibonacci(10)`, and every result is checked, by their sum.
 *
 * - taskdist: `FifoScheduler`, `Master` and `Worker` with a function, all defaults, in two processes. All tasks are put at
 *   once, and the time runs until the last promise has settled.
 * - raw ws: two processes, a JSON text frame per task and per result, 64 tasks outstanding, no promises, no
 *   bookkeeping: less than anybody could use.
 * - BullMQ: producer, worker and Redis are processes of their own. Jobs are added by `addBulk` in chunks of 1000, while the
 *   worker, with concurrency 64, completes them; jobs are removed on completion. Results are counted by the worker's own
 *   `completed` event, which is cheaper than `QueueEvents` in the producer, and leaves out the way of the results.
 * - Piscina: one thread, the pool in the process that puts. `concurrentTasksPerWorker: 64`, which makes it five times as fast
 *   for such tasks, `FixedQueue`, which its documentation advises, and no recording of times; once more as it is by default.
 */
export const throughput: Part = {
  name: 'throughput',
  title: 'fibonacci(10), one Node worker, inline',
  requires: ['redis'],
  async run(bench) {
    const rounds = await inTurns(await startContenders(bench), { rounds: bench.rounds, progress: bench.progress });
    return { rows: rowsOf(rounds, bench), series: rounds.series() };
  },
};

async function startContenders(bench: Bench): Promise<Contenders> {
  const tasks = bench.isQuick ? 20_000 : 100_000;
  const taskdist = await startTaskdist(bench);
  return {
    taskdist: () => taskdistFigures(taskdist, tasks),
    ws: await startWs(bench, tasks),
    ...(bench.redis === undefined ? {} : { bullmq: await startBullmq(bench, bench.redis, tasks / 10) }),
    piscina: await startPiscina(bench, tasks / 2, true),
    'piscina, defaults': await startPiscina(bench, tasks / 10, false),
    'taskdist, ten times as many': () => taskdistFigures(taskdist, tasks * 10),
  };
}

async function startWs(bench: Bench, tasks: number): Promise<Contenders[string]> {
  const server = await bench.start<WsServer>('ws-server');
  const client = await bench.start<WsClient>('ws-client');
  await client.call('connect', await server.call('listen'));
  return () => figuresOf(tasks, client, () => server.call('compute', tasks, OUTSTANDING));
}

async function startBullmq(bench: Bench, program: string, tasks: number): Promise<Contenders[string]> {
  const redis = await bench.start<RedisHost>('redis');
  const port = await redis.call('start', program);
  const queue = await bench.start<BullmqQueue>('bullmq-queue');
  const worker = await bench.start<BullmqWorker>('bullmq-worker');
  await queue.call('open', port);
  await worker.call('connect', port, OUTSTANDING);
  return async () => {
    const startedAt = performance.now();
    await Promise.all([worker.call('completed', tasks), queue.call('add', tasks)]);
    return { tasks, rate: (tasks / (performance.now() - startedAt)) * 1000 };
  };
}

async function startPiscina(bench: Bench, tasks: number, isForTinyTasks: boolean): Promise<Contenders[string]> {
  const pool = await bench.start<PiscinaPool>('piscina-pool');
  if (isForTinyTasks) await pool.call('prepareForTinyTasks');
  return async () => {
    const { elapsedMs } = await pool.call('compute', tasks);
    return { tasks, rate: (tasks / elapsedMs) * 1000 };
  };
}

function rowsOf(rounds: Rounds, bench: Bench): PartFindings['rows'] {
  const rate = { unit: 'tasks/s', values: rounds.values('taskdist', 'rate') };
  const against = (name: string, contender: string, atLeast?: number, note?: string): Row =>
    compared({
      ...rate,
      what: bench.isQuick ? '20 000 tasks' : '100 000 tasks',
      against: name,
      againstValues: rounds.values(contender, 'rate'),
      ...(atLeast === undefined ? {} : { target: { atLeast } }),
      ...(note === undefined ? {} : { note }),
    });
  const cpu = (what: string, figure: string): Row =>
    compared({
      what,
      unit: 'µs',
      values: rounds.values('taskdist', figure),
      against: 'raw ws',
      againstValues: rounds.values('ws', figure),
    });
  return [
    against('raw ws', 'ws', 4, 'raw ws: a JSON frame per task and per result, 64 outstanding, no promises.'),
    ...(bench.redis === undefined ? [] : [against('BullMQ', 'bullmq', 10, BULLMQ)]),
    against('Piscina', 'piscina', 5, PISCINA),
    against('its defaults', 'piscina, defaults'),
    compared({
      what: bench.isQuick ? '200 000 tasks at once' : '1 000 000 tasks at once',
      unit: 'tasks/s',
      values: rounds.values('taskdist, ten times as many', 'rate'),
      against: 'a tenth of them',
      againstValues: rate.values,
      target: { atLeast: 0.9 },
    }),
    cpu("master's CPU per task", 'masterCpuUs'),
    cpu("worker's CPU per task", 'workerCpuUs'),
  ];
}

const BULLMQ =
  'BullMQ: Redis on this machine, addBulk by 1000, concurrency 64, a tenth of the tasks; results are counted in its worker, which is cheaper than QueueEvents.';
const PISCINA =
  'Piscina: one thread, in-process, half of the tasks; concurrentTasksPerWorker 64, FixedQueue, no timings. By default it runs one task at a time.';
