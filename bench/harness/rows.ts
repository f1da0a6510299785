// Makes rows of the table out of the rounds' figures.
import type { Row, Target } from './results.ts';
import { median, spread } from './statistics.ts';

export interface Measured {
  readonly what: string;
  readonly unit: string;
  /** One per round. */
  readonly values: readonly number[];
  readonly target?: Target;
  readonly note?: string;
}

export interface Compared extends Measured {
  readonly against: string;
  /** One per round, in the same order. */
  readonly againstValues: readonly number[];
}

/** A figure that is judged by itself, or only reported. */
export function measured({ what, unit, values, target, note }: Measured): Row {
  const value = median(values);
  return { what, unit, value, spread: spread(values), ...judged(value, target), ...noted(note) };
}

/** A figure that is judged by its ratio to another of the same round. */
export function compared({ what, unit, values, against, againstValues, target, note }: Compared): Row {
  if (values.length !== againstValues.length)
    throw new RangeError(`Expected as many rounds of ${against} as of ${what}`);
  const ratios = values.map((value, round) => value / (againstValues[round] ?? Number.NaN));
  const ratio = median(ratios);
  return {
    what,
    unit,
    value: median(values),
    against,
    againstValue: median(againstValues),
    ratio,
    spread: spread(ratios),
    ...judged(ratio, target),
    ...noted(note),
  };
}

function judged(figure: number, target: Target | undefined): Pick<Row, 'target' | 'met'> {
  if (target === undefined) return {};
  return { target, met: 'atLeast' in target ? figure >= target.atLeast : figure <= target.atMost };
}

function noted(note: string | undefined): Pick<Row, 'note'> {
  return note === undefined ? {} : { note };
}
