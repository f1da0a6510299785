import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../src/rate.ts';

const WINDOW = 10_000;

/** Counts `n` events every `everyMs`, after `fromMs` until `toMs`. */
function count(meter: RateMeter, everyMs: number, n: number, fromMs: number, toMs: number): void {
  for (let atMs = fromMs + everyMs; atMs <= toMs; atMs += everyMs) meter.count(atMs, n);
}

describe('RateMeter', () => {
  it('tells 0 before anything was counted', () => {
    expect(new RateMeter(WINDOW, 0).perSecond(5)).toBe(0);
  });

  it('adds up what is left of each event, over what a rate of 1 would have added up to', () => {
    const meter = new RateMeter(WINDOW, 1000);
    meter.count(3000, 2);
    meter.count(8000);
    const sum = 2 * Math.exp(-0.8) + Math.exp(-0.3);
    expect(meter.perSecond(11_000)).toBeCloseTo(sum / (10 * (1 - Math.exp(-1))), 10);
    // Asking changes nothing.
    expect(meter.perSecond(11_000)).toBeCloseTo(sum / (10 * (1 - Math.exp(-1))), 10);
  });

  it.each([0.1, 0.2, 0.5, 1, 3, 10])('tells a steady rate after %f of the window', (part) => {
    const meter = new RateMeter(WINDOW, 0);
    count(meter, 10, 5, 0, part * WINDOW);
    expect(Math.abs(meter.perSecond(part * WINDOW) - 500)).toBeLessThan(5);
  });

  it('tells a steady rate, whatever it is and however it comes in', () => {
    const part = fc.double({ min: 0.2, max: 5, noNaN: true });
    const everyMs = fc.integer({ min: 1, max: 100 });
    const start = fc.integer({ min: 0, max: 1e9 });
    fc.assert(
      fc.property(part, everyMs, fc.integer({ min: 1, max: 1000 }), start, (part, everyMs, n, startMs) => {
        const meter = new RateMeter(WINDOW, startMs);
        count(meter, everyMs, n, startMs, startMs + part * WINDOW);
        const rate = (n * 1000) / everyMs;
        // Whether the next events are just in or just out makes a difference of one interval.
        expect(Math.abs(meter.perSecond(startMs + part * WINDOW) / rate - 1)).toBeLessThan(0.06);
      }),
    );
  });

  it('takes the first events for no flood', () => {
    const meter = new RateMeter(WINDOW, 0);
    meter.count(0);
    expect(meter.perSecond(0)).toBeCloseTo(1 / (10 * (1 - Math.exp(-0.1))), 10);
    expect(meter.perSecond(1)).toBeLessThan(2);
  });

  it('follows a rate that changes', () => {
    const meter = new RateMeter(WINDOW, 0);
    count(meter, 10, 1, 0, 60_000);
    expect(meter.perSecond(60_000) / 100).toBeCloseTo(1, 2);
    count(meter, 10, 3, 60_000, 70_000);
    expect(meter.perSecond(70_000) / (300 - 200 / Math.E)).toBeCloseTo(1, 2);
    count(meter, 10, 3, 70_000, 130_000);
    expect(meter.perSecond(130_000) / 300).toBeCloseTo(1, 2);
  });

  it('falls by a factor e per window of silence, to nothing', () => {
    const meter = new RateMeter(WINDOW, 0);
    count(meter, 10, 1, 0, 100_000);
    expect(meter.perSecond(110_000)).toBeCloseTo(meter.perSecond(100_000) / Math.E, 2);
    expect(meter.perSecond(300_000)).toBeLessThan(1e-6);
    expect(meter.perSecond(1e12)).toBe(0);
    meter.count(1e12);
    expect(meter.perSecond(1e12)).toBeCloseTo(0.1, 10);
  });
});
