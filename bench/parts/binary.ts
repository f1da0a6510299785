// How fast large binary results arrive.
import type { Part, PartFindings } from '../harness/part.ts';
import { type Figures, inTurns, type Rounds } from '../harness/rounds.ts';
import { compared } from '../harness/rows.ts';
import { RESULT_BYTES } from '../processes/binary.ts';
import type { BinaryMaster } from '../processes/binary-master.ts';
import type { BinaryWorker } from '../processes/binary-worker.ts';
import type { WsBinaryClient } from '../processes/ws-binary-client.ts';
import type { WsBinaryServer } from '../processes/ws-binary-server.ts';
import { figuresOf } from './taskdist-pair.ts';

const OUTSTANDING = 8;
const MEGABYTE = 1_000_000;

/**
 * Each result is a `Float64Array` of 256 KiB, made when it is asked for; both ends and the middle are checked.
 *
 * - taskdist: tasks are put at once, all defaults.
 * - raw ws: asks in JSON text frames, 8 outstanding, and is answered with the bytes as a binary frame, which it reads in place.
 */
export const binary: Part = {
  name: 'binary',
  title: 'results of 256 KiB, one Node worker, inline',
  async run(bench) {
    const tasks = bench.isQuick ? 256 : 1024;
    const [master, worker] = [
      await bench.start<BinaryMaster>('binary-master'),
      await bench.start<BinaryWorker>('binary-worker'),
    ];
    await worker.call('connect', await master.call('listen'));
    const [server, client] = [
      await bench.start<WsBinaryServer>('ws-binary-server'),
      await bench.start<WsBinaryClient>('ws-binary-client'),
    ];
    await client.call('connect', await server.call('listen'));
    const rounds = await inTurns(
      {
        taskdist: () => throughputOf(figuresOf(tasks, worker, () => master.call('compute', tasks))),
        ws: () => throughputOf(figuresOf(tasks, client, () => server.call('compute', tasks, OUTSTANDING))),
      },
      bench,
    );
    return { rows: rowsOf(rounds), series: rounds.series() };
  },
};

async function throughputOf(figures: Promise<Figures>): Promise<Figures> {
  const { rate = Number.NaN, ...rest } = await figures;
  return { ...rest, megabytesPerSecond: (rate * RESULT_BYTES) / MEGABYTE };
}

function rowsOf(rounds: Rounds): PartFindings['rows'] {
  const figure = (name: string) => ({
    values: rounds.values('taskdist', name),
    against: 'raw ws',
    againstValues: rounds.values('ws', name),
  });
  return [
    compared({ what: 'results', unit: 'MB/s', ...figure('megabytesPerSecond'), target: { atLeast: 0.8 } }),
    compared({ what: "master's CPU per result", unit: 'µs', ...figure('masterCpuUs') }),
    compared({ what: "worker's CPU per result", unit: 'µs', ...figure('workerCpuUs') }),
  ];
}
