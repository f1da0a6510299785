// How figures are written.
import { describe, expect, it } from 'vitest';
import { count, duration, exactly, number, percent, quantity, ratio } from '../../../../bench/plots/for-people.ts';

/** As it is read: spaces that do not break look like others. */
const read = (text: string) => text.replaceAll('\u00a0', ' ');

describe('figures', () => {
  it.each([
    [number(126_345), '126 000'],
    [number(1_000_000), '1 000 000'],
    [number(999.6), '1 000'],
    [number(2.4), '2.4'],
    [number(0.01234), '0.0123'],
    [number(0), '0'],
    [number(Number.NaN), '–'],
    [exactly(4096), '4 096'],
    [ratio(0.9), '0.90'],
    [ratio(21.67), '21.7'],
    [percent(0.905), '90.5 %'],
    [count(10_000), '10 000'],
    [count(2_000_000), '2 million'],
  ])('are written with three digits that mean something, such as %s', (written, expected) => {
    expect(read(written)).toBe(expected);
  });

  it('are told in a unit that fits', () => {
    expect([0.5, 2.4, 999, 999.6, 1137, 2_500_000].map(duration).map(read)).toEqual([
      '0.5 µs',
      '2.4 µs',
      '999 µs',
      '1 ms',
      '1.14 ms',
      '2.5 s',
    ]);
    expect(read(quantity(1137, 'µs'))).toBe('1.14 ms');
    expect(read(quantity(1137, 'tasks/s'))).toBe('1 140 tasks/s');
  });

  it('are not torn from their units', () => {
    expect(quantity(126_000, 'tasks/s')).not.toContain(' ');
  });
});
