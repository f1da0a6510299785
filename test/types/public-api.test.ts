// The types that users see. `tsc --noEmit` is the judge; that nothing throws is the least of it.
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Worker as NodeThread } from 'node:worker_threads';
import * as Taskdist from 'taskdist';
import { describe, expectTypeOf, it } from 'vitest';

interface Task {
  readonly type: 'fibonacci';
  readonly n: number;
}

const scheduler = new Taskdist.FifoScheduler<Task, number>();

describe('FifoScheduler.put', () => {
  it('takes a task, and promises a result', () => {
    expectTypeOf(scheduler.put).parameter(0).toEqualTypeOf<Task>();
    expectTypeOf(scheduler.put).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(scheduler.put).parameter(1).toEqualTypeOf<Taskdist.PutOptions | undefined>();
    expectTypeOf<keyof Taskdist.PutOptions>().toEqualTypeOf<
      | 'priority'
      | 'delay'
      | 'timeout'
      | 'timeoutFrom'
      | 'maxAttempts'
      | 'backoff'
      | 'deadline'
      | 'requires'
      | 'speculate'
      | 'verify'
      | 'signal'
      | 'onProgress'
      | 'idempotencyKey'
    >();
  });

  it('takes undefined for what is not asked, as it may come from elsewhere', () => {
    const { signal, timeout }: { readonly signal?: AbortSignal; readonly timeout?: number } = {};
    const right = (): void => {
      void scheduler.put({ type: 'fibonacci', n: 1 }, { signal, timeout });
      void scheduler.map([], { signal, timeout, window: undefined });
      void new Taskdist.Master(scheduler, { port: undefined, taskTimeout: timeout });
      void new Taskdist.Worker(() => 1, { url: undefined, reconnect: { base: timeout } }).drain({ grace: timeout });
      void Taskdist.sandbox(() => ({ postMessage() {}, terminate() {} }), { size: timeout });
    };
    expectTypeOf(right).returns.toBeVoid();
  });

  it('takes how results are to be compared, whatever they are', () => {
    const right = (): void => {
      void scheduler.put({ type: 'fibonacci', n: 1 }, { verify: false });
      void scheduler.put({ type: 'fibonacci', n: 1 }, { verify: { equals: (a: number, b: number) => a === b } });
      void scheduler.map([], { verify: { quorum: 3, maxReplicas: undefined, trust: { after: undefined } } });
      void new Taskdist.FifoScheduler<Task, number>({ verify: { trust: false } });
      // @ts-expect-error: what is to be the same is not said by a text
      void scheduler.put({ type: 'fibonacci', n: 1 }, { verify: { equals: 'deep' } });
    };
    expectTypeOf(right).returns.toBeVoid();
    type Compared = Parameters<NonNullable<Taskdist.VerifyOptions['equals']>>;
    expectTypeOf<Compared>().toEqualTypeOf<[a: unknown, b: unknown]>();
  });

  it('takes nothing else', () => {
    const wrong = (): void => {
      // @ts-expect-error: not a task
      void scheduler.put({ type: 'fibonacci' });
      // @ts-expect-error: not an option
      void scheduler.put({ type: 'fibonacci', n: 1 }, { maxAttemps: 1 });
      // @ts-expect-error: not a signal
      void scheduler.put({ type: 'fibonacci', n: 1 }, { signal: new AbortController() });
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });
});

describe('Master', () => {
  it('has the types of its scheduler', () => {
    const master = new Taskdist.Master(scheduler, { port: 0 });
    expectTypeOf(master).toEqualTypeOf<Taskdist.Master<Task, number>>();
    master.on('attemptEnded', (event) => {
      expectTypeOf(event.task).toEqualTypeOf<Task>();
      expectTypeOf(event.outcome).toEqualTypeOf<Taskdist.AttemptOutcome>();
      expectTypeOf(event.worker).toEqualTypeOf<Taskdist.WorkerInfo>();
    });
    master.on('listening', (event) => expectTypeOf(event.address).toEqualTypeOf<Taskdist.MasterAddress>());
    expectTypeOf(master.start).returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf(master.stop).returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf(master.workers).returns.toEqualTypeOf<Taskdist.WorkerInfo[]>();
    expectTypeOf(master.address).toEqualTypeOf<Taskdist.MasterAddress | undefined>();
  });

  it('attaches to the servers of Node', () => {
    expectTypeOf(createServer).returns.toExtend<Taskdist.UpgradeServer>();
    expectTypeOf(createSecureServer).returns.toExtend<Taskdist.UpgradeServer>();
  });

  it('takes any scheduler', () => {
    expectTypeOf<Taskdist.FifoScheduler<Task, number>>().toExtend<Taskdist.TaskScheduler<Task, number>>();
    expectTypeOf(Taskdist.Master<Task, number>).toBeConstructibleWith({} as Taskdist.TaskScheduler<Task, number>);
  });
});

describe('Worker', () => {
  it('takes a class, an object or a function as its handler', () => {
    class Handler implements Taskdist.TaskHandler<Task, number> {
      async doTask(task: Task): Promise<number> {
        return task.n;
      }
    }
    expectTypeOf(new Taskdist.Worker(new Handler())).toEqualTypeOf<Taskdist.Worker<Task, number>>();
    expectTypeOf(new Taskdist.Worker((task: Task) => task.n)).toEqualTypeOf<Taskdist.Worker<Task, number>>();
    expectTypeOf(new Taskdist.Worker({ doTask: async (task: Task) => task.n })).toEqualTypeOf<
      Taskdist.Worker<Task, number>
    >();
  });

  it('gives its handler a context', () => {
    const handler: Taskdist.TaskFunction<Task, number> = (task, context) => {
      expectTypeOf(task).toEqualTypeOf<Task>();
      expectTypeOf(context.key).toBeString();
      expectTypeOf(context.attempt).toBeNumber();
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(context.reject).toEqualTypeOf<(reason: string) => never>();
      return task.n > 90 ? context.reject('too large') : task.n;
    };
    expectTypeOf(handler).returns.toEqualTypeOf<number | Promise<number>>();
  });

  it('chooses by type or by task', () => {
    type Accepts = Taskdist.WorkerOptions<Task>['accepts'];
    expectTypeOf<Accepts>().toEqualTypeOf<readonly string[] | ((task: Task) => boolean) | undefined>();
  });

  it('tells what has become of the tasks', () => {
    const worker = new Taskdist.Worker((task: Task) => task.n);
    worker.on('taskSettled', (event) => {
      expectTypeOf(event.task).toEqualTypeOf<Task>();
      expectTypeOf(event.outcome).toEqualTypeOf<Taskdist.SettledOutcome>();
    });
    worker.on('disconnected', (event) => expectTypeOf(event.retryDelay).toEqualTypeOf<number | undefined>());
    expectTypeOf(worker.on).returns.toEqualTypeOf<() => void>();
    expectTypeOf(worker.state).toEqualTypeOf<Taskdist.WorkerState>();
    const wrong = (): void => {
      // @ts-expect-error: no such event
      worker.on('taskEnded', () => {});
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });

  it('knows its options', () => {
    const wrong = (): void => {
      // @ts-expect-error: not an option
      new Taskdist.Worker((task: Task) => task.n, { host: 'x' });
      // @ts-expect-error: not a protocol
      new Taskdist.Worker((task: Task) => task.n, { protocol: 'http' });
      // @ts-expect-error: a handler of nothing
      new Taskdist.Worker({});
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });
});

describe('sandbox', () => {
  it('is a handler of the tasks that it is told', () => {
    const handler = Taskdist.sandbox<Task, number>(() => new globalThis.Worker('./handler.js'), { size: 1 });
    expectTypeOf(handler).toEqualTypeOf<Taskdist.TaskHandler<Task, number>>();
    expectTypeOf(new Taskdist.Worker(handler)).toEqualTypeOf<Taskdist.Worker<Task, number>>();
  });

  it('starts the threads of Node and of browsers', () => {
    expectTypeOf<NodeThread>().toExtend<Taskdist.ThreadLike>();
    expectTypeOf<globalThis.Worker>().toExtend<Taskdist.ThreadLike>();
  });

  it('exposes what a worker takes', () => {
    expectTypeOf(Taskdist.exposeTaskHandler<Task, number>)
      .parameter(0)
      .toEqualTypeOf<Taskdist.TaskHandler<Task, number> | Taskdist.TaskFunction<Task, number>>();
  });
});

describe('isTaskdistError', () => {
  it('narrows what was caught', () => {
    const caught: unknown = new Taskdist.InvalidOptionError('no');
    if (Taskdist.isTaskdistError(caught)) {
      expectTypeOf(caught).toEqualTypeOf<Taskdist.TaskdistError>();
      expectTypeOf(caught.code).toEqualTypeOf<Taskdist.TaskdistErrorCode>();
    }
    expectTypeOf<Taskdist.DeadLetterError['attempts']>().toEqualTypeOf<readonly Taskdist.AttemptFailure[]>();
    expectTypeOf<Taskdist.RemoteError['code']>().toEqualTypeOf<string | number | undefined>();
  });
});
