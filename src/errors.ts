// The errors of the library: one hierarchy, every member with a documented `code`.

/** Marks the library's errors, so that they are recognised across realms and across copies of the package. */
const MARK = Symbol.for('taskdist.error');

/**
 * What a {@link TaskdistError} can be about:
 *
 * | code | meaning |
 * | --- | --- |
 * | `TASKDIST_INVALID_OPTION` | an argument or option has a value that is not allowed; the message names both |
 * | `TASKDIST_INVALID_STATE` | the call is not allowed now, e.g. to start what runs already |
 * | `TASKDIST_STOPPED` | the master was stopped before the task was settled, or the thing called is stopped |
 * | `TASKDIST_FULL` | the scheduler has as many unsettled tasks as `maxTasks` allows |
 * | `TASKDIST_LISTEN` | the master's server could not listen, or failed; `cause` is the system's error |
 * | `TASKDIST_CONNECT` | the worker could not reach its master; `cause` says more where it is known |
 * | `TASKDIST_REFUSED` | the master refused this worker for good, for its token or its protocol version |
 * | `TASKDIST_TASK_TIMEOUT` | an attempt ran longer than `timeout`, or than the master's `taskTimeout` |
 * | `TASKDIST_DEADLINE` | the task was not done by its `deadline` |
 * | `TASKDIST_TASK_REJECTED` | a worker declined the task with `context.reject()` |
 * | `TASKDIST_TASK_ABORTED` | an attempt was cancelled while it ran, in the worker; `cause` is the reason |
 * | `TASKDIST_WORKER_LOST` | the connection ended while the attempt ran |
 * | `TASKDIST_DEAD_LETTER` | the task used up its attempts; `attempts` lists what happened in each |
 * | `TASKDIST_NO_QUORUM` | the workers that ran the task did not agree on its result; `results` lists what they gave |
 * | `TASKDIST_NOT_SERIALIZABLE` | a task or a result holds a value that cannot cross the wire, e.g. a function |
 * | `TASKDIST_TOO_LARGE` | a task or a result is larger than the master's `maxFrameBytes` |
 * | `TASKDIST_SANDBOX_BOOT` | a thread of a sandbox could not be started |
 * | `TASKDIST_SANDBOX_BROKEN` | a sandbox's threads failed to start too often in a row; it starts no more |
 * | `TASKDIST_SANDBOX_CRASHED` | a thread of a sandbox ended while it ran the task |
 */
export type TaskdistErrorCode =
  | 'TASKDIST_INVALID_OPTION'
  | 'TASKDIST_INVALID_STATE'
  | 'TASKDIST_STOPPED'
  | 'TASKDIST_FULL'
  | 'TASKDIST_LISTEN'
  | 'TASKDIST_CONNECT'
  | 'TASKDIST_REFUSED'
  | 'TASKDIST_TASK_TIMEOUT'
  | 'TASKDIST_DEADLINE'
  | 'TASKDIST_TASK_REJECTED'
  | 'TASKDIST_TASK_ABORTED'
  | 'TASKDIST_WORKER_LOST'
  | 'TASKDIST_DEAD_LETTER'
  | 'TASKDIST_NO_QUORUM'
  | 'TASKDIST_NOT_SERIALIZABLE'
  | 'TASKDIST_TOO_LARGE'
  | 'TASKDIST_SANDBOX_BOOT'
  | 'TASKDIST_SANDBOX_BROKEN'
  | 'TASKDIST_SANDBOX_CRASHED';

/** The base of every error the library raises itself. Ask for one with {@link isTaskdistError}. */
export class TaskdistError extends Error {
  /** What went wrong, for programs; see {@link TaskdistErrorCode}. */
  readonly code: TaskdistErrorCode;

  constructor(code: TaskdistErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, MARK, { value: true });
  }

  override get name(): string {
    return 'TaskdistError';
  }
}

/** An argument or option was given a value that is not allowed. `code`: `TASKDIST_INVALID_OPTION`. */
export class InvalidOptionError extends TaskdistError {
  constructor(message: string) {
    super('TASKDIST_INVALID_OPTION', message);
  }

