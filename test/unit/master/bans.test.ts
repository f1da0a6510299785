import { describe, expect, it } from 'vitest';
import { Bans } from '../../../src/master/bans.ts';

const terms = { strikes: 3, withinMs: 1000, durationMs: 5000 };

describe('Bans', () => {
  it('ban an address at its last strike, and tell so once', () => {
    const bans = new Bans(terms);
    expect([0, 10, 20, 30].map((nowMs) => bans.strike('a', nowMs))).toEqual([undefined, undefined, 5000, undefined]);
    expect(bans.remainingMs('a', 20)).toBe(5000);
    expect(bans.remainingMs('a', 5019)).toBe(1);
    expect(bans.remainingMs('a', 5020)).toBe(0);
  });

  it('leave other addresses alone', () => {
    const bans = new Bans({ ...terms, strikes: 1 });
    bans.strike('a', 0);
    expect(bans.remainingMs('b', 0)).toBe(0);
  });

  it('forget strikes that are too long ago', () => {
    const bans = new Bans(terms);
    expect([0, 10, 1000, 1010].map((nowMs) => bans.strike('a', nowMs))).toEqual(Array(4).fill(undefined));
    expect(bans.strike('a', 1020)).toBe(5000);
  });

  it('begin anew when a ban is over', () => {
    const bans = new Bans(terms);
    for (const nowMs of [0, 1, 2]) bans.strike('a', nowMs);
    expect(bans.strike('a', 5002)).toBeUndefined();
    expect(bans.remainingMs('a', 5002)).toBe(0);
  });

  it('are not prolonged by strikes of who is inside', () => {
    const bans = new Bans({ ...terms, strikes: 1 });
    bans.strike('a', 0);
    bans.strike('a', 4000);
    expect(bans.remainingMs('a', 4000)).toBe(1000);
  });

  it('remember so many addresses, and forget the one whose strikes are the oldest', () => {
    const bans = new Bans({ ...terms, strikes: 2 });
    bans.strike('first', 0);
    bans.strike('second', 0);
    bans.strike('first', 0);
    for (let index = 0; index < 9999; index += 1) bans.strike(`${index}`, 1);
    expect(bans.size).toBe(10_000);
    expect(bans.remainingMs('first', 1)).toBe(4999);
    // It was forgotten: this is its first.
    expect(bans.strike('second', 2)).toBeUndefined();
    expect(bans.size).toBe(10_000);
  });
});
