// What a scheduler tells about: the fate of its tasks.

/**
 * Why no worker takes a task. `noWorkers`: none is connected. `notAccepted`: those that are do not accept its type, or do
 * not have the labels that it requires. `rejected`: all that could have rejected it. `noOtherWorker`: it is verified, wants
 * one worker more, and those that could are at it, or have given their result.
 */
export type UnmatchedReason = 'noWorkers' | 'notAccepted' | 'rejected' | 'noOtherWorker';

/**
 * How a task ended. `deadLetter`: its attempts were used up. `aborted`: by its `signal`. `expired`: at its `deadline`.
 * (If it was shared, by an `idempotencyKey`, it is the signal or the deadline of the last who waited for it.)
 * `unsendable`: it could not be sent. `noQuorum`: those who were to verify it did not agree. `stopped`: the master was
 * stopped.
 */
export type TaskOutcome = 'done' | 'deadLetter' | 'aborted' | 'expired' | 'unsendable' | 'noQuorum' | 'stopped';

/** All types of {@link SchedulerEvent}. */
export const schedulerEventTypes: Readonly<Record<SchedulerEvent<unknown>['type'], true>> = Object.freeze({
  unmatched: true,
  retrying: true,
  speculated: true,
  resultDisputed: true,
  workerDistrusted: true,
  settled: true,
});

/**
 * The events of a scheduler. `key` is the identity of the task, and `task` the very object given to `put`; to the first
 * `put`, if it is shared.
 */
export type SchedulerEvent<T> =
  /** No connected worker can take the task, and none could for `unmatchedAfter`. It goes on waiting. */
  | { readonly type: 'unmatched'; readonly key: string; readonly task: T; readonly reason: UnmatchedReason }
  /** An attempt failed, and there will be another one after the backoff. */
  | {
      readonly type: 'retrying';
      readonly key: string;
      readonly task: T;
      /** The one that failed, counted from 1. */
      readonly attempt: number;
      readonly error: Error;
      /** How long the backoff is, in milliseconds. */
      readonly delay: number;
    }
  /** An attempt takes conspicuously long, and a second one is made beside it. */
  | {
      readonly type: 'speculated';
      readonly key: string;
      readonly task: T;
      /** The name of the worker that makes the second attempt. */
      readonly worker: string;
      /** Its id, as in `master.workers()`: names need not be unique. */
      readonly workerId: string;
      /** The name of the worker that takes long. */
      readonly beside: string;
      /** Its id. */
      readonly besideId: string;
    }
  /** A task is verified, and a result of it agrees with none that was there. Others are asked, if there may be. */
  | {
      readonly type: 'resultDisputed';
      readonly key: string;
      readonly task: T;
      /** The name of the worker that gave it. Who is wrong is not known yet. */
      readonly worker: string;
      /** Its id, as in `master.workers()`: names need not be unique. */
      readonly workerId: string;
      /** How many results there are now. */
      readonly results: number;
    }
  /**
   * A worker's result of a task was not what a quorum agreed on, or one that is trusted outright. It has to earn its trust
   * anew, and its results of tasks that are not settled yet count no more.
   */
  | {
      readonly type: 'workerDistrusted';
      readonly key: string;
      readonly task: T;
      /** The name of the worker, which may be gone. */
      readonly worker: string;
      /** Its id, as in `master.workers()`: names need not be unique. */
      readonly workerId: string;
      /** Who stands behind it, if that is known: all of its workers are meant. */
      readonly principal?: string;
      /** How many results were discarded for this; their tasks are run by others. */
      readonly discarded: number;
    }
  /** The task is over: its promise, or each one's promise, is about to settle. */
  | {
      readonly type: 'settled';
      readonly key: string;
      readonly task: T;
      readonly outcome: TaskOutcome;
      /** What its promise rejects with, unless it is `done`. */
      readonly error?: unknown;
    };
