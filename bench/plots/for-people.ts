// Figures as people read them: three digits that mean something, and a unit that fits.

/** Keeps the groups of a number, and a number and its unit, on one line. */
export const NO_BREAK = '\u00a0';

/** `126 000`, `12.4`, `0.25`. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return grouped(threeDigits(value));
}

/** `4 096`: a figure that somebody has chosen keeps all of its digits. */
export function exactly(value: number): string {
  return grouped(String(value));
}

function grouped(digits: string): string {
  const [whole = '', fraction] = digits.split('.');
  const inGroups = whole.replace(/\B(?=(\d{3})+$)/g, NO_BREAK);
  return fraction === undefined ? inGroups : `${inGroups}.${fraction}`;
}

/** `126 000 tasks/s`, `2.4 µs`; what is long in its unit is told in a larger one. */
export function quantity(value: number, unit: string): string {
  if (unit === 'µs') return duration(value);
  return `${number(value)}${NO_BREAK}${unit}`;
}

/** Of microseconds. */
export function duration(us: number): string {
  const magnitude = Math.abs(us);
  if (magnitude >= 999_500) return `${number(us / 1e6)}${NO_BREAK}s`;
  return magnitude >= 999.5 ? `${number(us / 1000)}${NO_BREAK}ms` : `${number(us)}${NO_BREAK}µs`;
}

/** A ratio keeps two decimals where they matter: 0.90 and 1.10. */
export function ratio(value: number): string {
  return value >= 10 ? number(value) : value.toFixed(2);
}

/** Of one, in hundredths. */
export function percent(share: number): string {
  return `${number(share * 100)}${NO_BREAK}%`;
}

/** For a tick: a million in words, as its zeros take the place of three ticks. */
export function count(value: number): string {
  return value >= 1e6 ? `${number(value / 1e6)}${NO_BREAK}million` : number(value);
}

/** Without an exponent, and without zeros that say nothing. */
function threeDigits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? rounded.toFixed(0) : String(Math.abs(rounded) < 1e-6 ? 0 : rounded);
}
