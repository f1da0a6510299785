// What becomes of earlier results.
import { describe, expect, it } from 'vitest';
import { mergeResults, type PartResult, parseResults, type Results } from '../../../bench/harness/results.ts';

const machine = { node: '20.19.0', platform: 'linux x64', cpu: 'one', cores: 2, memoryBytes: 1 };
const [earlier, later] = ['2026-01-01T00:00:00.000Z', '2026-02-02T00:00:00.000Z'];

function partOf(title: string): PartResult {
  return { title, date: earlier, rounds: 5, isQuick: false, rows: [], series: {} };
}

const before: Results = { machine, date: earlier, parts: { a: partOf('old a'), b: partOf('old b') } };

describe('mergeResults', () => {
  it('keeps the parts that were not measured', () => {
    const results = mergeResults(before, machine, later, { b: partOf('new b'), c: partOf('new c') });
    expect(Object.entries(results.parts).map(([name, { title }]) => [name, title])).toEqual([
      ['a', 'old a'],
      ['b', 'new b'],
      ['c', 'new c'],
    ]);
    expect(results.date).toBe(later);
  });

  it('begins with nothing', () => {
    expect(mergeResults(undefined, machine, later, {}).parts).toEqual({});
  });
});

describe('parseResults', () => {
  it('reads what was written', () => {
    expect(parseResults(JSON.stringify(before))).toEqual(before);
  });

  it.each(['', '{', 'null', '[]', '{"machine":{}}', '{"machine":{},"parts":3}'])('takes %j for no results', (text) => {
    expect(parseResults(text)).toBeUndefined();
  });
});
