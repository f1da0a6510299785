import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DurationSummary, Histogram } from '../../src/histogram.ts';

function summaryOf(durations: readonly number[]): DurationSummary {
  const histogram = new Histogram();
  for (const ms of durations) histogram.record(ms);
  return histogram.summary();
}

const MICROSECOND = 0.001;
const DAY = 86_400_000;

/** As many between 1 and 2 µs as between 1 and 2 days. */
const duration = fc.double({ min: Math.log2(MICROSECOND), max: Math.log2(20 * DAY), noNaN: true }).map((x) => 2 ** x);
const durations = fc.array(duration, { minLength: 1, maxLength: 300 });

/** The least of the durations that so many per cent of them are not longer than. */
function exactPercentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.find((_, index) => (index + 1) * 100 >= percent * sorted.length) ?? Number.NaN;
}

describe('Histogram', () => {
  it('is all 0 while it is empty', () => {
    expect(summaryOf([])).toEqual({ count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 });
  });

  it.each([0, 0.0001, MICROSECOND, 1, 15, 16, 17.3, 1000, DAY, 24 * DAY, 365 * DAY])(
    'tells a lone duration: %f',
    (ms) => {
      expect(summaryOf([ms])).toEqual({ count: 1, mean: ms, min: ms, max: ms, p50: ms, p90: ms, p99: ms });
    },
  );

  it('counts, and knows mean, minimum and maximum', () => {
    expect(summaryOf([3, 1, 8, 0])).toMatchObject({ count: 4, mean: 3, min: 0, max: 8 });
  });

  it('is off by 5 % at most, from a microsecond to weeks', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const summary = summaryOf(values);
        for (const [percent, told] of [
          [50, summary.p50],
          [90, summary.p90],
          [99, summary.p99],
        ] as const) {
          const exact = exactPercentile(values, percent);
          expect(Math.abs(told - exact) / exact).toBeLessThanOrEqual(0.05);
        }
      }),
    );
  });

  it.each([MICROSECOND, 0.0019, 0.03, 1, 1.0625, 900, DAY, 20 * DAY])('tells what lies between others: %f', (ms) => {
    expect(Math.abs(summaryOf([0, ms, 1.25 * ms]).p50 / ms - 1)).toBeLessThanOrEqual(0.05);
  });

  it('tells nothing that is out of order or was not there', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const { count, mean, min, max, p50, p90, p99 } = summaryOf(values);
        expect([count, min, max]).toEqual([values.length, Math.min(...values), Math.max(...values)]);
        expect([min, p50, p90, p99, max]).toEqual([min, p50, p90, p99, max].toSorted((a, b) => a - b));
        expect(mean).toBeGreaterThanOrEqual(min);
        expect(mean).toBeLessThanOrEqual(max);
      }),
    );
    // 0.1 + 0.1 + 0.1 is more than 0.3.
    expect(summaryOf([0.1, 0.1, 0.1]).mean).toBe(0.1);
  });

  it.each([
    { short: 9, long: 1, p50: 1, p90: 1, p99: 1000 },
    { short: 8, long: 2, p50: 1, p90: 1000, p99: 1000 },
    { short: 99, long: 1, p50: 1, p90: 1, p99: 1 },
    { short: 98, long: 2, p50: 1, p90: 1, p99: 1000 },
    { short: 1, long: 1, p50: 1, p90: 1000, p99: 1000 },
  ])('counts to the per cent: $short short ones and $long long ones', ({ short, long, ...percentiles }) => {
    const { p50, p90, p99 } = summaryOf([...Array<number>(short).fill(1), ...Array<number>(long).fill(1000)]);
    const isLong = (ms: number): number => (ms > 900 ? 1000 : Math.round(ms));
    expect({ p50: isLong(p50), p90: isLong(p90), p99: isLong(p99) }).toEqual(percentiles);
  });

  it('takes what is shorter than a microsecond for next to nothing', () => {
    expect(summaryOf([0, 0.0002, 0.0005, 1]).p50).toBe(0);
  });

  it('takes what is longer than weeks for its longest', () => {
    expect(summaryOf([30 * DAY, 40 * DAY, 50 * DAY])).toMatchObject({ p50: 50 * DAY, mean: 40 * DAY });
  });

  it('takes a negative duration for 0, and leaves out what is no finite number', () => {
    const { NaN: nan, POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;
    expect(summaryOf([-5, nan, POSITIVE_INFINITY, NEGATIVE_INFINITY, 10])).toMatchObject({ count: 2, mean: 5, min: 0 });
    expect(Object.is(summaryOf([-0]).min, 0)).toBe(true);
  });

  it('tells what was recorded so far, and goes on', () => {
    const histogram = new Histogram();
    histogram.record(1);
    const first = histogram.summary();
    histogram.record(3);
    expect([first.count, first.max, histogram.summary().count, histogram.summary().max]).toEqual([1, 1, 2, 3]);
  });
});
