// The thread's side of a sandbox: offers a handler to whoever started the thread.
import { expose } from 'comlink';
import { TaskdistError } from '../errors.ts';
import { type TaskFunction, type TaskHandler, toHandler } from '../handler.ts';
import { onSelfClose, parentEndpoint } from '../platform/threads.ts';
import { MARK } from './thread-api.ts';
import { ThreadHost } from './thread-host.ts';

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
  const post = (message: unknown, buffers?: Transferable[]): void => endpoint.postMessage(message, buffers);
  expose(new ThreadHost(taskHandler, post), endpoint);
  onSelfClose(() => post([MARK, 'closed']));
  // Not asked for: a browser drops what is sent to a thread whose script has not got here yet.
  post([MARK, 'ready']);
}
