// From figures to places on an axis, and which of them get a tick.

export interface Scale {
  readonly ticks: readonly number[];
  /** Where a figure lies between the two ends of the axis: 0 to 1. */
  at(value: number): number;
}

/** About so many ticks fit. */
const WANTED_TICKS = 5;
/** Steps between ticks that people can count in. */
const STEPS = [1, 2, 2.5, 5, 10];
/** Fewer decades than these get ticks within them, too. */
const FEW_DECADES = 2;
const WITHIN_DECADE = [1, 2, 5];

/** From zero to a tick at or above the largest. */
export function linear(largest: number): Scale {
  const step = stepFor(largest);
  // A hair less: 3 × 0.1 is more than 0.3.
  const count = Math.max(1, Math.ceil(largest / step - 1e-9));
  return between(
    0,
    count * step,
    Array.from({ length: count + 1 }, (_, i) => withoutNoise(i * step)),
  );
}

/** From zero to the largest, with these ticks. */
export function withTicks(ticks: readonly number[], largest: number): Scale {
  return between(0, largest, ticks);
}

/** From the smallest to the largest, a tick at each power of ten between them. @throws RangeError below or at zero */
export function logarithmic(smallest: number, largest: number): Scale {
  if (!(smallest > 0)) throw new RangeError(`Expected only figures above 0 on a logarithmic axis, got ${smallest}`);
  const [from, to] = smallest < largest ? [smallest, largest] : [smallest / 10, largest * 10];
  const decades = Math.log10(to) - Math.log10(from);
  const within = decades < FEW_DECADES ? WITHIN_DECADE : [1];
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(from)); 10 ** exponent <= to; exponent++) {
    ticks.push(...within.map((digit) => withoutNoise(digit * 10 ** exponent)));
  }
  return {
    ticks: ticks.filter((tick) => tick >= from && tick <= to),
    at: (value) => (Math.log10(value) - Math.log10(from)) / decades,
  };
}

function between(from: number, to: number, ticks: readonly number[]): Scale {
  return { ticks, at: (value) => (value - from) / (to - from) };
}

function stepFor(largest: number): number {
  if (!(largest > 0)) return 1;
  const rough = largest / WANTED_TICKS;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.find((digit) => digit * magnitude >= rough * (1 - 1e-9)) ?? 10;
  return step * magnitude;
}

/** 0.1 + 0.2 is 0.3 on an axis. */
function withoutNoise(value: number): number {
  return Number(value.toPrecision(12));
}
