// How long one task takes there and back, when nothing else is under way.
import type { Part, PartFindings } from '../harness/part.ts';
import { inTurns, type Rounds } from '../harness/rounds.ts';
import { compared } from '../harness/rows.ts';
import type { Trips } from '../processes/trips.ts';
import type { WsClient } from '../processes/ws-client.ts';
import type { WsServer } from '../processes/ws-server.ts';
import { startTaskdist } from './taskdist-pair.ts';

/**
 * - taskdist: a task is put when the result of the one before is there; all defaults.
 * - raw ws: a JSON text frame with the same task comes back as it was sent, one at a time. Only the sender reads it.
 */
export const latency: Part = {
  name: 'latency',
  title: 'one task at a time, put → result',
  async run(bench) {
    const trips = bench.isQuick ? 2_000 : 10_000;
    const { master } = await startTaskdist(bench);
    const server = await bench.start<WsServer>('ws-server');
    const client = await bench.start<WsClient>('ws-client');
    await client.call('echo', await server.call('listen'));
    const rounds = await inTurns(
      {
        taskdist: async () => figuresOf(trips, await master.call('trips', trips)),
        ws: async () => figuresOf(trips, await server.call('trips', trips)),
      },
      bench,
    );
    return { rows: rowsOf(rounds), series: rounds.series() };
  },
};

function figuresOf(count: number, { elapsedMs, medianUs, p99Us }: Trips) {
  return { trips: count, rate: (count / elapsedMs) * 1000, medianUs, p99Us };
}

function rowsOf(rounds: Rounds): PartFindings['rows'] {
  const values = (figure: string) => ({
    values: rounds.values('taskdist', figure),
    against: 'ws echo',
    againstValues: rounds.values('ws', figure),
  });
  return [
    compared({ what: 'tasks one by one', unit: 'tasks/s', ...values('rate'), target: { atLeast: 0.8 } }),
    compared({ what: 'half of them take at most', unit: 'µs', ...values('medianUs') }),
    compared({ what: '99 % of them take at most', unit: 'µs', ...values('p99Us') }),
  ];
}