  override get name(): string {
    return 'InvalidOptionError';
  }
}

/** The attempt ran longer than it may. `code`: `TASKDIST_TASK_TIMEOUT`. */
export class TaskTimeoutError extends TaskdistError {
  constructor(timeoutMs: number, from: 'start' | 'progress' = 'start') {
    const what = from === 'start' ? 'was still running after' : 'made no progress for';
    super('TASKDIST_TASK_TIMEOUT', `The attempt ${what} ${timeoutMs} ms`);
  }

  override get name(): string {
    return 'TaskTimeoutError';
  }
}

/** The task was not done by its `deadline`. `code`: `TASKDIST_DEADLINE`. */
export class TaskDeadlineError extends TaskdistError {
  /** How often it had been tried, attempts that ran at that moment included. */
  readonly attempts: number;
  /** How those went wrong that did, in order; of more than 32, the last 32. `cause` is the error of the last. */
  readonly failures: readonly AttemptFailure[];

  constructor(deadlineMs: number, attempts: number, failures: readonly AttemptFailure[] = []) {
    super(
      'TASKDIST_DEADLINE',
      `The task was not done within ${deadlineMs} ms (\`deadline\`)${attempts === 0 ? ', and no worker had started it' : ''}`,
      causeOf(failures),
    );
    this.attempts = attempts;
    this.failures = failures;
  }

  override get name(): string {
    return 'TaskDeadlineError';
  }
}

/** Thrown by `context.reject()`: this worker declines the task. `code`: `TASKDIST_TASK_REJECTED`. */
export class TaskRejectedError extends TaskdistError {
  /** What the handler gave as its reason. */
  readonly reason: string;

  constructor(reason: string) {
    super('TASKDIST_TASK_REJECTED', `The worker rejected the task: ${reason}`);
    this.reason = reason;
  }

  override get name(): string {
    return 'TaskRejectedError';
  }
}

/** How one attempt at a task went wrong. */
export interface AttemptFailure {
  /** Which attempt it was, counted from 1; at a task that is verified, of those by the same worker. */
  readonly attempt: number;
  /** The name of the worker that ran it. */
  readonly worker: string;
  /** Its id, as in `master.workers()`: names need not be unique. */
  readonly workerId: string;
  /** What the handler threw (a {@link RemoteError}), or why the library ended the attempt. */
  readonly error: Error;
}

/** The last of these errors as the cause of another, if there is one. */
export function causeOf(failures: readonly AttemptFailure[]): ErrorOptions {
  const last = failures.at(-1);
  return last === undefined ? {} : { cause: last.error };
}

/** The task used up its attempts and is given up. `code`: `TASKDIST_DEAD_LETTER`. */
export class DeadLetterError extends TaskdistError {
  /** Every attempt in order; of more than 32, the last 32. */
  readonly attempts: readonly AttemptFailure[];

  /** `count`: how many attempts there were. */
  constructor(attempts: readonly AttemptFailure[], count = attempts.length) {
    const times = count === 1 ? '1 attempt' : `${count} attempts`;
    const last = attempts.at(-1)?.error.message ?? 'unknown';
    super('TASKDIST_DEAD_LETTER', `The task is given up after ${times}; the last: ${last}`, causeOf(attempts));
    this.attempts = attempts;
  }

  override get name(): string {
    return 'DeadLetterError';
  }
}

/** Results of a task that agree. */
export interface ResultVotes {
  /** The first of them. Nobody has checked what it is. */
  readonly result: unknown;
  /** How many there were. */
  readonly votes: number;
  /** The workers that gave them: their names, and their ids as in `master.workers()`. */
  readonly workers: readonly { readonly worker: string; readonly workerId: string }[];
}

/**
 * The task was run by as many workers as `verify.maxReplicas` allows, or by enough of them to know that no quorum would
 * agree. `code`: `TASKDIST_NO_QUORUM`. `cause`: what `verify.equals` has done wrong last, if it has.
 */
export class NoQuorumError extends TaskdistError {
  /** What they gave, but for what was discarded; the first that came first. */
  readonly results: readonly ResultVotes[];

