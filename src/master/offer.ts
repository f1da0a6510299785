// What a worker offers to run, as far as its master takes it up.
import type { Prefetch } from '../protocol/messages.ts';

/** As a hello, or a `credit`, says. */
export interface Offer {
  readonly concurrency: number;
  readonly prefetch: Prefetch;
}

/** More than that nobody needs to be busy, as {@link PrefetchWindow} has it; what lies about is not with others. */
const MAX_PREFETCH = 4096;

/**
 * An offer of more than so many at once. Then nothing is granted beside them: the worker would start at once what is taken to
 * wait.
 */
export function limited(concurrency: number, prefetch: Prefetch, maxConcurrency: number): Offer {
  if (concurrency > maxConcurrency) return { concurrency: maxConcurrency, prefetch: 0 };
  return { concurrency, prefetch: prefetch === 'auto' ? prefetch : Math.min(prefetch, MAX_PREFETCH) };
}
