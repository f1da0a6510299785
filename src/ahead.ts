// The seam between a worker and a handler that takes attempts before they can start, as a sandbox does.
import type { TaskHandler } from './handler.ts';

/**
 * An attempt that is handed over, and what it is told. Either `started`, at the latest with its end, and then `done` or
 * `failed`; or `returned`.
 */
export interface HandedAttempt {
  readonly key: string;
  readonly attempt: number;
  readonly task: unknown;
  started(): void;
  /** @throws TaskdistError if the value cannot be passed on */
  progressed(value: unknown): void;
  done(result: unknown, durationMs: number): void;
  /** How long it ran may not be known. */
  failed(error: unknown, durationMs: number | undefined): void;
  /** It has not started, and will not: it is its owner's again. Of several, the youngest is returned first. */
  returned(): void;
}

/** What its owner can do about an attempt that was handed over. */
export interface Handed {
  /** Asks for it back. It is returned at once or later, unless it has started. */
  withdraw(): void;
  /** Calls it off: it is returned if it has not started, and aborted if it has. */
  abort(reason: unknown): void;
}

/** Takes attempts, and runs them in their order. */
export interface Ahead {
  /** How many attempts it is good to have handed over, those that run included, when `concurrency` may run at once. */
  capacity(concurrency: number): number;
  /** Takes an attempt. It may be told of its end before this returns. */
  hand(attempt: HandedAttempt, concurrency: number): Handed;
}

/** Where a handler has its {@link Ahead}. Not for users: their handlers are asked task by task. */
export const ahead: unique symbol = Symbol('taskdist.ahead');

/** A handler that takes attempts ahead. */
export interface AheadHandler<T, R> extends TaskHandler<T, R> {
  readonly [ahead]: Ahead;
}
