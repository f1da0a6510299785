// What a worker offers to run, as far as its master takes it up.
import type { Prefetch } from '../protocol/messages.ts';

/** As a hello, or a `credit`, says. */
export interface Offer {
  readonly concurrency: number;
  readonly prefetch: Prefetch;
}

/**
 * An offer of more than so many at once. Then nothing is granted beside them: the worker would start at once what is taken to
 * wait.
 */
export function limited(concurrency: number, prefetch: Prefetch, maxConcurrency: number): Offer {
  return concurrency > maxConcurrency ? { concurrency: maxConcurrency, prefetch: 0 } : { concurrency, prefetch };
}
