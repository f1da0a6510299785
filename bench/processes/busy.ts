// Tasks that keep their thread busy for as long as they are told, and the measure of that.

/** One that takes so many steps, and one that finds how many a microsecond has in the thread where it runs. */
export type BusyTask = { readonly type: 'busy'; readonly steps: number } | { readonly type: 'calibrate' };

/** Each result of the first kind. */
export const BUSY_RESULT = 1;

const SAMPLES = 50;
const SAMPLE_STEPS = 100_000;

export function runBusyTask(task: BusyTask): number {
  return task.type === 'busy' ? spin(task.steps) : stepsPerUs();
}

/** Each step waits for the one before. The product of odd numbers is odd, which the compiler does not know. */
function spin(steps: number): number {
  let product = 1;
  for (let i = 0; i < steps; i++) product = Math.imul(product, 1_664_525);
  return product & BUSY_RESULT;
}

/** The best of many short samples: whatever interrupts the others is no work. */
function stepsPerUs(): number {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const startedAt = performance.now();
    if (spin(SAMPLE_STEPS) !== BUSY_RESULT) throw new Error('Expected the product of odd numbers to be odd');
    bestMs = Math.min(bestMs, performance.now() - startedAt);
  }
  return SAMPLE_STEPS / (bestMs * 1000);
}
