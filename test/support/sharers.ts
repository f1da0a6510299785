// Those who share a task by its idempotency key, and how they stand.
import { expect } from 'vitest';
import type { FifoSchedulerOptions, PutOptions } from '../../src/scheduling/scheduler-options.ts';
import { nextTurn } from './event-loop.ts';
import { follow, type Outcome } from './holders.ts';
import { openScheduler } from './scheduler.ts';

export const idempotencyKey = 'work';

/** A scheduler whose only timers are those of its tasks. */
export function openShared(defaults: FifoSchedulerOptions = {}) {
  const opened = openScheduler({ unmatchedAfter: Number.POSITIVE_INFINITY, ...defaults });
  /** Puts the same work once for each of these options, and tells how those puts stand. */
  const share = (...each: PutOptions[]) => {
    const outcomes = each.map((own) => follow(opened.scheduler.put('task', { idempotencyKey, ...own })));
    return async (): Promise<Outcome<unknown>[]> => {
      await nextTurn();
      return outcomes.map((outcome) => outcome());
    };
  };
  return { ...opened, share };
}

/** So many controllers, and what each signal is in the options of a put. */
export function controllers(count: number) {
  const all = Array.from({ length: count }, () => new AbortController());
  return {
    abort: (who: number, reason: unknown = `left: ${who}`): void => all[who]?.abort(reason),
    signals: all.map(({ signal }) => ({ signal })),
  };
}

export const pending: Outcome<unknown> = { status: 'pending' };
export const fulfilled: Outcome<unknown> = { status: 'fulfilled', value: 'result' };
export const rejected = (reason: unknown): Outcome<unknown> => ({ status: 'rejected', reason });
/** How three stand, of whom one stands differently. */
export const allBut = (who: number, its: Outcome<unknown>, others: Outcome<unknown>): Outcome<unknown>[] =>
  [0, 1, 2].map((n) => (n === who ? its : others));

/** The error of a deadline of so many milliseconds. */
export const within = (ms: number) => ({
  code: 'TASKDIST_DEADLINE',
  message: expect.stringContaining(`was not done within ${ms} ms`),
});
