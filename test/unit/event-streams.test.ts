import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { EventStream } from '../../src/event-stream.ts';
import { callListener, type Dropped, Emitter } from '../../src/events.ts';

type Event = { readonly type: 'a'; readonly n: number } | { readonly type: 'b' } | { readonly type: 'c' };

const known = { a: true, b: true, c: true } as const;

const a = (n: number): Event => ({ type: 'a', n });
const b: Event = { type: 'b' };
const c: Event = { type: 'c' };
const done = { done: true, value: undefined };
const held = (value: unknown): object => ({ done: false, value });

/** All that a stream has until it is done; one that never is would have more than any test here emits. */
async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of stream) {
    events.push(event);
    if (events.length > 2000) expect.unreachable('the stream does not end');
  }
  return events;
}

/** Whether a promise is settled once all microtasks that are due have run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  return settled;
}

/** A signal that knows how many listeners it has. */
function countedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  return { controller, listeners: () => added.mock.calls.length - removed.mock.calls.length };
}

const heard = (emitter: Emitter<Event>): string[] => (['a', 'b', 'c'] as const).filter((type) => emitter.hears(type));

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a stream of events', () => {
  it('has the events since it was opened, in their order', async () => {
    const emitter = new Emitter<Event>(known);
    emitter.emit(c);
    const stream = emitter.stream();
    emitter.emit(a(1));
    emitter.emit(b);
    emitter.emit(a(2));
    emitter.end();
    expect(await all(stream)).toEqual([a(1), b, a(2)]);
  });

  it('has those of the types that are wanted', async () => {
    const emitter = new Emitter<Event>(known);
    const types: ('a' | 'c')[] = ['a', 'c'];
    const stream = emitter.stream({ types });
    types.push('a');
    types.length = 0;
    for (const event of [a(1), b, c]) emitter.emit(event);
    emitter.end();
    expect(await all(stream)).toEqual([a(1), c]);
  });

  it('knows the types of its events', () => {
    const emitter = new Emitter<Event>(known);
    expectTypeOf(emitter.stream()).toEqualTypeOf<AsyncIterableIterator<Event | Dropped>>();
    expectTypeOf(emitter.stream({ limit: 1 })).toEqualTypeOf<AsyncIterableIterator<Event | Dropped>>();
    expectTypeOf(emitter.stream({ types: ['b', 'c'] })).toEqualTypeOf<
      AsyncIterableIterator<{ readonly type: 'b' } | { readonly type: 'c' } | Dropped>
    >();
    const wrong = (): void => {
      // @ts-expect-error: no such event
      emitter.stream({ types: ['d'] });
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });

  it('gives each stream every event', async () => {
    const emitter = new Emitter<Event>(known);
    const streams = [emitter.stream(), emitter.stream(), emitter.stream({ types: ['b'] })];
    emitter.emit(b);
    emitter.end();
    expect(await Promise.all(streams.map(all))).toEqual([[b], [b], [b]]);
  });

  it('lets those wait who come before the events, in their order', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream();
    const taken = [stream.next(), stream.next(), stream.next()];
    expect(await isSettled(Promise.race(taken))).toBe(false);
    emitter.emit(a(1));
    emitter.emit(a(2));
    expect(await Promise.all(taken.slice(0, 2))).toEqual([held(a(1)), held(a(2))]);
    expect(await isSettled(taken[2]!)).toBe(false);
    emitter.end();
    expect(await taken[2]).toEqual(done);
  });

  it('has an event before those that a listener emits on it', async () => {
    const emitter = new Emitter<Event>(known);
    emitter.on('a', () => emitter.emit(b));
    const stream = emitter.stream();
    emitter.emit(a(1));
    emitter.end();
    expect(await all(stream)).toEqual([a(1), b]);
  });

  it('has an event whose listener throws', async () => {
    vi.stubGlobal('queueMicrotask', () => {});
    const emitter = new Emitter<Event>(known);
    emitter.on('b', () => {
      throw new Error('oops');
    });
    const stream = emitter.stream();
    emitter.emit(b);
    expect(await stream.next()).toEqual(held(b));
  });
});

