// What crosses the border between a sandbox and its threads.
import type { ErrorDescription } from '../errors.ts';

/** A task on its way into a thread. The number is the sandbox's name for it, which means something for this thread alone. */
export type Call = readonly [call: number, task: unknown, key: string, attempt: number];

/** What a thread offers through Comlink. */
export interface ThreadApi {
  /** Gives the thread a {@link SharedResults} to write numbers to, instead of posting each. */
  share(results: SharedArrayBuffer): void;
  /** Runs tasks, one after the other, behind those that it has. Answers each by a {@link ThreadMessage}. */
  run(calls: readonly Call[]): void;
  /** Leaves out those that have not started. */
  drop(calls: readonly number[]): void;
  /** Leaves out a task that has not started, and aborts the signal of one that has. */
  abort(call: number, reason: string): void;
}

/** Marks a message as the library's: the thread's script may post what it likes. */
export const MARK = 'taskdist';

/**
 * What a thread posts by itself, in between Comlink's messages, which are no arrays. Every call is answered once, by one
 * of the latter four, or in the memory that is shared. Errors are described, as structured cloning loses most of them.
 */
export type ThreadMessage =
  /** The handler is in place. */
  | readonly [mark: typeof MARK, kind: 'ready']
  /** It closes itself, and answers nothing more. */
  | readonly [mark: typeof MARK, kind: 'closed']
  /** There are results to be read in the memory that is shared. */
  | readonly [mark: typeof MARK, kind: 'written']
  | readonly [mark: typeof MARK, kind: 'progress', call: number, value: unknown]
  /** It was left out. */
  | readonly [mark: typeof MARK, kind: 'dropped', call: number]
  | readonly [mark: typeof MARK, kind: 'done', call: number, result: unknown, durationMs: number]
  | readonly [mark: typeof MARK, kind: 'rejected', call: number, reason: string, durationMs: number]
  | readonly [mark: typeof MARK, kind: 'failed', call: number, error: ErrorDescription, durationMs: number];
