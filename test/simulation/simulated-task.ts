// The tasks of a simulated cluster, which say themselves how they behave, and how they are run.
import type { TaskContext } from '../../src/handler.ts';
import type { Clock, Random } from '../../src/ports.ts';
import type { PutOptions } from '../../src/scheduling/scheduler-options.ts';
import { integerBelow, pick } from '../../src/testing/seeded-random.ts';

/** A task says itself how it behaves. */
export interface SimulatedTask {
  readonly n: number;
  readonly durationMs: number;
  /** How many attempts fail before one succeeds. */
  readonly failures: number;
  /** Ignores its signal, as a handler may. */
  readonly isDeaf: boolean;
  /** How often it tells how far it is; 0: never. */
  readonly progressMs: number;
}

/** The kinds of worker, by their label: of each there is one at least. */
export const KINDS = ['even', 'odd'] as const;

/** Draws the next task, and what is asked for it. */
export function drawTask(random: Random, n: number): { readonly task: SimulatedTask; readonly options: PutOptions } {
  const oneIn = (count: number): boolean => integerBelow(random, count) === 0;
  const task = {
    n,
    durationMs: oneIn(10) ? 20_000 : integerBelow(random, 400),
    failures: oneIn(6) ? integerBelow(random, 5) : 0,
    isDeaf: oneIn(4),
    progressMs: oneIn(3) ? 50 + integerBelow(random, 1000) : 0,
  };
  const options = {
    priority: integerBelow(random, 3),
    speculate: oneIn(3),
    ...(oneIn(5) ? { delay: integerBelow(random, 3000) } : {}),
    ...(oneIn(5) ? { timeout: 200 + integerBelow(random, 2000) } : {}),
    ...(oneIn(2) ? { timeoutFrom: 'progress' as const } : {}),
    ...(oneIn(4) ? { requires: { kind: pick(random, KINDS) } } : {}),
    ...(oneIn(12) ? { deadline: 100 + integerBelow(random, 20_000) } : {}),
  };
  return { task, options };
}

/** What a handler makes of it, in a process of this clock. */
export function runTask(process: Clock, task: SimulatedTask, context: TaskContext): Promise<number> {
  return new Promise((resolve, reject) => {
    let cancelProgress = (): void => {};
    const report = (step: number): void => {
      if (task.progressMs === 0) return;
      cancelProgress = process.setTimer(task.progressMs, () => {
        context.progress(step);
        report(step + 1);
      });
    };
    report(0);
    const cancel = process.setTimer(task.durationMs, () => {
      cancelProgress();
      if (context.attempt <= task.failures) reject(new Error('It fails'));
      else resolve(task.n * 2);
    });
    if (task.isDeaf) return;
    context.signal.addEventListener('abort', () => {
      cancel();
      cancelProgress();
      reject(context.signal.reason);
    });
  });
}
