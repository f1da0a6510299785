// How results look in the page.
import { describe, expect, it } from 'vitest';
import { compared, measured } from '../../../../bench/harness/rows.ts';
import { resultsTable } from '../../../../bench/plots/results-table.ts';
import { resultsOf, row } from './results.ts';

const lost = compared({
  what: 'small | tasks',
  unit: 'tasks/s',
  values: [97_318, 97_318],
  against: 'raw ws',
  againstValues: [40_909, 48_659],
  target: { atLeast: 4 },
  note: 'A note.',
});
const heavy = measured({ what: 'heap', unit: 'bytes', values: [4000], target: { atMost: 4096 }, note: 'A note.' });

/** As it is read: spaces that do not break look like others. */
const linesOf = (table: string) => table.replaceAll('\u00a0', ' ').split('\n');

describe('the table of the results', () => {
  it('has every row, losses included, and each note once', () => {
    const table = resultsTable(resultsOf({ throughput: { rows: [lost, heavy, row], isQuick: true } }), []);
    expect(linesOf(table)).toEqual([
      '1 of 2 targets are met. Measured with Node 20.19.0 on linux x64, 2 × Some CPU, 8 GB.',
      '',
      '| part | what | measured | against | ratio | min–max | to reach | |',
      '|---|---|--:|---|--:|--:|--:|:-:|',
      '| throughput | small \\| tasks | 97 300 tasks/s | raw ws: 44 800 tasks/s | 2.19 × | 2.00–2.38 | ≥ 4 × | ✗ |',
      '| | heap | 4 000 bytes | | | 4 000–4 000 | ≤ 4 096 bytes | ✓ |',
      '| | tasks | 65 400 tasks/s | | | | | |',
      '',
      '- throughput: a title (2026-01-02, 5 rounds, a quick look). A note.',
    ]);
  });

  it('tells a spread in the unit of its figure', () => {
    const slow = measured({ what: 'time', unit: 'µs', values: [900, 1137, 1200] });
    const table = linesOf(resultsTable(resultsOf({ a: { rows: [slow] } }), []));
    expect(table).toContain('| a | time | 1.14 ms | | | 900 µs–1.2 ms | | |');
  });

  it('has the parts in the order of the bench, and what it does not know at the end', () => {
    const results = resultsOf({ old: { rows: [row] }, b: { rows: [row] }, a: { rows: [row] } });
    const names = linesOf(resultsTable(results, ['a', 'b'])).flatMap(
      (line) => /^\| (\w+) \| tasks/.exec(line)?.[1] ?? [],
    );
    expect(names).toEqual(['a', 'b', 'old']);
  });
});
