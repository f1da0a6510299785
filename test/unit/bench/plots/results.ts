// Results as small as they can be, for the pictures and the table.
import type { PartResult, Results, Row, Series } from '../../../../bench/harness/results.ts';

export function resultsOf(parts: Record<string, Partial<PartResult>>): Results {
  const date = '2026-01-02T03:04:05.000Z';
  const empty = { title: 'a title', date, rounds: 5, isQuick: false, rows: [], series: {} };
  return {
    machine: { node: '20.19.0', platform: 'linux x64', cpu: 'Some CPU', cores: 2, memoryBytes: 8e9 },
    date,
    parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, { ...empty, ...part }])),
  };
}

export function seriesOf(series: Series): Partial<PartResult> {
  return { series };
}

export const row: Row = { what: 'tasks', unit: 'tasks/s', value: 65_432 };