describe('a stream that nobody takes from', () => {
  it('drops the oldest events beyond its limit, and says how many', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream({ limit: 2 });
    for (const n of [1, 2, 3, 4, 5]) emitter.emit(a(n));
    expect(await stream.next()).toEqual(held({ type: 'dropped', count: 3 }));
    expect(await stream.next()).toEqual(held(a(4)));
    for (const n of [6, 7]) emitter.emit(a(n));
    emitter.end();
    expect(await all(stream)).toEqual([{ type: 'dropped', count: 1 }, a(6), a(7)]);
  });

  it('drops nothing up to its limit', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream({ limit: 2 });
    for (const n of [1, 2]) emitter.emit(a(n));
    emitter.end();
    expect(await all(stream)).toEqual([a(1), a(2)]);
  });

  it('holds a thousand events unless it is told otherwise', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream();
    for (let n = 0; n < 1001; n += 1) emitter.emit(a(n));
    emitter.end();
    const events = await all(stream);
    expect([events.length, events[0], events[1]]).toEqual([1001, { type: 'dropped', count: 1 }, a(1)]);
  });

  it('counts no event as dropped that it does not want', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream({ types: ['b'], limit: 1 });
    for (const event of [b, a(1), a(2)]) emitter.emit(event);
    emitter.end();
    expect(await all(stream)).toEqual([b]);
  });
});

describe('the end of a stream', () => {
  it('comes when its loop is left', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream();
    emitter.emit(a(1));
    emitter.emit(a(2));
    for await (const event of stream) {
      expect(event).toEqual(a(1));
      break;
    }
    emitter.emit(a(3));
    expect(heard(emitter)).toEqual([]);
    expect(await stream.next()).toEqual(done);
  });

  it('comes with return, for those who wait too', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream({ limit: 1 });
    const waiting = [stream.next(), stream.next()];
    expect(await stream.return?.()).toEqual(done);
    expect(await stream.return?.()).toEqual(done);
    expect(await Promise.all(waiting)).toEqual([done, done]);
    const full = emitter.stream({ limit: 1 });
    for (const n of [1, 2]) emitter.emit(a(n));
    await full.return?.();
    expect(await full.next()).toEqual(done);
  });

  it('comes quietly when the signal aborts, without what was not taken', async () => {
    const emitter = new Emitter<Event>(known);
    const controller = new AbortController();
    const [idle, full] = [1, 2].map(() => emitter.stream({ signal: controller.signal, limit: 1 }));
    emitter.emit(a(1));
    emitter.emit(a(2));
    await idle?.next();
    await idle?.next();
    const waiting = idle?.next();
    controller.abort(new Error('enough'));
    expect(heard(emitter)).toEqual([]);
    expect(await waiting).toEqual(done);
    expect(await full?.next()).toEqual(done);
  });

  it('has come if the signal aborted before', async () => {
    const emitter = new Emitter<Event>(known);
    const stream = emitter.stream({ signal: AbortSignal.abort() });
    expect(heard(emitter)).toEqual([]);
    emitter.emit(b);
    expect(await stream.next()).toEqual(done);
  });

  it('comes to all that are open when the emitter ends them, after what they hold', async () => {
    const emitter = new Emitter<Event>(known);
    const [first, second] = [emitter.stream(), emitter.stream()];
    const waiting = second.next();
    emitter.emit(a(1));
    const last = second.next();
    emitter.end();
    emitter.emit(a(2));
    expect(await all(first)).toEqual([a(1)]);
    expect(await Promise.all([waiting, last])).toEqual([held(a(1)), done]);
  });

  it('leaves later streams, and the listeners, as they are', async () => {
    const emitter = new Emitter<Event>(known);
    const listener = vi.fn();
    emitter.on('b', listener);
    emitter.stream();
    emitter.end();
    const stream = emitter.stream();
    emitter.emit(b);
    expect(await stream.next()).toEqual(held(b));
    expect(listener).toHaveBeenCalledOnce();
  });

  it('comes at once, whatever is held, when the signal aborts after the emitter ended it', async () => {
    const emitter = new Emitter<Event>(known);
    const controller = new AbortController();
    const stream = emitter.stream({ signal: controller.signal });
    for (const n of [1, 2]) emitter.emit(a(n));
    emitter.end();
    expect(await stream.next()).toEqual(held(a(1)));
    controller.abort();
    expect(await stream.next()).toEqual(done);
  });

  it('is told once, and nothing is taken in after it', async () => {
    const onEnd = vi.fn();
    const stream = new EventStream<Event>({ limit: 1, signal: undefined, onEnd });
    stream.end();
    stream.end();
    stream.push(b);
    expect(await stream.next()).toEqual(done);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it.each<[string, (stream: AsyncIterator<unknown>, emitter: Emitter<Event>, controller: AbortController) => unknown]>([
    ['return', (stream) => stream.return?.()],
    ['the emitter', (_, emitter) => emitter.end()],
    ['the signal', (_stream, _emitter, controller) => controller.abort()],
  ])('leaves nothing behind when it comes by %s', async (_, end) => {
    const emitter = new Emitter<Event>(known);
    const { controller, listeners } = countedSignal();
    const stream = emitter.stream({ signal: controller.signal });
    expect([listeners(), heard(emitter)]).toEqual([1, ['a', 'b', 'c']]);
    await end(stream, emitter, controller);
    expect([listeners(), heard(emitter)]).toEqual([0, []]);
    await stream.return?.();
    controller.abort();
    expect(listeners()).toBe(0);
  });
});

