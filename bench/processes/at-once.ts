// Tasks that are put at once, and the time until all results are there.
import { cpuMs } from './cpu.ts';
import { expectSum, type Fibonacci, tenth } from './fibonacci.ts';

export async function computeAtOnce(
  tasks: number,
  run: (task: Fibonacci) => Promise<number>,
): Promise<{ elapsedMs: number; cpuMs: number }> {
  const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
  const results = await Promise.all(Array.from({ length: tasks }, () => run({ ...tenth })));
  const figures = { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
  expectSum(
    results.reduce((sum, result) => sum + result, 0),
    tasks,
  );
  return figures;
}
