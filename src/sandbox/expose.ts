// The thread's side of a sandbox: offers a handler to whoever started the thread.
import { type Endpoint, expose, transfer } from 'comlink';
import { describeError, isTaskdistError, messageOf, rejectionReason, TaskdistError } from '../errors.ts';
import { AttemptContext, type TaskFunction, type TaskHandler, toHandler } from '../handler.ts';
import { parentEndpoint } from '../platform/threads.ts';
import { type ProgressMessage, READY, type ThreadApi, type ThreadOutcome } from './thread-api.ts';
import { transferOf } from './transferables.ts';

/**
 * Offers a handler to the {@link sandbox} that started this Web Worker or worker thread. Call it once, in the
 * thread's own script. Typed arrays and ArrayBuffers in results are moved, not copied: do not keep using them.
 * @throws InvalidOptionError if the handler is not one, TaskdistError outside a thread
 */
export function exposeTaskHandler<T, R>(handler: TaskHandler<T, R> | TaskFunction<T, R>): void {
  const taskHandler = toHandler(handler);
  const endpoint = parentEndpoint();
  if (endpoint === undefined) {
    throw new TaskdistError(
      'TASKDIST_INVALID_STATE',
      'exposeTaskHandler() is for the script of a Web Worker or a worker thread; this is neither',
    );
  }
  expose(new ThreadHost(taskHandler, endpoint), withSafePost(endpoint));
  // Not asked for: a browser drops what is sent to a thread whose script has not got here yet.
  endpoint.postMessage(READY);
}

/** Runs the calls of one thread. */
class ThreadHost<T, R> implements ThreadApi {
  readonly #handler: TaskHandler<T, R>;
  readonly #endpoint: Endpoint;
  readonly #contexts = new Map<number, AttemptContext>();

  constructor(handler: TaskHandler<T, R>, endpoint: Endpoint) {
    this.#handler = handler;
    this.#endpoint = endpoint;
  }

  async run(call: number, task: unknown, key: string, attempt: number): Promise<ThreadOutcome> {
    const context = new AttemptContext(key, attempt, (value) => this.#progressed(call, value));
    this.#contexts.set(call, context);
    try {
      // The sandbox's type promises it.
      const { value, buffers } = transferOf(await this.#handler.doTask(task as T, context));
      return transfer({ kind: 'done', result: value }, buffers);
    } catch (error) {
      if (isTaskdistError(error, 'TASKDIST_TASK_REJECTED')) {
        return { kind: 'rejected', reason: rejectionReason(error) };
      }
      return { kind: 'failed', error: describeError(error) };
    } finally {
      context.end();
      this.#contexts.delete(call);
    }
  }

  abort(call: number, reason: string): void {
    this.#contexts.get(call)?.abort(new TaskdistError('TASKDIST_TASK_ABORTED', reason));
  }

  #progressed(call: number, value: unknown): void {
    const message: ProgressMessage = { taskdist: 'progress', call, value };
    try {
      // Copied: the handler goes on to use it.
      this.#endpoint.postMessage(message);
    } catch (cause) {
      throw new TaskdistError(
        'TASKDIST_NOT_SERIALIZABLE',
        `The progress cannot leave the thread: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    }
  }
}

/** A port that answers with a failure what it cannot post: Comlink alone would not say what the matter is. */
function withSafePost(endpoint: Endpoint): Endpoint {
  return {
    postMessage(message: object, buffers: Transferable[] = []) {
      try {
        postOrCopy(endpoint, message, buffers);
      } catch (cause) {
        const why = `The result cannot leave the thread: ${messageOf(cause)}`;
        const error = new TaskdistError('TASKDIST_NOT_SERIALIZABLE', why);
        const value: ThreadOutcome = { kind: 'failed', error: describeError(error) };
        endpoint.postMessage({ ...message, value });
      }
    },
    addEventListener: (type, listener) => endpoint.addEventListener(type, listener),
    removeEventListener: (type, listener) => endpoint.removeEventListener(type, listener),
  };
}

/** Some buffers cannot move, such as a WebAssembly memory's; those are copied after all. */
function postOrCopy(endpoint: Endpoint, message: object, buffers: Transferable[]): void {
  try {
    endpoint.postMessage(message, buffers);
  } catch (error) {
    if (buffers.length === 0) throw error;
    endpoint.postMessage(message);
  }
}
