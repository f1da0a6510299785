// What a master tells about: its workers, and the attempts they make.
import type { TaskdistError } from '../errors.ts';

/** What is known of a connected worker. */
export interface WorkerInfo {
  /** Given by the master at this connection; never used twice. */
  readonly id: string;
  /** What the worker calls itself. */
  readonly name: string;
  /** `node` or `browser`, or what a client in another language calls itself. */
  readonly platform: string;
  /** When it connected, in milliseconds since 1970. */
  readonly connectedAt: number;
  /** How many tasks it runs at once; 0 while it is paused. */
  readonly concurrency: number;
  /** How many attempts run there now. */
  readonly running: number;
  /** How many tasks it completed. */
  readonly done: number;
  /** How many of its attempts failed, by an error or a timeout. */
  readonly failed: number;
  /** How many answers came after their lease had ended; they changed nothing. */
  readonly late: number;
}

/**
 * How an attempt ended. `lost`: with its connection. `returned`: the worker gave it back before it was through, e.g.
 * because it stops, or the master stopped. `aborted`: by the `signal` of its `put`.
 */
export type AttemptOutcome = 'done' | 'failed' | 'rejected' | 'timeout' | 'aborted' | 'lost' | 'returned';

/** Where a master listens. */
export interface MasterAddress {
  readonly host: string;
  readonly port: number;
}

/** The events of a master. */
export type MasterEvent<T> =
  | { readonly type: 'listening'; readonly address: MasterAddress }
  /** The server failed; it is tried again after `listenTimeout`. */
  | { readonly type: 'error'; readonly error: TaskdistError }
  | { readonly type: 'workerConnected'; readonly worker: WorkerInfo }
  | {
      readonly type: 'workerDisconnected';
      readonly worker: WorkerInfo;
      /** The close code; docs/protocol.md lists them. */
      readonly code: number;
      readonly reason: string;
    }
  /** A connection ended before it became a worker. */
  | { readonly type: 'connectionRefused'; readonly code: number; readonly reason: string }
  /** An attempt that had started ended. Told before the task's promise settles. */
  | {
      readonly type: 'attemptEnded';
      readonly worker: WorkerInfo;
      readonly key: string;
      readonly attempt: number;
      /** The very object given to `put`. */
      readonly task: T;
      readonly outcome: AttemptOutcome;
      /** From the start of the attempt, as the master sees it, in milliseconds. */
      readonly durationMs: number;
    };
