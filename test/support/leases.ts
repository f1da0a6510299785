// Leases that no scheduler made.
import type { Lease } from '../../src/scheduling/scheduler.ts';

/** A live lease of a task, without a timeout, that everybody may have. */
export function leaseOf<T>(task: T, rest: Partial<Lease<T>> = {}): Lease<T> {
  const usual = {
    attempt: 1,
    isLive: true,
    isSpeculative: false,
    number: 0,
    refusals: 0,
    timeout: undefined,
    timeoutFrom: 'start' as const,
  };
  return { key: String(task), task, ...usual, suits: () => true, ...rest };
}
