// Many simulated clusters, each with faults of its own, and the rules that hold in all of them.
import { describe, expect, it } from 'vitest';
import { type Life, live } from './life.ts';
import { PINNED_SEEDS } from './pinned-seeds.ts';
import { FAULTS } from './plan.ts';

const SEEDS = 500;
/** So many are one test: enough for few lines, and few enough for its time limit. */
const AT_ONCE = 20;
/** A seed takes a twentieth of a second, or much longer on a machine that has other work. */
const TIME_LIMIT_MS = 120_000;

const lives: Life[] = [];

describe('a cluster in which everything may go wrong', () => {
  it.each(Array.from({ length: SEEDS / AT_ONCE }, (_, index) => [index * AT_ONCE, (index + 1) * AT_ONCE - 1]))(
    'keeps every rule, settles everything and leaves nothing behind: seeds %i to %i',
    async (first, last) => {
      for (let seed = first; seed <= last; seed += 1) lives.push(await live(seed));
    },
    TIME_LIMIT_MS,
  );

  it.each(PINNED_SEEDS)('keeps every rule with seed %i, which found %s', async (seed) => {
    await live(seed);
  });

  it('has had every kind of fault, and every end that a put can have', () => {
    const faults = new Set(lives.flatMap(({ tally }) => [...tally.faults.keys()]));
    expect(FAULTS.filter((fault) => !faults.has(fault))).toEqual([]);
    const outcomes = new Set(lives.flatMap(({ tally }) => [...tally.outcomes.keys()]));
    expect([...outcomes].sort()).toEqual([
      'aborted',
      'deadLetter',
      'done',
      'expired',
      'full',
      'noQuorum',
      'stopped',
      'unsendable',
    ]);
  });

  it('has had sessions that went on over another connection, and those that could not', () => {
    const counts = new Set(lives.flatMap(({ sessions }) => [...sessions.keys()]));
    const expected = [
      'begun anew',
      'expired',
      'frames sent again',
      'given up by the worker',
      'interrupted',
      'resumed',
      'resumed before the loss was noticed',
      'taken back while away',
    ];
    expect(expected.filter((each) => !counts.has(each))).toEqual([]);
  });

  it('has had results on which a quorum agreed, or none, those of who is trusted, and those of who is caught', () => {
    const counts = new Set(lives.flatMap(({ sessions }) => [...sessions.keys()]));
    const expected = [
      'a quorum agreed',
      'caught',
      'caught who had proved right',
      'no quorum agreed',
      'results discarded',
      'taken at its word',
    ];
    expect(expected.filter((each) => !counts.has(each))).toEqual([]);
  });

  it('goes the same way again with the same seed, whatever was before', async () => {
    for (const { seed, hash } of lives.slice(0, 10).reverse()) expect((await live(seed)).hash).toBe(hash);
    expect(new Set(lives.map(({ hash }) => hash)).size).toBe(lives.length);
  });
});
