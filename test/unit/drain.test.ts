import { describe, expect, it } from 'vitest';
import { deferred } from '../../src/deferred.ts';
import { within } from '../../src/drain.ts';
import { ClampedClock, DAY_MS } from '../support/clamped-clock.ts';
import { follow } from '../support/holders.ts';

function setUp(limitMs: number) {
  const clock = new ClampedClock();
  const { promise, resolve } = deferred();
  return { clock, resolve, outcome: follow(within(limitMs, clock, promise)) };
}

describe('within', () => {
  it('waits for the promise', async () => {
    const { clock, outcome, resolve } = setUp(1000);
    await clock.advance(999);
    expect(outcome().status).toBe('pending');
    resolve();
    await clock.settle();
    expect([outcome().status, clock.pendingTimers]).toEqual(['fulfilled', 0]);
  });

  it.each([0, 1000, 60 * DAY_MS])('waits no longer than its limit, and no shorter: %i ms', async (limitMs) => {
    const { clock, outcome } = setUp(limitMs);
    if (limitMs > 0) await clock.advance(limitMs - 1);
    if (limitMs > 0) expect(outcome().status).toBe('pending');
    await clock.advance(1);
    expect([outcome().status, clock.pendingTimers]).toEqual(['fulfilled', 0]);
  });

  it('waits for ever if there is no limit', async () => {
    const { clock, outcome, resolve } = setUp(Number.POSITIVE_INFINITY);
    await clock.advance(100 * DAY_MS);
    expect([outcome().status, clock.pendingTimers]).toEqual(['pending', 0]);
    resolve();
    await clock.settle();
    expect(outcome().status).toBe('fulfilled');
  });

  it('fails as the promise does, and leaves no timer', async () => {
    const clock = new ClampedClock();
    await expect(within(1000, clock, Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(clock.pendingTimers).toBe(0);
  });
});
