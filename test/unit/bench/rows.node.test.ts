// How rounds become a row, and how a row is judged.
import { describe, expect, it } from 'vitest';
import { compared, measured } from '../../../bench/harness/rows.ts';

const rate = { what: 'tasks', unit: 'tasks/s' };

describe('compared', () => {
  it('takes the median of the ratios of each round, not the ratio of the medians', () => {
    const row = compared({ ...rate, values: [10, 20, 90], against: 'other', againstValues: [10, 5, 30] });
    expect(row).toMatchObject({ value: 20, againstValue: 10, ratio: 3, spread: [1, 4] });
  });

  it('is judged by the ratio', () => {
    const rounds = { ...rate, values: [8], against: 'other', againstValues: [2] };
    expect(compared({ ...rounds, target: { atLeast: 4 } }).met).toBe(true);
    expect(compared({ ...rounds, target: { atLeast: 4.1 } }).met).toBe(false);
    expect(compared({ ...rounds, target: { atMost: 4 } }).met).toBe(true);
    expect(compared(rounds)).not.toHaveProperty('met');
  });

  it('refuses rounds that one of both has missed', () => {
    expect(() => compared({ ...rate, values: [1, 2], against: 'other', againstValues: [1] })).toThrow(RangeError);
  });
});

describe('measured', () => {
  it('is judged by the median', () => {
    const row = measured({ ...rate, values: [400, 900, 450], target: { atMost: 500 } });
    expect(row).toEqual({ ...rate, value: 450, spread: [400, 900], target: { atMost: 500 }, met: true });
  });
});