  constructor(results: readonly ResultVotes[], options?: ErrorOptions) {
    const votes = results.map((each) => each.votes);
    const count = votes.reduce((sum, each) => sum + each, 0);
    super(
      'TASKDIST_NO_QUORUM',
      `Of ${count} results no quorum agrees: at most ${Math.max(0, ...votes)} are the same`,
      options,
    );
    this.results = results;
  }

  override get name(): string {
    return 'NoQuorumError';
  }
}

/** The class of the errors that have this code. */
export type TaskdistErrorOf<Code extends TaskdistErrorCode> = Code extends 'TASKDIST_DEAD_LETTER'
  ? DeadLetterError
  : Code extends 'TASKDIST_NO_QUORUM'
    ? NoQuorumError
    : Code extends 'TASKDIST_TASK_REJECTED'
      ? TaskRejectedError
      : Code extends 'TASKDIST_DEADLINE'
        ? TaskDeadlineError
        : TaskdistError;

/**
 * Whether a value is one of the library's errors, and, if a code is given, that one. Never throws.
 * Works for errors of another realm or another copy of the package, where `instanceof` does not.
 */
export function isTaskdistError(value: unknown): value is TaskdistError;
export function isTaskdistError<Code extends TaskdistErrorCode>(
  value: unknown,
  code: Code,
): value is TaskdistErrorOf<Code>;
export function isTaskdistError(value: unknown, code?: TaskdistErrorCode): value is TaskdistError {
  return readProperty(value, MARK) === true && (code === undefined || readProperty(value, 'code') === code);
}

/** Why a handler rejected a task, as a text that can cross the wire. */
export function rejectionReason(error: TaskRejectedError): string {
  return (readString(error, 'reason') ?? messageOf(error)).slice(0, MAX_TEXT_CHARACTERS);
}

/** An error as it crosses the wire or the border of a thread. */
export interface ErrorDescription {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
}

/**
 * Longer texts are cut: an error must fit into the smallest frame that can be agreed on, 64 KiB, even if JSON writes each
 * of its characters as six.
 */
export const MAX_TEXT_CHARACTERS = 4096;

/** Describes whatever was thrown; never throws itself, whatever the value's getters do. */
export function describeError(thrown: unknown): ErrorDescription {
  const name = readString(thrown, 'name') ?? 'Error';
  const message = messageOf(thrown);
  const stack = readString(thrown, 'stack');
  const code = readCode(thrown);
  return {
    name: name.slice(0, 256),
    message: message.slice(0, MAX_TEXT_CHARACTERS),
    ...(stack === undefined ? {} : { stack: stack.slice(0, MAX_TEXT_CHARACTERS) }),
    ...(code === undefined ? {} : { code: typeof code === 'string' ? code.slice(0, 256) : code }),
  };
}

function readProperty(value: unknown, property: string | symbol): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return Reflect.get(value, property);
  } catch {
    return undefined;
  }
}

function readString(value: unknown, property: string): string | undefined {
  const found = readProperty(value, property);
  return typeof found === 'string' ? found : undefined;
}

function readCode(value: unknown): string | number | undefined {
  const found = readProperty(value, 'code');
  return typeof found === 'string' || typeof found === 'number' ? found : undefined;
}

/** The message of whatever was thrown; never throws itself. */
export function messageOf(thrown: unknown): string {
  const message = readString(thrown, 'message');
  if (message !== undefined) return message;
  try {
    return String(thrown);
  } catch {
    return 'a value that cannot be described';
  }
}

/**
 * An error that happened elsewhere: in a worker's handler, or in a thread. `name`, `message`, `stack` and `code` are
 * those of the original.
 */
export class RemoteError extends Error {
  /** The original's `code`, if it had one. */
  readonly code: string | number | undefined;

  constructor(description: ErrorDescription) {
    super(description.message);
    // Own properties, as the original's class is not known here.
    Object.defineProperty(this, 'name', { value: description.name, configurable: true, writable: true });
    if (description.stack !== undefined) {
      Object.defineProperty(this, 'stack', { value: description.stack, configurable: true, writable: true });
    }
    this.code = description.code;
  }
}
