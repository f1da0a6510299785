// A connected worker whose tasks go on until a test ends them.
import type { TaskContext } from '../../src/handler.ts';
import type { WorkerOptions } from '../../src/worker/options.ts';
import { VirtualWorker } from './worker.ts';

/** Keeps every task, by its name, waiting. */
export class PendingHandler {
  /** Of the tasks that have started. */
  readonly contexts = new Map<unknown, TaskContext>();
  readonly #resolves = new Map<unknown, (result: unknown) => void>();

  readonly doTask = (task: unknown, context: TaskContext): Promise<unknown> => {
    this.contexts.set(task, context);
    return new Promise((resolve) => this.#resolves.set(task, resolve));
  };

  finish(task: unknown, result: unknown = null): void {
    this.#resolves.get(task)?.(result);
  }

  /** @throws if the task has not started */
  signal(task: unknown): AbortSignal {
    const context = this.contexts.get(task);
    if (context === undefined) throw new Error(`${String(task)} has not started`);
    return context.signal;
  }
}

/** `master` is the connection made first. */
export async function pendingWorker(options: WorkerOptions<unknown> = {}) {
  const handler = new PendingHandler();
  const world = await new VirtualWorker<unknown, unknown>(handler, options).connect();
  return { handler, ...world, master: world.master.last, world };
}
