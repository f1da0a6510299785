// Runs the calls of one thread, inside it: one after the other, each answered as soon as it is over.
import { describeError, isTaskdistError, messageOf, rejectionReason, TaskdistError } from '../errors.ts';
import { AttemptContext, type ProgressFollower, type TaskHandler } from '../handler.ts';
import { systemClock } from '../platform/system.ts';
import { isPromiseLike } from '../promise-like.ts';
import { Queue } from '../queue.ts';
import { SharedResults } from './shared-results.ts';
import { type Call, MARK, type ThreadApi, type ThreadMessage } from './thread-api.ts';
import { transferOf } from './transferables.ts';

/** After so long, what was sent to the thread meanwhile is heard before the next call begins. */
const TURN_MS = 2;

/** So many results are written before the sandbox is told, */
const MAX_UNTOLD = 32;
/** or for so long, if a call ends then; or until nothing waits any more. */
const MAX_UNTOLD_MS = 0.5;

type Post = (message: ThreadMessage, buffers?: Transferable[]) => void;

/** The call that runs. */
interface Running {
  readonly call: number;
  readonly context: AttemptContext;
  readonly startedAtMs: number;
  /** Its result must be posted too then, to come behind that. */
  hasTold: boolean;
}

export class ThreadHost<T, R> implements ThreadApi {
  readonly #handler: TaskHandler<T, R>;
  readonly #post: Post;
  readonly #clock = systemClock;
  readonly #waiting = new Queue<Call>();
  #running: Running | undefined = undefined;
  #turnStartedAtMs = 0;
  #isYielding = false;
  /** There if memory is shared. */
  #results: SharedResults | undefined = undefined;
  /** How many results were written of which the sandbox was not told, and since when. */
  #untold = 0;
  #untoldSinceMs = 0;

  constructor(handler: TaskHandler<T, R>, post: Post) {
    this.#handler = handler;
    this.#post = post;
  }

  share(results: SharedArrayBuffer): void {
    this.#results = new SharedResults(results);
  }

  run(calls: readonly Call[]): void {
    for (const call of calls) this.#waiting.push(call);
    if (this.#running !== undefined || this.#isYielding) return;
    this.#turnStartedAtMs = this.#clock.now();
    this.#pump();
  }

  drop(calls: readonly number[]): void {
    const dropped = new Set(calls);
    for (const waiting of [...this.#waiting]) {
      if (!dropped.has(waiting[0])) continue;
      this.#waiting.remove(waiting);
      this.#post([MARK, 'dropped', waiting[0]]);
    }
  }

  abort(call: number, reason: string): void {
    if (this.#running?.call === call) this.#running.context.abort(new TaskdistError('TASKDIST_TASK_ABORTED', reason));
    else this.drop([call]);
  }

  #pump(): void {
    while (this.#running === undefined && !this.#isYielding) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#begin(next);
    }
  }

  #begin([call, task, key, attempt]: Call): void {
    const follower: ProgressFollower = { progressed: (value) => this.#progressed(call, value) };
    const context = new AttemptContext(key, attempt, follower);
    const running: Running = { call, context, startedAtMs: this.#clock.now(), hasTold: false };
    this.#running = running;
    try {
      // The sandbox's type promises it.
      const result = this.#handler.doTask(task as T, context);
      if (!isPromiseLike(result)) {
        this.#done(running, result);
        return;
      }
      Promise.resolve(result).then(
        (value) => {
          this.#done(running, value);
          this.#pump();
        },
        (error: unknown) => {
          this.#failed(running, error);
          this.#pump();
        },
      );
    } catch (error) {
      this.#failed(running, error);
    }
  }

  #done(running: Running, result: unknown): void {
    const { call } = running;
    const durationMs = this.#end(running);
    if (typeof result === 'number' && !running.hasTold && this.#results?.write(call, result, durationMs) === true) {
      this.#written(running.startedAtMs + durationMs);
      return;
    }
    try {
      if (typeof result !== 'object' || result === null) {
        this.#post([MARK, 'done', call, result, durationMs]);
        return;
      }
      const { value, buffers } = transferOf(result);
      postOrCopy(this.#post, [MARK, 'done', call, value, durationMs], buffers);
    } catch (cause) {
      const why = `The result cannot leave the thread: ${messageOf(cause)}`;
      this.#postFailure(call, new TaskdistError('TASKDIST_NOT_SERIALIZABLE', why), durationMs);
    }
  }

  /** The sandbox can read it from now on, also if the next call never ends; but it should be told soon. */
  #written(nowMs: number): void {
    this.#untold += 1;
    if (this.#untold === 1) {
      this.#untoldSinceMs = nowMs;
      this.#clock.atRest(() => this.#tell());
    }
    if (this.#untold >= MAX_UNTOLD || nowMs - this.#untoldSinceMs >= MAX_UNTOLD_MS || this.#waiting.size === 0)
      this.#tell();
  }

  #tell(): void {
    if (this.#untold === 0) return;
    this.#untold = 0;
    this.#post([MARK, 'written']);
  }

  #failed(running: Running, error: unknown): void {
    const durationMs = this.#end(running);
    if (isTaskdistError(error, 'TASKDIST_TASK_REJECTED')) {
      this.#post([MARK, 'rejected', running.call, rejectionReason(error), durationMs]);
    } else {
      this.#postFailure(running.call, error, durationMs);
    }
  }

  #postFailure(call: number, error: unknown, durationMs: number): void {
    this.#post([MARK, 'failed', call, describeError(error), durationMs]);
  }

  /** Returns how long it ran. */
  #end(running: Running): number {
    const nowMs = this.#clock.now();
    running.context.end();
    this.#running = undefined;
    if (nowMs - this.#turnStartedAtMs >= TURN_MS) this.#yield();
    return nowMs - running.startedAtMs;
  }

  /** Twice, as there is no order between what comes by different ports. */
  #yield(): void {
    this.#isYielding = true;
    this.#clock.soon(() => this.#clock.soon(() => this.#resume()));
  }

  #resume(): void {
    this.#isYielding = false;
    this.#turnStartedAtMs = this.#clock.now();
    this.#pump();
  }

  #progressed(call: number, value: unknown): void {
    try {
      if (this.#running?.call === call) this.#running.hasTold = true;
      // Copied: the handler goes on to use it.
      this.#post([MARK, 'progress', call, value]);
    } catch (cause) {
      const why = `The progress cannot leave the thread: ${messageOf(cause)}`;
      throw new TaskdistError('TASKDIST_NOT_SERIALIZABLE', why, { cause });
    }
  }
}

/** Some buffers cannot move, such as a WebAssembly memory's; those are copied after all. */
function postOrCopy(post: Post, message: ThreadMessage, buffers: Transferable[]): void {
  try {
    post(message, buffers);
  } catch (error) {
    if (buffers.length === 0) throw error;
    post(message);
  }
}
