// How METG is read off a curve.
import { describe, expect, it } from 'vitest';
import { type EfficiencyPoint, metgUs } from '../../../bench/harness/granularity.ts';

/** The efficiencies of tasks of 1, 10, 100, … µs. */
function curve(...efficiencies: number[]): EfficiencyPoint[] {
  return efficiencies.map((efficiency, power) => ({ taskUs: 10 ** power, efficiency }));
}

describe('metgUs', () => {
  it('is the length that has been measured to have just that efficiency', () => {
    expect(metgUs(curve(0.1, 0.5, 0.9), 0.5)).toBeCloseTo(10);
  });

  it('lies between two lengths in proportion to their logarithms', () => {
    expect(metgUs(curve(0.1, 0.4, 0.6, 0.9), 0.5)).toBeCloseTo(10 ** 1.5);
    expect(metgUs(curve(0, 0.4), 0.1)).toBeCloseTo(10 ** 0.25);
  });

  it('is the first crossing where there are several', () => {
    expect(metgUs(curve(0.4, 0.6, 0.3, 0.7), 0.5)).toBeCloseTo(10 ** 0.5);
  });

  it('is beyond what was measured where tasks cost the same as there', () => {
    // 4 µs besides the one of the task, and 100 besides 100.
    expect(metgUs(curve(0.2, 0.4, 0.5), 0.9)).toBeCloseTo(900);
    expect(metgUs(curve(0.9, 0.95), 0.5)).toBeCloseTo(1 / 9);
  });

  it('refuses a curve without points', () => {
    expect(() => metgUs([], 0.5)).toThrow(RangeError);
  });
});
