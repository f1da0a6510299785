// Which result a task has, where each type has its own. `tsc --noEmit` is the judge.
import {
  type AnyResultOf,
  FifoScheduler,
  type MapFailure,
  type MapOptions,
  type MapResult,
  type ResultMap,
  type ResultOf,
} from 'taskdist';
import { describe, expectTypeOf, it } from 'vitest';

interface Fibonacci {
  readonly type: 'fibonacci';
  readonly n: number;
}
interface Tile {
  readonly type: 'tile';
  readonly x: number;
  readonly y: number;
}
type Task = Fibonacci | Tile;
interface Results {
  fibonacci: number;
  tile: Uint8Array;
}

const scheduler = new FifoScheduler<Task, ResultMap<Results>>();
const fibonacci: Fibonacci = { type: 'fibonacci', n: 1 };
const either = (): Task => fibonacci;

describe('ResultOf', () => {
  it('is what the map says for the type of the task', () => {
    expectTypeOf<ResultOf<ResultMap<Results>, Fibonacci>>().toEqualTypeOf<number>();
    expectTypeOf<ResultOf<ResultMap<Results>, Tile>>().toEqualTypeOf<Uint8Array>();
  });

  it('is the union of the results for a union of tasks, or for a task of several types', () => {
    expectTypeOf<ResultOf<ResultMap<Results>, Task>>().toEqualTypeOf<number | Uint8Array>();
    expectTypeOf<ResultOf<ResultMap<Results>, { type: 'fibonacci' | 'tile' }>>().toEqualTypeOf<number | Uint8Array>();
  });

  it('is unknown for a type that the map does not have, and for a task without one', () => {
    expectTypeOf<ResultOf<ResultMap<Results>, { type: 'other' }>>().toBeUnknown();
    expectTypeOf<ResultOf<ResultMap<Results>, { type: string }>>().toBeUnknown();
    expectTypeOf<ResultOf<ResultMap<Results>, Fibonacci | { type: 'other' }>>().toBeUnknown();
    expectTypeOf<ResultOf<ResultMap<Results>, { type: 1 }>>().toBeUnknown();
    expectTypeOf<ResultOf<ResultMap<Results>, { n: number }>>().toBeUnknown();
    expectTypeOf<ResultOf<ResultMap<Results>, number>>().toBeUnknown();
  });

  it('is the one type of result where there is no map', () => {
    expectTypeOf<ResultOf<number, Task>>().toEqualTypeOf<number>();
    expectTypeOf<ResultOf<boolean, Task>>().toEqualTypeOf<boolean>();
    expectTypeOf<ResultOf<unknown, Task>>().toBeUnknown();
    expectTypeOf<ResultOf<undefined, Task>>().toBeUndefined();
  });

  it('takes no result for a map because it happens to have such properties', () => {
    expectTypeOf<ResultOf<Results, Fibonacci>>().toEqualTypeOf<Results>();
    expectTypeOf<AnyResultOf<Results>>().toEqualTypeOf<Results>();
  });
});

describe('AnyResultOf', () => {
  it('is the union of all results', () => {
    expectTypeOf<AnyResultOf<ResultMap<Results>>>().toEqualTypeOf<number | Uint8Array>();
    expectTypeOf<AnyResultOf<string | number>>().toEqualTypeOf<string | number>();
  });
});

