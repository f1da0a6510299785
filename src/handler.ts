// What runs tasks: the handler that the user writes, and the context that it is given.
import { TaskRejectedError } from './errors.ts';
import { expectObject, refuse } from './options.ts';

/** What a handler knows of the attempt it makes. */
export interface TaskContext {
  /** The identity of the task with its scheduler: the same in every attempt. Another run of the master counts anew. */
  readonly key: string;
  /** Which attempt this is, counted from 1. */
  readonly attempt: number;
  /** Aborts when the task is aborted, runs out of time, or the worker stops or loses its master. */
  readonly signal: AbortSignal;
  /**
   * Tells how far the attempt is: the value reaches `onProgress` of the task's `put`, and if its `timeoutFrom` is
   * `progress`, its time starts anew. The value may be whatever a result may be. Does nothing once the attempt is over.
   * @throws TaskdistError `TASKDIST_NOT_SERIALIZABLE`, `TASKDIST_TOO_LARGE`
   */
  progress(value: unknown): void;
  /**
   * Declines the task: the master puts it back, and does not offer it to this worker again.
   * @throws TaskRejectedError always; let it pass.
   */
  reject(reason: string): never;
}

/** A handler that is just a function. */
export type TaskFunction<T, R> = (task: T, context: TaskContext) => R | Promise<R>;

/** Runs tasks of type T to results of type R. */
export interface TaskHandler<T, R> {
  /** Runs one task. What it throws fails the attempt. */
  doTask(task: T, context: TaskContext): R | Promise<R>;
  /** Called when the worker has stopped and its connection is closed: close resources. */
  stop?(): void | Promise<void>;
  /** How many tasks may run at once, an integer from 1 to 65536; the worker's `concurrency` option goes before it. */
  getConcurrency?(): number;
  /**
   * The values of `task.type` it takes, if not all tasks. The worker's `accepts` option goes before it, unless that is a
   * predicate, which is asked besides.
   */
  readonly accepts?: readonly string[] | undefined;
}

/** Makes a handler of a function; refuses what is neither. @throws InvalidOptionError */
export function toHandler<T, R>(handler: TaskHandler<T, R> | TaskFunction<T, R>): TaskHandler<T, R> {
  if (typeof handler === 'function') return { doTask: handler };
  expectObject('handler', handler);
  if (typeof handler.doTask !== 'function') refuse('handler.doTask', 'a function', handler.doTask);
  return handler;
}

/** Whoever wants to hear how far an attempt is. */
export interface ProgressFollower {
  progressed(value: unknown): void;
}

/** The context of one attempt. Most handlers never ask for the signal, so it is made when they do. */
export class AttemptContext implements TaskContext {
  readonly key: string;
  readonly attempt: number;
  readonly #follower: ProgressFollower;
  #controller: AbortController | undefined = undefined;
  #aborted: { readonly reason: unknown } | undefined = undefined;
  #isOver = false;

  constructor(key: string, attempt: number, follower: ProgressFollower) {
    this.key = key;
    this.attempt = attempt;
    this.#follower = follower;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Needs no `this`, as handlers take contexts apart. */
  get progress(): (value: unknown) => void {
    return (value) => {
      if (!this.#isOver) this.#follower.progressed(value);
    };
  }

  reject(reason: string): never {
    throw new TaskRejectedError(reason);
  }

  /** From now on, nobody wants to hear of its progress. */
  end(): void {
    this.#isOver = true;
  }

  /** Aborts the signal, now or when it is first asked for. */
  abort(reason: unknown): void {
    this.end();
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }
}
