// How results look in a terminal.
import { describe, expect, it } from 'vitest';
import type { PartResult, Row } from '../../../bench/harness/results.ts';
import { compared, measured } from '../../../bench/harness/rows.ts';
import { formatNumber, formatPart, formatSummary } from '../../../bench/harness/table.ts';

function partWith(rows: readonly Row[]): PartResult {
  return { title: 'a title', date: '', rounds: 2, isQuick: false, rows, series: {} };
}

const fast = compared({
  what: 'small tasks',
  unit: 'tasks/s',
  values: [400_000, 400_000],
  against: 'raw ws',
  againstValues: [100_000, 50_000],
  target: { atLeast: 4 },
  note: 'A note.',
});
const heavy = measured({ what: 'heap', unit: 'bytes', values: [612, 614], target: { atMost: 500 }, note: 'A note.' });

describe('formatPart', () => {
  it('aligns the rows, and tells each note once', () => {
    expect(formatPart('throughput', partWith([fast, heavy])).split('\n')).toEqual([
      'throughput: a title (2 rounds)',
      'what                 measured  against         ratio    (min–max)  target',
      'small tasks   400 000 tasks/s  raw ws 75 000  6.00 ×  (4.00–8.00)   ≥ 4 ×  ✓',
      'heap                613 bytes                           (612–614)   ≤ 500  ✗',
      '  · A note.',
    ]);
  });

  it('fits a terminal, whatever is measured', () => {
    const rows = [{ ...fast, what: 'a very long '.repeat(20), note: 'a very long note '.repeat(20) }];
    const lines = formatPart('throughput', partWith(rows)).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(112);
  });

  it('says that a look was quick', () => {
    expect(formatPart('a', { ...partWith([]), isQuick: true, rounds: 1 })).toContain('a: a title (1 round, quick)');
  });
});

describe('formatSummary', () => {
  it('counts what has a target', () => {
    const report = measured({ what: 'heap', unit: 'bytes', values: [1] });
    expect(formatSummary([partWith([fast, report]), partWith([heavy])])).toBe('1 of 2 targets met');
  });
});

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [0.25, '0.25'],
    [6.489, '6.49'],
    [12.34, '12.3'],
    [10, '10'],
    [999.6, '1 000'],
    [1_234_567.8, '1 234 568'],
    [-4321, '-4 321'],
    [Number.NaN, '–'],
  ])('writes %d as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});