describe('an emitter with streams', () => {
  it('hears what one of them wants', () => {
    const emitter = new Emitter<Event>(known);
    expect(heard(emitter)).toEqual([]);
    const stream = emitter.stream({ types: ['a'] });
    expect(heard(emitter)).toEqual(['a']);
    emitter.on('b', () => {});
    expect(heard(emitter)).toEqual(['a', 'b']);
    void stream.return?.();
    expect(heard(emitter)).toEqual(['b']);
    emitter.stream();
    expect(heard(emitter)).toEqual(['a', 'b', 'c']);
  });

  it.each<[string, unknown]>([
    ['Expected `options` to be an object, got null', null],
    ['Unknown option `type` for stream; the options are types, signal, limit', { type: 'a' }],
    ['Expected `types` to be an array of strings, got "a"', { types: 'a' }],
    ['Expected `type` to be one of a, b, c, got 1', { types: ['a', 1] }],
    ['Expected `type` to be one of a, b, c, got "misspelt"', { types: ['misspelt'] }],
    ['Expected `types` to be an array of strings, got null', { types: null }],
    ['Expected `signal` to be an AbortSignal, got an object', { signal: new AbortController() }],
    ['Expected `limit` to be an integer ≥ 1, got 0', { limit: 0 }],
    ['Expected `limit` to be an integer ≥ 1, got 1.5', { limit: 1.5 }],
    ['Expected `limit` to be an integer ≥ 1, got Infinity', { limit: Number.POSITIVE_INFINITY }],
  ])('refuses wrong options, and opens nothing: %s', (message, options) => {
    const emitter = new Emitter<Event>(known);
    expect(() => Reflect.apply(emitter.stream, emitter, [options])).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
    expect(heard(emitter)).toEqual([]);
  });

  it('takes options that are undefined for none', async () => {
    const emitter = new Emitter<Event>(known);
    const options = { types: undefined, signal: undefined, limit: undefined };
    const stream: AsyncIterator<unknown> = Reflect.apply(emitter.stream, emitter, [options]);
    emitter.emit(b);
    expect(await stream.next()).toEqual(held(b));
  });
});

describe('callListener', () => {
  it('gives the listener its values', () => {
    const listener = vi.fn((_first: string, _second: number) => {});
    callListener(listener, 'x', 1);
    expect(listener).toHaveBeenCalledExactlyOnceWith('x', 1);
    // @ts-expect-error: not its values
    callListener(listener, 1, 'x');
  });

  it('throws outside what the listener throws', () => {
    const reports: (() => void)[] = [];
    vi.stubGlobal('queueMicrotask', (report: () => void) => reports.push(report));
    callListener(() => {
      throw new Error('oops');
    });
    expect(reports).toHaveLength(1);
    expect(reports[0]).toThrow('oops');
  });
});
