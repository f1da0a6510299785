import { describe, expect, it } from 'vitest';
import { Pace } from '../../../src/sandbox/pace.ts';

function paceAfter(...durationsMs: number[]): Pace {
  const pace = new Pace();
  for (const durationMs of durationsMs) pace.took(durationMs);
  return pace;
}

describe('Pace', () => {
  it('sends nothing ahead while nothing is known', () => {
    expect(new Pace().ahead).toBe(0);
  });

  it('sends ahead as many as make up four milliseconds, and 256 at most', () => {
    expect([5, 4, 2, 1, 0.1, 0.01, 0.001, 0].map((durationMs) => paceAfter(durationMs).ahead)).toEqual([
      0, 1, 2, 4, 40, 256, 256, 256,
    ]);
  });

  it('sends nothing behind long tasks, and soon as many as before behind short ones', () => {
    const pace = paceAfter(0.1);
    for (let count = 0; count < 6; count += 1) pace.took(1000);
    expect(pace.ahead).toBe(0);
    for (let count = 0; count < 25; count += 1) pace.took(0.1);
    expect(pace.ahead).toBe(40);
  });

  it('does not mind one that is long now and then', () => {
    const pace = paceAfter(0.1);
    for (let count = 0; count < 100; count += 1) pace.took(count % 10 === 0 ? 1000 : 0.1);
    expect(pace.ahead).toBe(40);
  });
});
