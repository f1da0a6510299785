import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { type MapOptions, mapTasks } from '../../../src/scheduling/map.ts';
import { pick, seededRandom } from '../../../src/testing/seeded-random.ts';
import { countingController } from '../../support/counting-controller.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow, TestHolder } from '../../support/holders.ts';
import { CountedInputs, ManualInputs, ManualPut } from '../../support/puts.ts';
import { TestScheduler } from '../../support/scheduler.ts';

function setUp(inputs: Iterable<number> | AsyncIterable<number>, options: MapOptions = {}) {
  const puts = new ManualPut<number, string>();
  return { puts, stream: mapTasks(puts.prepare, inputs, options) };
}

const done = (index: number) => ({ status: 'done', index, task: index, result: `r${index}` });
const failed = (index: number, error: unknown) => ({ status: 'failed', index, task: index, error });
const fulfilled = (value: unknown) => ({ status: 'fulfilled', value: { done: false, value } });
const over = { status: 'fulfilled', value: { done: true, value: undefined } };
const pending = { status: 'pending' };
const rejected = (reason: unknown) => ({ status: 'rejected', reason });

describe('a map', () => {
  it('takes nothing before it is asked for something', async () => {
    const inputs = new CountedInputs();
    const { puts, stream } = setUp(inputs);
    await nextTurn();
    expect([inputs.pulled, puts.tasks]).toEqual([0, []]);
    void stream.next();
    expect(puts.tasks[0]).toBe(0);
  });

  it('gives results in the order of their inputs, however they come', async () => {
    const { puts, stream } = setUp([0, 1, 2]);
    const first = follow(stream.next());
    puts.resolve(2, 'r2');
    puts.resolve(1, 'r1');
    await nextTurn();
    expect(first()).toEqual(pending);
    puts.resolve(0, 'r0');
    await nextTurn();
    expect(first()).toEqual(fulfilled(done(0)));
    expect(await stream.next()).toEqual({ done: false, value: done(1) });
    expect(await stream.next()).toEqual({ done: false, value: done(2) });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('gives results as they come, if it is not ordered', async () => {
    const { puts, stream } = setUp([0, 1, 2], { ordered: false });
    const first = follow(stream.next());
    puts.resolve(2, 'r2');
    puts.resolve(0, 'r0');
    await nextTurn();
    expect(first()).toEqual(fulfilled(done(2)));
    expect(await stream.next()).toEqual({ done: false, value: done(0) });
    const last = follow(stream.next());
    puts.resolve(1, 'r1');
    await nextTurn();
    expect(last()).toEqual(fulfilled(done(1)));
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('is at its end for ever', async () => {
    const { stream } = setUp([]);
    for (let call = 0; call < 3; call += 1) expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('takes strings, sets, generators and async generators', async () => {
    async function* later() {
      yield 'x';
      yield 'y';
    }
    const results = async (inputs: Iterable<string> | AsyncIterable<string>): Promise<string> => {
      let text = '';
      for await (const { result } of mapTasks(() => async (task: string) => task.toUpperCase(), inputs)) text += result;
      return text;
    };
    expect(await results('xy')).toBe('XY');
    expect(await results(new Set(['x', 'y']))).toBe('XY');
    expect(await results(['x', 'y'].values())).toBe('XY');
    expect(await results(later())).toBe('XY');
  });

  it('awaits promises among its inputs, each when it is its turn', async () => {
    let isClosed = false;
    function* inputs(): Generator<number | Promise<number>> {
      try {
        yield Promise.resolve(0);
        yield 1;
        yield Promise.reject(new Error('no input'));
      } finally {
        isClosed = true;
      }
    }
    const puts = new ManualPut<number, string>();
    const stream = mapTasks(puts.prepare, inputs());
    const calls = [1, 2].map(() => follow(stream.next()));
    expect(puts.tasks).toEqual([]);
    await nextTurn();
    expect([puts.tasks, isClosed]).toEqual([[0, 1], true]);
    expect(calls.map((call) => call())).toEqual([rejected(new Error('no input')), over]);
  });

  it('ends with the error of an input that fails, whatever the inputs throw when they are closed', async () => {
    function* inputs(): Generator<Promise<number>> {
      try {
        yield Promise.reject(new Error('no input'));
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: that is what is tested
        throw new Error('stuck');
      }
    }
    const puts = new ManualPut<number, string>();
    await expect(mapTasks(puts.prepare, inputs()).next()).rejects.toThrow('no input');
  });

  it('answers calls of next that were made ahead, in their order', async () => {
    const { puts, stream } = setUp([0, 1, 2]);
    const calls = [1, 2, 3, 4, 5].map(() => follow(stream.next()));
    puts.resolve(1, 'r1');
    puts.resolve(0, 'r0');
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([fulfilled(done(0)), fulfilled(done(1)), pending, pending, pending]);
    puts.resolve(2, 'r2');
    await nextTurn();
    expect(calls.slice(2).map((call) => call())).toEqual([fulfilled(done(2)), over, over]);
  });

  it.each([1, 2, 3])('gives every result once, in whatever order tasks settle (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    for (const ordered of [true, false]) {
      const { puts, stream } = setUp(new CountedInputs(200), { ordered, window: 7 });
      const seen: number[] = [];
      const settled = new Set<number>();
      const reading = (async () => {
        for await (const { index } of stream) seen.push(index);
      })();
      const expected: number[] = [];
      while (settled.size < 200) {
        const index = pick(
          random,
          [...puts.tasks.keys()].filter((each) => !settled.has(each)),
        );
        settled.add(index);
        expected.push(index);
        puts.resolve(index, 'r');
        await nextTurn();
      }
      await reading;
      expect(seen).toEqual(ordered ? expected.sort((a, b) => a - b) : expected);
    }
  });
});

describe('the window of a map', () => {
  it('holds 1024, if nothing else is said', () => {
    const inputs = new CountedInputs();
    void setUp(inputs).stream.next();
    expect(inputs.pulled).toBe(1024);
  });

  it.each([true, false])(
    'is filled again as results are handed over, not as they come (ordered: %s)',
    async (ordered) => {
      const inputs = new CountedInputs();
      const { puts, stream } = setUp(inputs, { ordered, window: 3 });
      const first = stream.next();
      for (const index of [0, 1, 2]) puts.resolve(index, 'r');
      await first;
      await nextTurn();
      expect(inputs.pulled).toBe(4);
      await stream.next();
      expect(inputs.pulled).toBe(5);
    },
  );

  it('stays closed for as long as the first task takes, if it is ordered', async () => {
    const inputs = new CountedInputs();
    const { puts, stream } = setUp(inputs, { window: 3 });
    const first = follow(stream.next());
    puts.resolve(1, 'r1');
    puts.resolve(2, 'r2');
    await nextTurn();
    expect([first(), inputs.pulled]).toEqual([pending, 3]);
  });

  it.each([true, false])('keeps a million inputs from being held at once (ordered: %s)', async (ordered) => {
    const inputs = new CountedInputs(1_000_000);
    let handedOver = 0;
    let most = 0;
    const put = (task: number): Promise<number> => {
      most = Math.max(most, inputs.pulled - handedOver);
      return Promise.resolve(task);
    };
    let sum = 0;
    for await (const { result } of mapTasks(() => put, inputs, { ordered, window: 100 })) {
      handedOver += 1;
      sum += result;
    }
    expect([handedOver, sum]).toEqual([1_000_000, (1_000_000 * 999_999) / 2]);
    // What is handed over is counted here a moment later.
    expect(most).toBe(101);
  });
});

describe('a map of async inputs', () => {
  it('asks for one at a time, and counts it in the window', async () => {
    const inputs = new ManualInputs<number>();
    const { puts, stream } = setUp(inputs, { window: 2 });
    void stream.next();
    expect(inputs.asked).toBe(1);
    inputs.give(0);
    await nextTurn();
    expect([puts.tasks, inputs.asked]).toEqual([[0], 1]);
    inputs.give(1);
    await nextTurn();
    expect([puts.tasks, inputs.pulled]).toEqual([[0, 1], 2]);
    puts.resolve(0, 'r0');
    await nextTurn();
    expect([inputs.asked, inputs.pulled]).toEqual([1, 3]);
  });

  it('hands over what is there while an input lets wait', async () => {
    const inputs = new ManualInputs<number>();
    const { puts, stream } = setUp(inputs);
    const calls = [follow(stream.next()), follow(stream.next())];
    inputs.give(0);
    await nextTurn();
    puts.resolve(0, 'r0');
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([fulfilled(done(0)), pending]);
    inputs.end();
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([fulfilled(done(0)), over]);
    expect(inputs.closed).toBe(0);
  });
});

describe('a task of a map that fails', () => {
  it('ends the map when it is its turn, after the results before it', async () => {
    const inputs = new CountedInputs();
    const { puts, stream } = setUp(inputs, { window: 4 });
    const calls = [1, 2, 3, 4].map(() => follow(stream.next()));
    puts.reject(2, 'broken');
    puts.reject(3, 'later');
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([pending, pending, pending, pending]);
    puts.resolve(0, 'r0');
    await nextTurn();
    // Nothing new is taken for a map that will end.
    expect([calls[0]!(), inputs.pulled, puts.signal.aborted]).toEqual([fulfilled(done(0)), 4, false]);
    puts.resolve(1, 'r1');
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([fulfilled(done(0)), fulfilled(done(1)), rejected('broken'), over]);
    expect([inputs.pulled, inputs.closed]).toEqual([4, 1]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('ends the map after what came before it, if it is not ordered', async () => {
    const inputs = new CountedInputs();
    const { puts, stream } = setUp(inputs, { ordered: false, window: 4 });
    const first = follow(stream.next());
    puts.resolve(3, 'r3');
    puts.resolve(1, 'r1');
    puts.reject(2, 'broken');
    puts.resolve(0, 'r0');
    await nextTurn();
    expect(first()).toEqual(fulfilled(done(3)));
    expect(await stream.next()).toEqual({ done: false, value: done(1) });
    await expect(stream.next()).rejects.toBe('broken');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(inputs.closed).toBe(1);
  });

  it('has what is outstanding cancelled, for its own reason', async () => {
    const { puts, stream } = setUp(new CountedInputs(), { window: 3 });
    const first = follow(stream.next());
    puts.reject(0, 'broken');
    await nextTurn();
    expect(first()).toEqual(rejected('broken'));
    expect([puts.signal.aborted, puts.signal.reason]).toEqual([true, 'broken']);
  });

  it('is cancelled for even if nobody asks for more', async () => {
    const { puts, stream } = setUp(new CountedInputs(), { window: 3 });
    const first = stream.next();
    puts.resolve(0, 'r0');
    await first;
    puts.reject(1, 'broken');
    await nextTurn();
    expect(puts.signal.aborted).toBe(true);
    await expect(stream.next()).rejects.toBe('broken');
  });

  it.each([true, false])('is one of the results, if that is asked for (ordered: %s)', async (ordered) => {
    const inputs = new CountedInputs(3);
    const { puts, stream } = setUp(inputs, { ordered, failures: 'yield', window: 2 });
    const calls = [1, 2, 3, 4].map(() => follow(stream.next()));
    puts.reject(0, 'broken');
    await nextTurn();
    puts.resolve(1, 'r1');
    await nextTurn();
    puts.reject(2, undefined);
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([
      fulfilled(failed(0, 'broken')),
      fulfilled(done(1)),
      fulfilled(failed(2, undefined)),
      over,
    ]);
    expect([puts.signal.aborted, inputs.closed]).toEqual([false, 0]);
  });

  it('goes before an error of the inputs that comes later', async () => {
    const inputs = new ManualInputs<number>();
    const { puts, stream } = setUp(inputs);
    const calls = [1, 2, 3].map(() => follow(stream.next()));
    for (const input of [0, 1]) {
      inputs.give(input);
      await nextTurn();
    }
    puts.reject(1, 'broken');
    await nextTurn();
    inputs.fail('no more');
    await nextTurn();
    puts.resolve(0, 'r0');
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([fulfilled(done(0)), rejected('broken'), over]);
  });

  it('has an input that is under way dropped', async () => {
    const inputs = new ManualInputs<number>();
    const { puts, stream } = setUp(inputs);
    const calls = [1, 2].map(() => follow(stream.next()));
    for (const input of [0, 1]) {
      inputs.give(input);
      await nextTurn();
    }
    puts.reject(1, 'broken');
    await nextTurn();
    inputs.give(2);
    await nextTurn();
    expect([puts.tasks, inputs.pulled]).toEqual([[0, 1], 3]);
    puts.resolve(0, 'r0');
    await nextTurn();
    expect(calls[1]!()).toEqual(rejected('broken'));
  });

  it('waits for idle inputs to close, but not for an input under way', async () => {
    for (const isUnderWay of [false, true]) {
      const inputs = new ManualInputs<number>();
      let close = (): void => {};
      inputs.onClose = () =>
        new Promise((resolve) => {
          close = resolve;
        });
      const { puts, stream } = setUp(inputs, { window: isUnderWay ? 2 : 1 });
      const first = follow(stream.next());
      inputs.give(0);
      await nextTurn();
      expect(inputs.asked).toBe(isUnderWay ? 1 : 0);
      puts.reject(0, 'broken');
      await nextTurn();
      expect([first(), inputs.closed]).toEqual([isUnderWay ? rejected('broken') : pending, 1]);
      close();
      await nextTurn();
      expect(first()).toEqual(rejected('broken'));
    }
  });

  it('goes before what the inputs throw when they are closed', async () => {
    const inputs = new ManualInputs<number>();
    inputs.onClose = async () => {
      throw new Error('stuck');
    };
    const { puts, stream } = setUp(inputs, { window: 1 });
    const first = follow(stream.next());
    inputs.give(0);
    await nextTurn();
    puts.reject(0, 'broken');
    await nextTurn();
    expect(first()).toEqual(rejected('broken'));
  });
});

describe('inputs of a map that throw', () => {
  it('end the map at once, with what they throw', async () => {
    function* inputs() {
      yield 0;
      yield 1;
      throw 'no more';
    }
    const { puts, stream } = setUp(inputs());
    await expect(stream.next()).rejects.toBe('no more');
    expect([puts.tasks, puts.signal.aborted, puts.signal.reason]).toEqual([[0, 1], true, 'no more']);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('end the map at once when they do it later', async () => {
    const inputs = new ManualInputs<number>();
    const { puts, stream } = setUp(inputs, { failures: 'yield' });
    const calls = [1, 2].map(() => follow(stream.next()));
    inputs.give(0);
    await nextTurn();
    inputs.fail('no more');
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([rejected('no more'), over]);
    // Who has thrown is not closed.
    expect([puts.signal.aborted, inputs.closed]).toEqual([true, 0]);
  });

  it('end the map when they throw as they are opened', async () => {
    const inputs = {
      [Symbol.iterator](): Iterator<number> {
        throw 'locked';
      },
    };
    await expect(setUp(inputs).stream.next()).rejects.toBe('locked');
  });
});

describe('the signal of a map', () => {
  it('ends it at once, with its reason, and has everything cancelled', async () => {
    const controller = new AbortController();
    const inputs = new CountedInputs();
    const { puts, stream } = setUp(inputs, { signal: controller.signal, window: 3 });
    const first = stream.next();
    for (const index of [0, 1]) puts.resolve(index, 'r');
    await first;
    controller.abort('enough');
    expect([puts.signal.aborted, puts.signal.reason, inputs.closed, inputs.pulled]).toEqual([true, 'enough', 1, 4]);
    await expect(stream.next()).rejects.toBe('enough');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('is told to the first who waits', async () => {
    const controller = new AbortController();
    const { stream } = setUp(new ManualInputs<number>(), { signal: controller.signal });
    const calls = [1, 2].map(() => follow(stream.next()));
    controller.abort('enough');
    await nextTurn();
    expect(calls.map((call) => call())).toEqual([rejected('enough'), over]);
  });

  it('keeps a map from starting if it has aborted before', async () => {
    const inputs = new CountedInputs();
    const { stream } = setUp(inputs, { signal: AbortSignal.abort('before') });
    await expect(stream.next()).rejects.toBe('before');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect([inputs.pulled, inputs.closed]).toEqual([0, 0]);
  });

  it('closes a generator that aborts it itself', async () => {
    const controller = new AbortController();
    let isClosed = false;
    function* inputs() {
      try {
        yield 0;
        controller.abort('enough');
        yield 1;
      } finally {
        isClosed = true;
      }
    }
    const { puts, stream } = setUp(inputs(), { signal: controller.signal });
    await expect(stream.next()).rejects.toBe('enough');
    expect([puts.tasks, isClosed]).toEqual([[0], true]);
  });

  it('closes once an iterator that aborts it itself', async () => {
    const controller = new AbortController();
    let closed = 0;
    const inputs: Iterable<number> = {
      [Symbol.iterator]: () => ({
        next() {
          controller.abort('enough');
          return { done: false, value: 0 };
        },
        return() {
          closed += 1;
          return { done: true, value: undefined };
        },
      }),
    };
    const { puts, stream } = setUp(inputs, { signal: controller.signal });
    await expect(stream.next()).rejects.toBe('enough');
    expect([puts.tasks, closed]).toEqual([[], 1]);
  });

  it('has no listener on it before the map starts, and after it is over', async () => {
    const ends: Record<string, (set: ReturnType<typeof setUp>) => Promise<unknown>> = {
      'at its end': async ({ puts }) => puts.resolve(0, 'r0'),
      'by a failure': async ({ puts }) => puts.reject(0, 'broken'),
      'by return': async ({ stream }) => stream.return?.(),
    };
    for (const end of Object.values(ends)) {
      const { signal, listeners } = countingController();
      const set = setUp([0], { signal });
      expect(listeners.size).toBe(0);
      void follow(set.stream.next());
      expect(listeners.size).toBe(1);
      void follow(set.stream.next());
      await end(set);
      await nextTurn();
      expect(listeners.size).toBe(0);
    }
  });
});

describe('who leaves a map', () => {
  it('cancels what is outstanding, and closes the inputs', async () => {
    const inputs = new CountedInputs();
    const { puts, stream } = setUp(inputs, { window: 3 });
    for (const index of [0, 1, 2]) queueMicrotask(() => puts.resolve(index, 'r'));
    for await (const { index } of stream) if (index === 1) break;
    expect([puts.signal.aborted, puts.signal.reason]).toMatchObject([true, { name: 'AbortError' }]);
    expect([inputs.pulled, inputs.closed]).toEqual([5, 1]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    await stream.return?.();
    expect(inputs.closed).toBe(1);
  });

  it('waits for idle inputs to close', async () => {
    const inputs = new ManualInputs<number>();
    let close = (): void => {};
    inputs.onClose = () =>
      new Promise((resolve) => {
        close = resolve;
      });
    const { stream } = setUp(inputs, { window: 1 });
    const calls = [follow(stream.next()), follow(stream.next())];
    inputs.give(0);
    await nextTurn();
    const leaving = follow(stream.return!());
    await nextTurn();
    expect([...calls.map((call) => call()), leaving(), inputs.closed]).toEqual([over, over, pending, 1]);
    close();
    await nextTurn();
    expect(leaving()).toEqual(over);
  });

  it('does not wait for a generator that waits itself, which is closed when it goes on', async () => {
    let isClosed = false;
    let goOn = (): void => {};
    async function* inputs(): AsyncGenerator<number> {
      try {
        yield 0;
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        yield 1;
      } finally {
        isClosed = true;
        await Promise.reject(new Error('nobody hears this'));
      }
    }
    const { puts, stream } = setUp(inputs());
    const first = stream.next();
    await nextTurn();
    puts.resolve(0, 'r0');
    await first;
    const leaving = follow(stream.return!());
    await nextTurn();
    expect([leaving(), isClosed]).toEqual([over, false]);
    goOn();
    await nextTurn();
    expect([puts.tasks, isClosed]).toEqual([[0], true]);
  });

  it('waits for inputs that a failure closes already', async () => {
    const inputs = new ManualInputs<number>();
    let close = (): void => {};
    inputs.onClose = () =>
      new Promise((resolve) => {
        close = resolve;
      });
    const { puts, stream } = setUp(inputs, { window: 1, ordered: false });
    const first = stream.next();
    inputs.give(0);
    await nextTurn();
    puts.resolve(0, 'r0');
    await first;
    inputs.give(1);
    await nextTurn();
    puts.reject(1, 'broken');
    await nextTurn();
    const leaving = follow(stream.return!());
    await nextTurn();
    expect([leaving(), inputs.closed]).toEqual([pending, 1]);
    close();
    await nextTurn();
    expect([leaving(), inputs.closed]).toEqual([over, 1]);
  });

  it('learns what the inputs throw when they are closed', async () => {
    const inputs = new ManualInputs<number>();
    inputs.onClose = async () => {
      throw new Error('stuck');
    };
    const { stream } = setUp(inputs, { window: 1 });
    void stream.next();
    inputs.give(0);
    await nextTurn();
    await expect(stream.return!()).rejects.toThrow('stuck');
    expect(await stream.return!()).toEqual({ done: true, value: undefined });
  });

  it('does not put an input that is under way', async () => {
    const inputs = new ManualInputs<number>();
    const { puts, stream } = setUp(inputs);
    void stream.next();
    void stream.return!();
    inputs.give(0);
    await nextTurn();
    expect([puts.tasks, inputs.pulled]).toEqual([[], 1]);
  });

  it('touches nothing if nothing was asked for', async () => {
    const inputs = new CountedInputs();
    const { stream } = setUp(inputs);
    expect(await stream.return!()).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect([inputs.pulled, inputs.closed]).toEqual([0, 0]);
  });

  it('does not close inputs that are at their end', async () => {
    const inputs = new CountedInputs(1);
    const { stream } = setUp(inputs);
    void stream.next();
    await stream.return!();
    expect(inputs.closed).toBe(0);
  });
});

describe('the options of a map', () => {
  it('are passed on to its puts, but for its own', () => {
    const { puts } = setUp([0, 1], { maxAttempts: 3, ordered: true, window: 9, failures: 'yield' });
    expect(puts.options).toEqual({ maxAttempts: 3, signal: puts.signal });
  });

  it.each<[unknown, unknown, string]>([
    [5, {}, 'Expected `inputs` to be an iterable or async iterable, got 5'],
    [undefined, {}, 'Expected `inputs` to be an iterable or async iterable, got undefined'],
    [null, {}, 'Expected `inputs` to be an iterable or async iterable, got null'],
    [{ length: 1 }, {}, 'Expected `inputs` to be an iterable or async iterable, got an object'],
    [[], null, 'Expected `options` to be an object, got null'],
    [[], { ordered: 1 }, 'Expected `ordered` to be true or false, got 1'],
    [[], { window: 0 }, 'Expected `window` to be an integer ≥ 1, got 0'],
    [[], { window: Number.POSITIVE_INFINITY }, 'Expected `window` to be an integer ≥ 1, got Infinity'],
    [[], { failures: 'ignore' }, "Expected `failures` to be 'throw' or 'yield', got \"ignore\""],
    [[], { signal: 'x' }, 'Expected `signal` to be an AbortSignal, got "x"'],
    [
      [],
      { windw: 1 },
      'Unknown option `windw` for map; the options are ordered, window, failures, priority, delay, timeout, ' +
        'timeoutFrom, maxAttempts, backoff, deadline, requires, speculate, verify, signal, onProgress',
    ],
    [[], { idempotencyKey: 'x' }, 'Unknown option `idempotencyKey` for map: it would make one task of all'],
  ])('are checked at the door: %j, %j', (inputs, options, message) => {
    expect(() => setUp(inputs as never, options as never)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
  });

  it('may be undefined, as if they were not given', () => {
    const { puts, stream } = setUp([0], { window: undefined, idempotencyKey: undefined } as never);
    void stream.next();
    expect(puts.tasks).toEqual([0]);
  });

  it('are checked at the door as put would', () => {
    const refuse = (options: object): never => {
      throw new Error(`no ${Object.keys(options).join(', ')}`);
    };
    expect(() => mapTasks(refuse, [0], { maxAttempts: 0, window: 1 })).toThrow('no maxAttempts, signal');
  });
});

describe('a map over a FifoScheduler', () => {
  function setUpScheduler(options: MapOptions) {
    const scheduler = new TestScheduler<number, string>();
    scheduler.open();
    const inputs = new CountedInputs();
    const stream = scheduler.map(inputs, options);
    return { scheduler, holder: new TestHolder(scheduler), inputs, stream };
  }

  it('queues as much as its window holds, and gives results', async () => {
    const { scheduler, holder, inputs, stream } = setUpScheduler({ window: 3 });
    const first = stream.next();
    const leases = await holder.takeNow();
    expect([leases.map(({ task }) => task), inputs.pulled]).toEqual([[0, 1, 2], 3]);
    for (const lease of leases) scheduler.complete(lease, `r${lease.task}`);
    expect((await first).value).toEqual(done(0));
    expect((await stream.next()).value).toEqual(done(1));
    expect([scheduler.queued, scheduler.leased, inputs.pulled]).toEqual([2, 0, 5]);
  });

  it('takes its tasks back, queued or leased, when it is left', async () => {
    const { scheduler, holder, stream } = setUpScheduler({ window: 5 });
    void stream.next();
    const leases = await holder.takeNow(2);
    await stream.return!();
    expect(holder.revoked).toEqual(leases);
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  it('throws the dead letter of a task, and takes the others back', async () => {
    const { scheduler, holder, stream } = setUpScheduler({ window: 5, maxAttempts: 1 });
    const first = follow(stream.next());
    scheduler.fail(await holder.takeOne(), new Error('broken'));
    await nextTurn();
    expect(first()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_DEAD_LETTER' } });
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  it('ends with an error when the master stops, also where failures are values', async () => {
    const { scheduler, stream } = setUpScheduler({ window: 5, failures: 'yield' });
    const first = follow(stream.next());
    await nextTurn();
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    await nextTurn();
    expect(first()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_STOPPED' } });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('ends by the signal that is the default of all tasks', async () => {
    const controller = new AbortController();
    const scheduler = new TestScheduler<number, number>({ signal: controller.signal });
    scheduler.open();
    const first = follow(scheduler.map([1, 2]).next());
    await nextTurn();
    controller.abort('enough');
    await nextTurn();
    expect(first()).toEqual({ status: 'rejected', reason: 'enough' });
    expect(scheduler.queued).toBe(0);
  });

  it('refuses what put would refuse before it takes any input', () => {
    expect(() => setUpScheduler({ priority: 'high' } as never)).toThrow(
      'Expected `priority` to be a finite number, got "high"',
    );
    expect(() => setUpScheduler({ priorty: 1 } as never)).toThrow('Unknown option `priorty` for map');
  });
});
