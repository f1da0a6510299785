import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/testing/seeded-random.ts';
import { Reconnection } from '../../../src/worker/reconnection.ts';

const longest = (): number => 1;
const shortest = (): number => 0;

describe('Reconnection', () => {
  it('doubles the bound of the wait with every failure in a row, up to the cap', () => {
    const reconnection = new Reconnection({ base: 500, cap: 30_000 }, longest);
    expect([1, 2, 3, 4, 5, 6, 7, 8, 100, 5000].map((failures) => reconnection.delayMs(failures))).toEqual([
      500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000,
    ]);
  });

  it('has those bounds by default', () => {
    const reconnection = new Reconnection({}, longest);
    expect([reconnection.delayMs(1), reconnection.delayMs(99)]).toEqual([500, 30_000]);
  });

  it('grows by the factor that it is given', () => {
    const reconnection = new Reconnection({ base: 1, factor: 10, cap: 5000 }, longest);
    expect([1, 2, 3, 4, 5].map((failures) => reconnection.delayMs(failures))).toEqual([1, 10, 100, 1000, 5000]);
  });

  it('never waits longer than the cap, even the first time', () => {
    expect(new Reconnection({ base: 1000, cap: 200 }, longest).delayMs(1)).toBe(200);
  });

  it('waits any time from 0 to the bound: full jitter', () => {
    expect(new Reconnection({}, shortest).delayMs(3)).toBe(0);
    const reconnection = new Reconnection({ base: 1000, cap: 1000 }, seededRandom(1));
    const waits = Array.from({ length: 2000 }, () => reconnection.delayMs(1));
    const inTenths = waits.reduce(
      (counts, wait) => counts.with(Math.floor(wait / 100), (counts[Math.floor(wait / 100)] ?? 0) + 1),
      Array<number>(10).fill(0),
    );
    // Each tenth of the range gets about a tenth of the waits.
    for (const count of inTenths) expect(Math.abs(count - 200)).toBeLessThan(60);
  });

  it.each([
    [null, 'Expected `reconnect` to be an object, got null'],
    [true, 'Expected `reconnect` to be an object, got true'],
    [{ max: 1 }, 'Unknown option `max` for reconnect; the options are base, factor, cap'],
    [{ base: 0 }, 'Expected `reconnect.base` to be a number of milliseconds ≥ 1, got 0'],
    [{ base: Number.POSITIVE_INFINITY }, 'Expected `reconnect.base` to be a number of milliseconds ≥ 1, got Infinity'],
    [{ factor: 0.5 }, 'Expected `reconnect.factor` to be a number from 1 to 1000, got 0.5'],
    [{ cap: '1' }, 'Expected `reconnect.cap` to be a number of milliseconds ≥ 1, got "1"'],
  ])('checks its options: %j', (options, message) => {
    expect(() => new Reconnection(options as never, longest)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
  });
});
