import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/token-bucket.ts';

/** How many tokens it gives at that moment. */
function drain(bucket: TokenBucket, nowMs: number, floor = 0): number {
  let count = 0;
  while (bucket.take(nowMs, floor)) count += 1;
  return count;
}

describe('TokenBucket', () => {
  it('is full at first, and fills again at its rate, up to its burst', () => {
    const bucket = new TokenBucket(100, 5, 1000);
    expect(drain(bucket, 1000)).toBe(5);
    expect(drain(bucket, 1020)).toBe(2);
    expect(drain(bucket, 60_000)).toBe(5);
  });

  it('loses nothing by being asked often', () => {
    const bucket = new TokenBucket(1, 10, 0);
    drain(bucket, 0);
    let given = 0;
    for (let nowMs = 1; nowMs <= 10_000; nowMs += 1) given += drain(bucket, nowMs);
    expect(given).toBeGreaterThanOrEqual(9);
    expect(given).toBeLessThanOrEqual(10);
  });

  it('gives nothing for a time that lies back', () => {
    const bucket = new TokenBucket(1000, 5, 1000);
    drain(bucket, 1000);
    expect(bucket.take(900)).toBe(false);
    expect(drain(bucket, 1001)).toBe(1);
  });

  it('lends down to the floor, and gets that back first', () => {
    const bucket = new TokenBucket(100, 5, 0);
    expect(drain(bucket, 0, -3)).toBe(8);
    expect(drain(bucket, 30)).toBe(0);
    expect(drain(bucket, 40)).toBe(1);
  });

  it('knows how long it takes until there are so many', () => {
    const bucket = new TokenBucket(100, 5, 0);
    expect(bucket.waitMs(0, 5)).toBe(0);
    drain(bucket, 0);
    expect(bucket.waitMs(0, 1)).toBe(10);
    expect(bucket.waitMs(5, 1)).toBe(5);
    expect(bucket.waitMs(100, 1)).toBe(0);
  });

  it('gives more than there is at once if there is any, and is owed the rest', () => {
    const bucket = new TokenBucket(100, 5, 0);
    expect(bucket.take(0, 0, 10)).toBe(true);
    expect(bucket.take(50)).toBe(false);
    expect(bucket.take(60, 0, 10)).toBe(true);
    expect(bucket.waitMs(60, 1)).toBe(100);
  });

  it('begins with as many tokens as it is told to, up to its burst', () => {
    expect(drain(new TokenBucket(100, 5, 0, 2), 0)).toBe(2);
    expect(drain(new TokenBucket(100, 5, 0, 7), 0)).toBe(5);
  });
});
