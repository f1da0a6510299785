// A master in Node and workers in this page, for one test.
import { type TaskFunction, type TaskHandler, Worker, type WorkerOptions } from 'taskdist';
import { onTestFinished } from 'vitest';
import { commands } from 'vitest/browser';

/** Starts a master; returns its port. */
export async function startMaster(...options: Parameters<typeof commands.startMaster>): Promise<number> {
  const port = await commands.startMaster(...options);
  onTestFinished(() => commands.stopMaster(port));
  return port;
}

/** A worker in this page that is not started. */
export function createWorker<T, R>(
  port: number,
  handler: TaskHandler<T, R> | TaskFunction<T, R>,
  options: WorkerOptions<T> = {},
): Worker<T, R> {
  const worker = new Worker<T, R>(handler, { masterHost: '127.0.0.1', masterPort: port, ...options });
  onTestFinished(() => worker.stop());
  return worker;
}

/** A worker in this page that has been welcomed. */
export async function join<T, R>(...args: Parameters<typeof createWorker<T, R>>): Promise<Worker<T, R>> {
  const worker = createWorker<T, R>(...args);
  await worker.start();
  return worker;
}

/** Resolves when the worker tells of this event. */
export function eventOf<T, R>(worker: Worker<T, R>, type: 'connected' | 'disconnected' | 'taskStarted' | 'error') {
  return new Promise<unknown>((resolve) => {
    const off = worker.on(type, (event) => {
      off();
      resolve(event);
    });
  });
}
