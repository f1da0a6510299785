// What tests in the browser may ask of the Node side of the test runner: masters, and tasks put to them.
import type { BrowserCommand } from 'vitest/node';
import { acceptTokens, FifoScheduler, Master, type MasterOptions, type WorkerInfo } from '../../src/index.ts';

interface Running {
  readonly scheduler: FifoScheduler<unknown, unknown>;
  readonly master: Master<unknown, unknown>;
}

/** How a `put` ended, as plain data. */
export type Settled =
  | { readonly result: unknown }
  | { readonly error: string; readonly attempts: readonly { code: unknown; name: string; message: string }[] };

/** What a task had to tell, in order, and how its `put` ended. */
export interface Followed {
  readonly settled: Settled;
  readonly progress: readonly unknown[];
}

const masters = new Map<number, Running>();
const aborts = new Map<string, AbortController>();

function find(port: number): Running {
  const running = masters.get(port);
  if (running === undefined) throw new Error(`No master on port ${port}`);
  return running;
}

/** What a test can compare: typed arrays do not cross from Node to the test. */
function plain(value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  return { kind: value.constructor.name, bytes: [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)] };
}

/** Starts a master for this page, on a free port unless one is given; returns the port. */
const startMaster: BrowserCommand<[options?: MasterOptions, tokens?: readonly string[]]> = async (
  { page },
  options = {},
  tokens = [],
) => {
  const scheduler = new FifoScheduler<unknown, unknown>({ maxAttempts: 1 });
  const origins = [new URL(page.url()).origin];
  // Functions do not cross from the page.
  const authenticate = tokens.length === 0 ? undefined : acceptTokens(...tokens);
  const master = new Master(scheduler, { port: 0, origins, authenticate, ...options });
  await master.start();
  const port = master.address?.port ?? 0;
  masters.set(port, { scheduler, master });
  return port;
};

const stopMaster: BrowserCommand<[port: number]> = async (_context, port) => {
  await masters.get(port)?.master.stop();
  masters.delete(port);
};

/** Puts a task and waits until it is settled; `abort` with the same name aborts it. */
const put: BrowserCommand<[port: number, task: unknown, name?: string]> = async (
  _context,
  port,
  task,
  name = '',
): Promise<Settled> => {
  const controller = new AbortController();
  aborts.set(name, controller);
  try {
    return { result: plain(await find(port).scheduler.put(task, { signal: controller.signal })) };
  } catch (error) {
    const attempts =
      error instanceof Object && 'attempts' in error && Array.isArray(error.attempts) ? error.attempts : [];
    return {
      error: String(error),
      attempts: attempts.map((each) => ({
        code: each.error.code,
        name: each.error.name,
        message: each.error.message,
      })),
    };
  }
};

/** Puts a task; returns its progress besides. */
const putFollowed: BrowserCommand<[port: number, task: unknown]> = async (context, port, task): Promise<Followed> => {
  const progress: unknown[] = [];
  const off = find(port).master.on('progress', ({ value }) => progress.push(plain(value)));
  const settled = await put(context, port, task);
  off();
  return { settled, progress };
};

const abort: BrowserCommand<[name: string]> = async (_context, name) => {
  aborts.get(name)?.abort();
};

const listWorkers: BrowserCommand<[port: number]> = async (_context, port): Promise<WorkerInfo[]> =>
  find(port).master.workers();

/** Waits until a worker leaves; returns the close code. */
const nextDisconnection: BrowserCommand<[port: number]> = (_context, port): Promise<number> =>
  new Promise((resolve) => {
    const off = find(port).master.on('workerDisconnected', ({ code }) => {
      off();
      resolve(code);
    });
  });

export const commands = { startMaster, stopMaster, put, putFollowed, abort, listWorkers, nextDisconnection };

declare module 'vitest/browser' {
  interface BrowserCommands {
    startMaster(options?: MasterOptions, tokens?: readonly string[]): Promise<number>;
    stopMaster(port: number): Promise<void>;
    put(port: number, task: unknown, name?: string): Promise<Settled>;
    putFollowed(port: number, task: unknown): Promise<Followed>;
    abort(name: string): Promise<void>;
    listWorkers(port: number): Promise<WorkerInfo[]>;
    nextDisconnection(port: number): Promise<number>;
  }
}
