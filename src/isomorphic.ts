// What both faces of the package have: everything but the master.
export type { BackoffOptions } from './backoff.ts';
export type { DrainOptions } from './drain.ts';
export {
  type AttemptFailure,
  DeadLetterError,
  InvalidOptionError,
  isTaskdistError,
  NoQuorumError,
  RemoteError,
  type ResultVotes,
  TaskDeadlineError,
  TaskdistError,
  type TaskdistErrorCode,
  type TaskdistErrorOf,
  TaskRejectedError,
  TaskTimeoutError,
} from './errors.ts';
export type { Dropped as DroppedEvents, StreamOptions as EventStreamOptions } from './events.ts';
export { FifoScheduler } from './fifo-scheduler.ts';
export type { TaskContext, TaskFunction, TaskHandler } from './handler.ts';
export { type HandlersOptions, handlers, type TaskFunctions } from './handlers.ts';
export type { DurationSummary } from './histogram.ts';
export type { Label, Labels, Requirement, Requirements } from './labels.ts';
export type { Logger } from './ports.ts';
export { CloseCode } from './protocol/close-codes.ts';
export type { CodecName } from './protocol/codec.ts';
export type { AnyResultOf, ResultMap, ResultOf, TaskOf, TaskTypeOf } from './results.ts';
export { exposeTaskHandler } from './sandbox/expose.ts';
export { type SandboxOptions, sandbox } from './sandbox/sandbox.ts';
export type { SchedulerEvent, TaskOutcome, UnmatchedReason } from './scheduling/events.ts';
export type { MapFailures, MapItem, MapOptions } from './scheduling/map.ts';
export type { MapInputs } from './scheduling/map-inputs.ts';
export type { MapFailure, MapResult } from './scheduling/map-stream.ts';
export type {
  Ended,
  Lease,
  LeaseHolder,
  Release,
  RevokeReason,
  TakeListener,
  TakeSignal,
  TaskScheduler,
  TimeoutFrom,
} from './scheduling/scheduler.ts';
export type { FifoSchedulerOptions, PutOptions } from './scheduling/scheduler-options.ts';
export type { SchedulerStats, SchedulerTotals } from './scheduling/statistics.ts';
export type { ProgressInfo, TaskOptions } from './scheduling/task-options.ts';
export type { TrustOptions, VerifyOptions } from './scheduling/verify-options.ts';
export type { ThreadLike } from './thread-like.ts';
export type { SettledOutcome, WorkerEvent, WorkerState } from './worker/events.ts';
export type { WorkerOptions } from './worker/options.ts';
export { Worker } from './worker/worker.ts';
