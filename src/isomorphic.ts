// What both faces of the package have: everything but the master.
export {
  type AttemptFailure,
  DeadLetterError,
  InvalidOptionError,
  isTaskdistError,
  RemoteError,
  TaskdistError,
  type TaskdistErrorCode,
  type TaskdistErrorOf,
  TaskRejectedError,
  TaskTimeoutError,
} from './errors.ts';
export type { TaskContext, TaskFunction, TaskHandler } from './handler.ts';
export { type HandlersOptions, handlers, type TaskFunctions } from './handlers.ts';
export type { Logger } from './ports.ts';
export { CloseCode } from './protocol/close-codes.ts';
export type { CodecName } from './protocol/codec.ts';
export type { AnyResultOf, ResultMap, ResultOf } from './results.ts';
export { exposeTaskHandler } from './sandbox/expose.ts';
export { type SandboxOptions, sandbox } from './sandbox/sandbox.ts';
export { FifoScheduler, type FifoSchedulerOptions, type PutOptions } from './scheduling/fifo-scheduler.ts';
export type { MapFailures, MapItem, MapOptions } from './scheduling/map.ts';
export type { MapInputs } from './scheduling/map-inputs.ts';
export type { MapFailure, MapResult } from './scheduling/map-stream.ts';
export type { Ended, Lease, LeaseHolder, Release, TaskScheduler } from './scheduling/scheduler.ts';
export type { ThreadLike } from './thread-like.ts';
export type { SettledOutcome, WorkerEvent, WorkerState } from './worker/events.ts';
export type { WorkerOptions } from './worker/options.ts';
export type { ReconnectOptions } from './worker/reconnection.ts';
export { Worker } from './worker/worker.ts';
