// Where ticks stand on an axis.
import { describe, expect, it } from 'vitest';
import { labelledTicks } from '../../../../bench/plots/line-chart.ts';
import { linear, logarithmic, withTicks } from '../../../../bench/plots/scale.ts';

describe('a linear axis', () => {
  it.each([
    [10, [0, 2, 4, 6, 8, 10]],
    [140_000, [0, 50_000, 100_000, 150_000]],
    [1.2, [0, 0.25, 0.5, 0.75, 1, 1.25]],
    [0.3, [0, 0.1, 0.2, 0.3]],
    [0, [0, 1]],
  ])('up to %d has round ticks, from zero to above the largest', (largest, ticks) => {
    expect(linear(largest).ticks).toEqual(ticks);
  });

  it('divides its length in proportion', () => {
    const { at } = linear(10);
    expect([0, 2.5, 10].map(at)).toEqual([0, 0.25, 1]);
  });

  it('may be told its ticks', () => {
    const { ticks, at } = withTicks([0, 0.5, 0.9], 2);
    expect(ticks).toEqual([0, 0.5, 0.9]);
    expect(at(0.5)).toBe(0.25);
  });
});

describe('a logarithmic axis', () => {
  it('has a tick at each power of ten', () => {
    expect(logarithmic(1, 4096).ticks).toEqual([1, 10, 100, 1000]);
  });

  it('has more of them where it is short', () => {
    expect(logarithmic(3, 30).ticks).toEqual([5, 10, 20]);
  });

  it('gives each decade the same length', () => {
    const { at } = logarithmic(1, 10_000);
    expect([1, 10, 100, 10_000].map(at)).toEqual([0, 0.25, 0.5, 1]);
  });

  it('has room for a single figure', () => {
    expect(logarithmic(10, 10).at(10)).toBeCloseTo(0.5);
  });

  it('refuses zero', () => {
    expect(() => logarithmic(0, 10)).toThrow(RangeError);
  });
});

describe('the labels of an axis', () => {
  const labels = (...widths: number[]) => widths.map((width, index) => ({ at: index * 50, width }));

  it('all stand where there is room', () => {
    expect([...labelledTicks(labels(40, 40, 40))]).toEqual([0, 1, 2]);
  });

  it('stand at every second tick where they would touch, and always at the last', () => {
    expect([...labelledTicks(labels(10, 10, 60, 60))]).toEqual([1, 3]);
  });
});
