import { describe, expect, it } from 'vitest';
import { AttemptContext, type TaskHandler, toHandler } from '../../src/handler.ts';

const ignore = (): void => {};

describe('toHandler', () => {
  it('makes a handler of a function', () => {
    const handler = toHandler((task: number) => task + 1);
    expect(handler.doTask(1, new AttemptContext('k', 1, { progressed: ignore }))).toBe(2);
  });

  it('takes a handler as it is', () => {
    class Doubler implements TaskHandler<number, number> {
      doTask(task: number): number {
        return task * 2;
      }
    }
    const handler = new Doubler();
    expect(toHandler(handler)).toBe(handler);
  });

  it.each([
    [undefined, 'Expected `handler` to be an object, got undefined'],
    ['x', 'Expected `handler` to be an object, got "x"'],
    [{}, 'Expected `handler.doTask` to be a function, got undefined'],
    [{ doTask: 1 }, 'Expected `handler.doTask` to be a function, got 1'],
  ])('refuses what is neither: %s', (value, message) => {
    expect(() => toHandler(value as never)).toThrow(message);
  });
});

describe('AttemptContext', () => {
  it('says which task and which attempt', () => {
    expect(new AttemptContext('k', 3, { progressed: ignore })).toMatchObject({ key: 'k', attempt: 3 });
  });

  it('throws when the task is rejected', () => {
    expect(() => new AttemptContext('k', 1, { progressed: ignore }).reject('no GPU')).toThrow(
      expect.objectContaining({ code: 'TASKDIST_TASK_REJECTED', reason: 'no GPU' }),
    );
  });

  it('has a signal that aborts with the attempt', () => {
    const context = new AttemptContext('k', 1, { progressed: ignore });
    const { signal } = context;
    expect([signal.aborted, context.signal]).toEqual([false, signal]);
    context.abort('why');
    expect([signal.aborted, signal.reason]).toEqual([true, 'why']);
  });

  it('has an aborted signal for whoever asks for it afterwards', () => {
    const context = new AttemptContext('k', 1, { progressed: ignore });
    context.abort('why');
    context.abort('again');
    expect([context.signal.aborted, context.signal.reason]).toEqual([true, 'why']);
  });

  it('passes on what it is told of progress, until the attempt is over or aborted', () => {
    const told: unknown[] = [];
    const tell = (value: unknown): void => void told.push(value);
    const [over, aborted] = [
      new AttemptContext('k', 1, { progressed: tell }),
      new AttemptContext('k', 1, { progressed: tell }),
    ];
    over.progress(0.5);
    over.end();
    over.progress(1);
    aborted.progress('half');
    aborted.abort('why');
    aborted.progress('all');
    expect(told).toEqual([0.5, 'half']);
  });

  it('may be taken apart, as handlers do', () => {
    const told: unknown[] = [];
    const { progress, reject, signal } = new AttemptContext('k', 1, { progressed: (value) => void told.push(value) });
    progress(0.5);
    expect(told).toEqual([0.5]);
    expect(() => reject('no GPU')).toThrow('no GPU');
    expect(signal.aborted).toBe(false);
  });

  it('makes no signal for a handler that does not ask', () => {
    const original = AbortController;
    let made = 0;
    globalThis.AbortController = class extends original {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      const context = new AttemptContext('k', 1, { progressed: ignore });
      context.abort('why');
      expect(made).toBe(0);
      expect(context.signal).toBe(context.signal);
      expect(made).toBe(1);
    } finally {
      globalThis.AbortController = original;
    }
  });
});
