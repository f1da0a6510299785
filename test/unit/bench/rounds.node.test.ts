// Who measures when.
import { describe, expect, it } from 'vitest';
import { inTurns } from '../../../bench/harness/rounds.ts';

/** Contenders that note down when they measure, and measure how many had done so before. */
function contendersNoting(turns: string[], names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, async () => ({ turn: turns.push(name) })]));
}

describe('inTurns', () => {
  it('lets all measure in each round, in every other one in reverse', async () => {
    const turns: string[] = [];
    await inTurns(contendersNoting(turns, ['a', 'b', 'c']), { rounds: 2, warmUps: 0 });
    expect(turns).toEqual(['a', 'b', 'c', 'c', 'b', 'a']);
  });

  it('does not count the rounds that warm up', async () => {
    const turns: string[] = [];
    const rounds = await inTurns(contendersNoting(turns, ['a']), { rounds: 2, warmUps: 1 });
    expect(turns).toHaveLength(3);
    expect(rounds.values('a', 'turn')).toEqual([2, 3]);
  });

  it('keeps all figures with their rounds', async () => {
    const rounds = await inTurns(contendersNoting([], ['a', 'b']), { rounds: 2, warmUps: 0 });
    expect(rounds.series()).toEqual({
      a: [
        { round: 1, turn: 1 },
        { round: 2, turn: 4 },
      ],
      b: [
        { round: 1, turn: 2 },
        { round: 2, turn: 3 },
      ],
    });
  });

  it('refuses to tell a figure that was not measured', async () => {
    const rounds = await inTurns(contendersNoting([], ['a']), { rounds: 1 });
    expect(() => rounds.values('a', 'rate')).toThrow('a has not measured rate');
    expect(() => rounds.values('b', 'turn')).toThrow('b has not taken part');
  });
});
