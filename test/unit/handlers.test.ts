import { describe, expect, it } from 'vitest';
import { AttemptContext, type TaskHandler } from '../../src/handler.ts';
import { handlers } from '../../src/handlers.ts';

interface Fibonacci {
  readonly type: 'fibonacci';
  readonly n: number;
}
interface Tile {
  readonly type: 'tile';
  readonly x: number;
}

const context = new AttemptContext('k', 1, { progressed() {} });

/** What a handler does with a task of a shape that its types do not allow. */
function doAny<T, R>(handler: TaskHandler<T, R>, task: unknown): R | Promise<R> {
  return handler.doTask(task as T, context);
}

describe('handlers', () => {
  it('gives a task to the function that its type names, with its context', async () => {
    const handler = handlers({
      fibonacci: (task: Fibonacci) => task.n + 1,
      tile: async (task: Tile, { attempt }: { attempt: number }) => [task.x, attempt],
    });
    expect(handler.doTask({ type: 'fibonacci', n: 1 }, context)).toBe(2);
    expect(await handler.doTask({ type: 'tile', x: 7 }, context)).toEqual([7, 1]);
  });

  it('accepts the types that it has functions for', () => {
    expect(handlers({ fibonacci: (_: Fibonacci) => 1, tile: (_: Tile) => 2 }).accepts).toEqual(['fibonacci', 'tile']);
  });

  it('lets pass what a function throws', () => {
    const handler = handlers({
      fibonacci: (_: Fibonacci) => {
        throw new RangeError('too large');
      },
    });
    expect(() => handler.doTask({ type: 'fibonacci', n: 1 }, context)).toThrow(RangeError);
  });

  it.each([
    ['x', 'No handler for tasks of type "x"'],
    ['constructor', 'No handler for tasks of type "constructor"'],
    ['toString', 'No handler for tasks of type "toString"'],
    ['__proto__', 'No handler for tasks of type "__proto__"'],
    ['', 'No handler for tasks of type ""'],
  ])('rejects a task of another type: %j', (type, reason) => {
    const handler = handlers({ fibonacci: (_: Fibonacci) => 1 });
    expect(() => doAny(handler, { type })).toThrow(expect.objectContaining({ code: 'TASKDIST_TASK_REJECTED', reason }));
  });

  it.each([undefined, null, 5, 'fibonacci', {}, { type: 1 }, { type: ['fibonacci'] }])(
    'rejects a task without a type: %j',
    (task) => {
      const handler = handlers({ fibonacci: (_: Fibonacci) => 1 });
      expect(() => doAny(handler, task)).toThrow(
        expect.objectContaining({ code: 'TASKDIST_TASK_REJECTED', reason: 'No handler for tasks without a type' }),
      );
    },
  );

  it('takes functions of its own properties only', () => {
    const inherited: { readonly fibonacci: (task: Fibonacci) => number } = Object.create({ tile: () => 2 });
    const handler = handlers(Object.assign(inherited, { fibonacci: () => 1 }));
    expect(handler.accepts).toEqual(['fibonacci']);
    expect(() => doAny(handler, { type: 'tile' })).toThrow('No handler for tasks of type "tile"');
    const odd = handlers({ ['__proto__']: () => 'odd' });
    expect([odd.accepts, doAny(odd, { type: '__proto__' })]).toEqual([['__proto__'], 'odd']);
  });

  it('does not mind what becomes of the object afterwards', () => {
    const functions: Record<string, (task: Fibonacci) => number> = { fibonacci: () => 1 };
    const handler = handlers(functions);
    functions['tile'] = () => 2;
    delete functions['fibonacci'];
    expect(doAny(handler, { type: 'fibonacci' })).toBe(1);
    expect(() => doAny(handler, { type: 'tile' })).toThrow('No handler for tasks of type "tile"');
  });

  it('leaves its functions and options their `this`', () => {
    const functions = {
      fibonacci(this: unknown, _: Fibonacci) {
        return this === functions;
      },
    };
    class Resources {
      #open = 3;
      getConcurrency(): number {
        return this.#open;
      }
      stop(): void {
        this.#open = 0;
      }
    }
    const resources = new Resources();
    const handler = handlers(functions, resources);
    expect(handler.doTask({ type: 'fibonacci', n: 1 }, context)).toBe(true);
    expect(handler.getConcurrency?.()).toBe(3);
    void handler.stop?.();
    expect(resources.getConcurrency()).toBe(0);
  });

  it('has no more than it is given', () => {
    expect(Object.keys(handlers({ fibonacci: () => 1 })).sort()).toEqual(['accepts', 'doTask']);
    expect(Object.keys(handlers({ fibonacci: () => 1 }, { stop: () => {} })).sort()).toEqual([
      'accepts',
      'doTask',
      'stop',
    ]);
  });

  it.each<[unknown, unknown, string]>([
    [undefined, {}, 'Expected `handlers` to be an object, got undefined'],
    [() => 1, {}, 'Expected `handlers` to be an object, got a function'],
    [{}, {}, 'Expected `handlers` to have a function for at least one type, got none'],
    [{ fibonacci: 1 }, {}, 'Expected `handlers.fibonacci` to be a function, got 1'],
    [{ fibonacci: () => 1, tile: undefined }, {}, 'Expected `handlers.tile` to be a function, got undefined'],
    [{ fibonacci: () => 1 }, null, 'Expected `options` to be an object, got null'],
    [{ fibonacci: () => 1 }, { stop: 1 }, 'Expected `stop` to be a function, got 1'],
    [{ fibonacci: () => 1 }, { getConcurrency: 2 }, 'Expected `getConcurrency` to be a function, got 2'],
    [
      { fibonacci: () => 1 },
      { concurrency: 2 },
      'Unknown option `concurrency` for handlers; the options are stop, getConcurrency',
    ],
  ])('refuses what it cannot use: %j, %j', (functions, options, message) => {
    expect(() => handlers(functions as never, options as never)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
  });
});
