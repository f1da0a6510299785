// What a worker tells about: its connection, and the tasks it runs.
import type { TaskdistError } from '../errors.ts';

/** Where a worker stands with its master. */
export type WorkerState = 'stopped' | 'connecting' | 'connected' | 'waiting' | 'hidden' | 'draining' | 'stopping';

/**
 * How an attempt ended at the worker. `returned`: it was called off, because its task was aborted or timed out, the
 * worker stops, or the connection was lost for too long.
 */
export type SettledOutcome = 'done' | 'failed' | 'rejected' | 'returned';

/** All types of {@link WorkerEvent}. */
export const workerEventTypes: Readonly<Record<WorkerEvent<unknown>['type'], true>> = Object.freeze({
  connecting: true,
  connected: true,
  taskStarted: true,
  taskProgress: true,
  taskSettled: true,
  disconnected: true,
  error: true,
});

/** The events of a worker. */
export type WorkerEvent<T> =
  /** A connection is tried; `tries` counts from 1, and anew after a connection that held for five seconds. */
  | { readonly type: 'connecting'; readonly url: string; readonly tries: number }
  /** The master has welcomed this worker, and calls it `id`. */
  | {
      readonly type: 'connected';
      readonly url: string;
      readonly id: string;
      /** Whether it goes on with what it was granted before the connection was lost. */
      readonly isResumed: boolean;
    }
  | { readonly type: 'taskStarted'; readonly key: string; readonly attempt: number; readonly task: T }
  /** The handler has called `context.progress`. */
  | {
      readonly type: 'taskProgress';
      readonly key: string;
      readonly attempt: number;
      readonly task: T;
      readonly value: unknown;
    }
  | {
      readonly type: 'taskSettled';
      readonly key: string;
      readonly attempt: number;
      readonly task: T;
      readonly outcome: SettledOutcome;
      /** What went wrong, if `outcome` is `failed`. */
      readonly error?: unknown;
      /** How long it ran, in milliseconds; 0 if it had not started. */
      readonly durationMs: number;
    }
  /** The connection ended, or could not be made. */
  | {
      readonly type: 'disconnected';
      /** The close code; docs/protocol.md lists them. */
      readonly code: number;
      readonly reason: string;
      /** In how many milliseconds it is tried again; undefined: not by itself. */
      readonly retryDelay: number | undefined;
    }
  /** The handler cannot run tasks any more, and the worker has paused itself. */
  | { readonly type: 'error'; readonly error: TaskdistError };
