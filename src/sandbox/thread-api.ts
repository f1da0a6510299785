// What crosses the border between a sandbox and its threads.
import type { ErrorDescription } from '../errors.ts';

/** How a task ended in the thread. Errors are described, as structured cloning loses most of them. */
export type ThreadOutcome =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: ErrorDescription };

/** What a thread says of itself once its handler is in place. Comlink ignores it. */
export const READY = 'taskdist:ready';

/** What a thread posts when its handler tells how far it is, in between Comlink's own messages, which ignores it. */
export interface ProgressMessage {
  readonly taskdist: 'progress';
  readonly call: number;
  readonly value: unknown;
}

/** What a thread offers through Comlink. */
export interface ThreadApi {
  run(call: number, task: unknown, key: string, attempt: number): Promise<ThreadOutcome>;
  /** Aborts the signal of a call, if it still runs. */
  abort(call: number, reason: string): void;
}