describe('a put of a scheduler with a map of results', () => {
  it('promises the result of the task', () => {
    expectTypeOf(scheduler.put({ type: 'fibonacci', n: 10 })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(scheduler.put({ type: 'tile', x: 1, y: 2 })).toEqualTypeOf<Promise<Uint8Array>>();
    expectTypeOf(scheduler.put(fibonacci)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(scheduler.put(either())).toEqualTypeOf<Promise<number | Uint8Array>>();
  });

  it('takes no literal with a property missing, misspelt or too much', () => {
    const wrong = (): void => {
      // @ts-expect-error: missing
      void scheduler.put({ type: 'fibonacci' });
      // @ts-expect-error: misspelt
      void scheduler.put({ type: 'fibonacci', m: 10 });
      // @ts-expect-error: too much
      void scheduler.put({ type: 'fibonacci', n: 10, m: 10 });
      // @ts-expect-error: of another type of task
      void scheduler.put({ type: 'fibonacci', n: 10, x: 1, y: 2 });
      // @ts-expect-error: no such type
      void scheduler.put({ type: 'fibonaci', n: 10 });
      // @ts-expect-error: no type
      void scheduler.put({ n: 10 });
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });

  it('works in a function that does not know which task it is', () => {
    const put = <Each extends Task>(task: Each) => scheduler.put(task);
    expectTypeOf(put).returns.toEqualTypeOf<Promise<number | Uint8Array>>();
  });

  it('takes a task whose types are not known, and promises what is', () => {
    const open = new FifoScheduler<{ type: string; n: number }, ResultMap<Results>>();
    expectTypeOf(open.put({ type: 'fibonacci', n: 1 })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(open.put({ type: 'other', n: 1 })).toEqualTypeOf<Promise<unknown>>();
    const mixed = new FifoScheduler<number | Fibonacci, ResultMap<Results>>();
    expectTypeOf(mixed.put(5)).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(mixed.put(fibonacci)).toEqualTypeOf<Promise<unknown>>();
  });
});

describe('a put of a scheduler with one type of result', () => {
  it('is as plain as it was', () => {
    const plain = new FifoScheduler<Task, number>();
    expectTypeOf(plain.put).parameter(0).toEqualTypeOf<Task>();
    expectTypeOf(plain.put).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(plain.put({ type: 'fibonacci', n: 1 })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(new FifoScheduler<number, boolean>().put(5)).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(new FifoScheduler<unknown, unknown>().put('x')).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(new FifoScheduler<Task, { fibonacci: number }>().put(fibonacci)).resolves.toEqualTypeOf<{
      fibonacci: number;
    }>();
    const wrong = (): void => {
      // @ts-expect-error: too much
      void plain.put({ type: 'fibonacci', n: 10, m: 10 });
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });
});

describe('a map of a scheduler', () => {
  const one = async <Item>(stream: AsyncIterable<Item>): Promise<Item> => {
    for await (const item of stream) return item;
    throw new Error('none');
  };

  it('gives results, and the tasks that they are of', () => {
    const item = () => one(scheduler.map([fibonacci]));
    expectTypeOf(item).returns.resolves.toExtend<MapResult<Fibonacci, number>>();
    const literal = () => one(scheduler.map([{ type: 'tile', x: 1, y: 2 }]));
    expectTypeOf(literal).returns.resolves.toExtend<MapResult<Tile, Uint8Array>>();
    const several = () =>
      one(
        scheduler.map([
          { type: 'fibonacci', n: 1 },
          { type: 'tile', x: 1, y: 2 },
        ]),
      );
    expectTypeOf(several).returns.resolves.toExtend<MapResult<Task, number | Uint8Array>>();
    const plain = () => one(new FifoScheduler<Task, number>().map([fibonacci], { ordered: false }));
    expectTypeOf(plain).returns.resolves.toEqualTypeOf<MapResult<Task, number>>();
  });

  it('takes generators, and async ones', () => {
    function* tasks() {
      yield fibonacci;
    }
    async function* later() {
      yield fibonacci;
    }
    expectTypeOf(() => one(scheduler.map(tasks()))).returns.resolves.toExtend<MapResult<Fibonacci, number>>();
    expectTypeOf(() => one(scheduler.map(later()))).returns.resolves.toExtend<MapResult<Fibonacci, number>>();
  });

  it('gives failures only if it is asked to', () => {
    const plain = new FifoScheduler<Task, number>();
    expectTypeOf(() => one(plain.map([fibonacci], { failures: 'throw' }))).returns.resolves.toEqualTypeOf<
      MapResult<Task, number>
    >();
    expectTypeOf(() => one(plain.map([fibonacci], { failures: 'yield' }))).returns.resolves.toEqualTypeOf<
      MapResult<Task, number> | MapFailure<Task>
    >();
    const options: MapOptions = { failures: 'yield' };
    expectTypeOf(() => one(plain.map([fibonacci], options))).returns.resolves.toEqualTypeOf<
      MapResult<Task, number> | MapFailure<Task>
    >();
  });

  it('tells results from failures by their status', () => {
    const tell = (item: MapResult<Task, number> | MapFailure<Task>): void => {
      if (item.status === 'done') expectTypeOf(item.result).toBeNumber();
      else expectTypeOf(item.error).toBeUnknown();
    };
    expectTypeOf(tell).returns.toBeVoid();
  });

  it('takes no wrong task and no wrong option', () => {
    const wrong = (): void => {
      // @ts-expect-error: missing
      scheduler.map([{ type: 'fibonacci' }]);
      // @ts-expect-error: too much
      scheduler.map([{ type: 'fibonacci', n: 1, m: 1 }]);
      // @ts-expect-error: not a task
      scheduler.map('text');
      // @ts-expect-error: not iterable
      scheduler.map(fibonacci);
      // @ts-expect-error: no such mode
      scheduler.map([fibonacci], { failures: 'ignore' });
      // @ts-expect-error: one key for all tasks
      scheduler.map([fibonacci], { idempotencyKey: 'x' });
      // @ts-expect-error: misspelt
      scheduler.map([fibonacci], { windows: 1 });
    };
    expectTypeOf(wrong).returns.toBeVoid();
    expectTypeOf<MapOptions>().toHaveProperty('maxAttempts');
  });
});
