// Lets contenders measure in turns, so that what else the machine does falls on all of them alike.
import type { Series } from './results.ts';

/** What one contender measured in one round. */
export type Figures = Readonly<Record<string, number>>;

/** By the contender's name, how it measures once. */
export type Contenders = Readonly<Record<string, () => Promise<Figures>>>;

export interface RoundOptions {
  readonly rounds: number;
  /** How many rounds come first and do not count: code is compiled and buffers grow in them. */
  readonly warmUps?: number;
  readonly progress?: (text: string) => void;
}

/** The figures of all contenders, by name, one per round. */
export class Rounds {
  readonly #figures: ReadonlyMap<string, readonly Figures[]>;

  constructor(figures: ReadonlyMap<string, readonly Figures[]>) {
    this.#figures = figures;
  }

  /** One figure of one contender, a value per round. @throws RangeError where it was not measured */
  values(contender: string, figure: string): number[] {
    const rounds = this.#figures.get(contender);
    if (rounds === undefined) throw new RangeError(`${contender} has not taken part`);
    return rounds.map((figures) => {
      const value = figures[figure];
      if (value === undefined) throw new RangeError(`${contender} has not measured ${figure}`);
      return value;
    });
  }

  /** All, for the results. */
  series(): Series {
    return Object.fromEntries(
      [...this.#figures].map(([name, rounds]) => [
        name,
        rounds.map((figures, index) => ({ round: index + 1, ...figures })),
      ]),
    );
  }
}

/** In every other round the order is reversed: who comes after whom makes a difference too. */
export async function inTurns(
  contenders: Contenders,
  { rounds, warmUps = 1, progress }: RoundOptions,
): Promise<Rounds> {
  const all = Object.entries(contenders);
  const figures = new Map<string, Figures[]>(all.map(([name]) => [name, []]));
  for (let round = 1 - warmUps; round <= rounds; round++) {
    for (const [name, measure] of round % 2 === 0 ? [...all].reverse() : all) {
      progress?.(round < 1 ? `warm-up: ${name}` : `round ${round} of ${rounds}: ${name}`);
      const found = await measure();
      if (round >= 1) figures.get(name)?.push(found);
    }
  }
  return new Rounds(figures);
}
