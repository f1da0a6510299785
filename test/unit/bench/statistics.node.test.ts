// What the bench makes of the values of several rounds.
import { describe, expect, it } from 'vitest';
import { median, quantile, spread } from '../../../bench/harness/statistics.ts';

describe('median', () => {
  it.each([
    ['the middle of an odd number', [9, 1, 5], 5],
    ['between the two in the middle of an even number', [9, 1, 4, 2], 3],
    ['the only one', [7], 7],
    ['by size, not by digits', [10, 9, 100], 10],
  ])('is %s', (_which, values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('leaves the values as they are', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('refuses to be that of nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('quantile', () => {
  it('lies between two values in proportion', () => {
    expect(quantile([0, 100], 0.99)).toBeCloseTo(99);
    expect(quantile([1, 2, 3], 1)).toBe(3);
  });
});

describe('spread', () => {
  it('is the smallest and the largest', () => {
    expect(spread([2, 9, 1])).toEqual([1, 9]);
  });
});
