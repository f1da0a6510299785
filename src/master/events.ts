// What a master tells about: its workers, and the attempts they make.
import type { TaskdistError } from '../errors.ts';
import type { Labels } from '../labels.ts';

/** What is known of a connected worker. */
export interface WorkerInfo {
  /** Given by the master at this connection; never used twice. */
  readonly id: string;
  /** What the worker calls itself. */
  readonly name: string;
  /** Who it is, if `authenticate` said so. */
  readonly identity?: string;
  /** `node` or `browser`, or what a client in another language calls itself. */
  readonly platform: string;
  /** What it says that it has, for tasks to require. */
  readonly labels: Labels;
  /** The values of `task.type` that it is given; absent: all tasks. */
  readonly accepts?: readonly string[];
  /** When it connected first, in milliseconds since 1970. */
  readonly connectedAt: number;
  /** Whether its connection is lost at the moment, and it is given time to come back. */
  readonly isInterrupted: boolean;
  /** How many tasks it runs at once; 0 while it is paused, or still stops what it ran for a connection before. */
  readonly concurrency: number;
  /** How many leases it wants to hold beyond those that it runs; `'auto'`: as many as the master finds best. */
  readonly prefetch: number | 'auto';
  /** How many leases it may hold at the moment: `concurrency` and prefetch; 0 while it is paused, or the master drains. */
  readonly credit: number;
  /** How many attempts run there now. */
  readonly running: number;
  /** How many leases it holds besides, next in line. */
  readonly waiting: number;
  /** How many tasks it completed. */
  readonly done: number;
  /** How many of its attempts failed, by an error or a timeout. */
  readonly failed: number;
  /** How many leases were taken back before they had started, for other workers, or as the master drains. */
  readonly recalled: number;
  /** How many tasks it completes per second, over the last ten seconds or so. */
  readonly rate: number;
  /** How long an answer of it takes, in milliseconds; absent until that is measured. */
  readonly roundTrip?: number;
  /** How many answers came after their lease had ended; they changed nothing. */
  readonly late: number;
}

/**
 * How an attempt ended. `lost`: with its connection. `returned`: the worker gave it back before it was through, e.g.
 * because it stops, or the master stopped. `aborted`: by the `signal` of its `put`, or at its `deadline`. `superseded`: another
 * attempt at the same task was first.
 */
export type AttemptOutcome =
  | 'done'
  | 'failed'
  | 'rejected'
  | 'timeout'
  | 'aborted'
  | 'superseded'
  | 'lost'
  | 'returned';

/** Where a master listens. */
export interface MasterAddress {
  readonly host: string;
  readonly port: number;
}

/** All types of {@link MasterEvent}. */
export const masterEventTypes: Readonly<Record<MasterEvent<unknown>['type'], true>> = Object.freeze({
  listening: true,
  error: true,
  workerConnected: true,
  workerDisconnected: true,
  workerInterrupted: true,
  workerResumed: true,
  connectionRefused: true,
  addressBanned: true,
  attemptStarted: true,
  progress: true,
  leaseRecalled: true,
  attemptEnded: true,
});

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
  /**
   * The connection to a worker that holds leases was lost. They stay with it for `resumeWindow`, as it may come back: then it is
   * `workerResumed`, else `workerDisconnected`.
   */
  | {
      readonly type: 'workerInterrupted';
      readonly worker: WorkerInfo;
      /** The close code; docs/protocol.md lists them. */
      readonly code: number;
      readonly reason: string;
    }
  /** A worker goes on over another connection: the one before was lost, though the master may not have noticed. */
  | { readonly type: 'workerResumed'; readonly worker: WorkerInfo }
  /** A connection ended before it became a worker, or was not let in at all. */
  | {
      readonly type: 'connectionRefused';
      /** Where it came from, if that is known. */
      readonly address: string | undefined;
      /**
       * The close code, or, below 1000, the HTTP status of what was not let in. Who has not asked for its upgrade yet gets no answer:
       * 403 is then for who is banned, 429 for too many of its address, 503 for too many in all.
       */
      readonly code: number;
      readonly reason: string;
    }
  /** Nobody is let in from that address for a while, as it has misbehaved too often (`ban`). */
  | {
      readonly type: 'addressBanned';
      /** Of IPv6, all of its /64 is banned. */
      readonly address: string;
      /** What the last strike was for: a close code, and its reason. */
      readonly reason: string;
      /** When the ban ends, in milliseconds since 1970. */
      readonly until: number;
    }
  /** An attempt has started: the master knows, as workers start tasks in the order in which they are granted. */
  | {
      readonly type: 'attemptStarted';
      readonly worker: WorkerInfo;
      readonly key: string;
      readonly attempt: number;
      /** The very object given to `put`. */
      readonly task: T;
    }
  /** A handler has called `context.progress`. */
  | {
      readonly type: 'progress';
      readonly worker: WorkerInfo;
      readonly key: string;
      readonly attempt: number;
      /** The very object given to `put`. */
      readonly task: T;
      readonly value: unknown;
    }
  /** A lease that had not started was taken back from this worker, as another one was idle, or the master drains. */
  | {
      readonly type: 'leaseRecalled';
      readonly worker: WorkerInfo;
      readonly key: string;
      /** The very object given to `put`. */
      readonly task: T;
    }
  /** An attempt that had started ended. Told before the task's promise settles. */
  | {
      readonly type: 'attemptEnded';
      readonly worker: WorkerInfo;
      readonly key: string;
      readonly attempt: number;
      /** The very object given to `put`. */
      readonly task: T;
      readonly outcome: AttemptOutcome;
      /** From the start of the attempt, as the master sees it, in milliseconds; 0 if it had not started after all. */
      readonly durationMs: number;
    };
