// The types of a handler made of functions. `tsc --noEmit` is the judge.
import { exposeTaskHandler, handlers, type ResultMap, type TaskContext, type TaskHandler, Worker } from 'taskdist';
import { describe, expectTypeOf, it } from 'vitest';

interface Fibonacci {
  readonly type: 'fibonacci';
  readonly n: number;
}
interface Tile {
  readonly type: 'tile';
  readonly x: number;
}
type Task = Fibonacci | Tile;
interface Results {
  fibonacci: number;
  tile: Uint8Array;
}

describe('handlers with types that are given', () => {
  it('gives each function the tasks of its type', () => {
    const handler = handlers<Task, Results>({
      fibonacci: (task, context) => {
        expectTypeOf(task).toEqualTypeOf<Fibonacci>();
        expectTypeOf(context).toEqualTypeOf<TaskContext>();
        return task.n;
      },
      tile: async (task) => {
        expectTypeOf(task).toEqualTypeOf<Tile>();
        return new Uint8Array(task.x);
      },
    });
    expectTypeOf(handler).toEqualTypeOf<TaskHandler<Task, number | Uint8Array>>();
  });

  it('takes a map of results as well, and functions for some of the types', () => {
    const handler = handlers<Task, ResultMap<Results>>({ fibonacci: (task) => task.n }, { stop: async () => {} });
    expectTypeOf(handler).toEqualTypeOf<TaskHandler<Task, number | Uint8Array>>();
  });

  it('takes whatever is given for a type without a known result', () => {
    const handler = handlers<Task, { fibonacci: number }>({ fibonacci: () => 1, tile: () => 'anything' });
    expectTypeOf(handler).toEqualTypeOf<TaskHandler<Task, unknown>>();
  });

  it('gives a function for one of the types of a task that task', () => {
    handlers<{ type: 'a' | 'b'; n: number }, { a: number }>({
      a: (task) => {
        expectTypeOf(task).toEqualTypeOf<{ type: 'a' | 'b'; n: number }>();
        return task.n;
      },
    });
  });

  it('takes no wrong function', () => {
    const wrong = (): void => {
      // @ts-expect-error: the wrong result
      handlers<Task, Results>({ fibonacci: () => 'one' });
      // @ts-expect-error: the wrong result, later
      handlers<Task, ResultMap<Results>>({ tile: async () => 1 });
      // @ts-expect-error: no such type
      handlers<Task, Results>({ fibonaci: () => 1 });
      // @ts-expect-error: the task of another type
      handlers<Task, Results>({ fibonacci: (task: Tile) => task.x });
      // @ts-expect-error: not a function
      handlers<Task, Results>({ fibonacci: 1 });
      // @ts-expect-error: no such option
      handlers<Task, Results>({ fibonacci: () => 1 }, { concurrency: 1 });
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });
});

describe('handlers with the types of its functions', () => {
  it('takes the tasks that they take, and gives what they give', () => {
    expectTypeOf(handlers({ fibonacci: (task: Fibonacci) => task.n })).toEqualTypeOf<TaskHandler<Fibonacci, number>>();
    const handler = handlers({
      fibonacci: (task: Fibonacci) => task.n,
      tile: async (task: Tile, context: TaskContext) => new Uint8Array(task.x + context.attempt),
    });
    expectTypeOf(handler).toEqualTypeOf<TaskHandler<Task, number | Uint8Array<ArrayBuffer>>>();
  });

  it('takes a record of functions', () => {
    const record: Record<string, (task: Fibonacci) => number> = { fibonacci: (task) => task.n };
    expectTypeOf(handlers(record)).toEqualTypeOf<TaskHandler<Fibonacci, number>>();
  });

  it('knows what a function without a parameter is for', () => {
    expectTypeOf(handlers({ ping: () => 'pong' })).toEqualTypeOf<TaskHandler<{ readonly type: 'ping' }, string>>();
  });

  it('takes no wrong function', () => {
    const wrong = (): void => {
      // @ts-expect-error: of another type
      handlers({ fibonacci: (task: Tile) => task.x });
      // @ts-expect-error: not a function
      handlers({ fibonacci: 1 });
      // @ts-expect-error: not said what it takes
      handlers({ fibonacci: (task) => task.n });
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });
});

describe('a handler made of functions', () => {
  it('is what a worker and a thread take', () => {
    const use = (): void => {
      const given = handlers<Task, Results>({ fibonacci: () => 1 });
      expectTypeOf(new Worker(given)).toEqualTypeOf<Worker<Task, number | Uint8Array>>();
      exposeTaskHandler(given);
      const inferred = handlers({ fibonacci: (task: Fibonacci) => task.n });
      expectTypeOf(new Worker(inferred)).toEqualTypeOf<Worker<Fibonacci, number>>();
      exposeTaskHandler(inferred);
    };
    expectTypeOf(use).returns.toBeVoid();
  });
});
