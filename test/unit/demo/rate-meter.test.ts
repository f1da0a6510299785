import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../../demo/rate-meter.ts';

describe('RateMeter', () => {
  it('is 0 while nothing has happened', () => {
    expect(new RateMeter(0).perSecond(5000)).toBe(0);
  });

  it('counts what happened in the last ten seconds', () => {
    const meter = new RateMeter(0);
    for (let time = 0; time <= 60_000; time += 500) {
      meter.record(time);
    }
    expect(meter.perSecond(60_000)).toBe(2);
    expect(meter.perSecond(65_000)).toBe(1);
    expect(meter.perSecond(80_000)).toBe(0);
  });

  it('takes the rate of a young meter over its own time, but over two seconds at least', () => {
    const meter = new RateMeter(100_000);
    meter.record(100_100);
    expect(meter.perSecond(100_200)).toBe(0.5);
    expect(meter.perSecond(104_000)).toBe(0.25);
  });
});
