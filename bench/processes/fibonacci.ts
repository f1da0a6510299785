// The task that most parts are about: next to no work, so that what is measured is the way there and back.
export interface Fibonacci {
  readonly type: 'fibonacci';
  readonly n: number;
}

export const tenth: Fibonacci = Object.freeze({ type: 'fibonacci', n: 10 });
const TENTH_RESULT = 55;

export function fibonacci({ n }: Fibonacci): number {
  let [a, b] = [0, 1];
  for (let i = 0; i < n - 1; i++) [a, b] = [b, a + b];
  return b;
}

/** Throws unless so many results add up to what they must. */
export function expectSum(sum: number, tasks: number): void {
  if (sum !== tasks * TENTH_RESULT) throw new Error(`Expected a sum of ${tasks * TENTH_RESULT}, got ${sum}`);
}
