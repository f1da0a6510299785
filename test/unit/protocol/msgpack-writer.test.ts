// How MessagePack's writer treats its memory, and what objects have to say for themselves.
import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import type { Message } from '../../../src/protocol/messages.ts';
import { encode, roundTrip, workerMessages } from '../../support/frames.ts';

const { msgpack } = codecs;
const MAX = 1_000_000;

const done = (value: unknown): Message => [5, 1, value];

/** The frames of messages as the values in them. */
const valuesOf = (frames: readonly (string | Uint8Array<ArrayBuffer>)[]): unknown[] =>
  workerMessages(frames)
    .flat()
    .map((message) => message[2]);

describe('the frame writer of MessagePack', () => {
  it('leaves a frame alone once it is taken', () => {
    for (const length of [1, 100, 10_000, 100_000]) {
      const writer = msgpack.createWriter();
      const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(length));
      const frames = texts.flatMap((text) => {
        writer.add(done(text), MAX);
        return writer.take(MAX);
      });
      expect(valuesOf(frames)).toEqual(texts);
    }
  });

  it('leaves frames alone that are taken together', () => {
    for (const length of [1, 100, 10_000]) {
      const texts = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(length));
      const frames = encode(msgpack, texts.map(done), 3 * length + 40);
      expect(frames.length).toBeGreaterThan(2);
      expect(valuesOf(frames)).toEqual(texts);
    }
  });

  it('leaves frames alone that are taken together, even if one of them is most of what was written', () => {
    const texts = ['漢'.repeat(60_000) + 'a'.repeat(40_000), 'b'.repeat(20_000)];
    const frames = encode(msgpack, texts.map(done), 225_000);
    expect(frames).toHaveLength(2);
    expect(valuesOf(frames)).toEqual(texts);
  });

  it('gives no small frame the memory of a large message', () => {
    const writer = msgpack.createWriter();
    writer.add(done(1), 1000);
    expect(() => writer.add(done('x'.repeat(500_000)), 1000)).toThrow(/on the wire/);
    const [frame] = writer.take(1000) as Uint8Array[];
    expect(frame?.buffer.byteLength).toBe(frame?.byteLength);
  });

  it('takes back all of a message that fails at its end, wherever it stands', () => {
    const bad = [done({ rest: 'x'.repeat(3000), last: Symbol('s') }), done('x'.repeat(3000))];
    for (let place = 0; place < 4; place += 1) {
      const writer = msgpack.createWriter();
      for (let index = 0; index < 3; index += 1) {
        if (index === place) for (const message of bad) expect(() => writer.add(message, 1000)).toThrow();
        writer.add(done(index), 1000);
      }
      expect(valuesOf(writer.take(1000))).toEqual([0, 1, 2]);
    }
  });

  it('refuses a message that is sent by a getter within another one', () => {
    const writer = msgpack.createWriter();
    const value = {
      before: 1,
      get inner() {
        expect(() => writer.add(done('inner'), MAX)).toThrow(
          expect.objectContaining({ code: 'TASKDIST_NOT_SERIALIZABLE', message: expect.stringContaining('another') }),
        );
        return 2;
      },
      after: 3,
    };
    writer.add(done(0), MAX);
    writer.add(done(value), MAX);
    writer.add(done(4), MAX);
    expect(valuesOf(writer.take(MAX))).toEqual([0, { before: 1, inner: 2, after: 3 }, 4]);
  });

  it('refuses what takes more than 1 GiB, before it has memory for it', () => {
    const writer = msgpack.createWriter();
    expect(() => writer.add(done(new Uint8Array(2 ** 30)), Number.POSITIVE_INFINITY)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_NOT_SERIALIZABLE', message: expect.stringContaining('1 GiB') }),
    );
  });
});

describe('an object in MessagePack', () => {
  it('is asked for what it is as JSON, if it is of a class', () => {
    class Celsius {
      readonly degrees: number;
      constructor(degrees: number) {
        this.degrees = degrees;
      }
      toJSON(): unknown {
        return { kelvin: this.degrees + 273 };
      }
    }
    expect(roundTrip(msgpack, [new Celsius(0), new URL('http://a/b')])).toEqual([{ kelvin: 273 }, 'http://a/b']);
  });

  it('is written as it is, if it is itself what it is as JSON', () => {
    class Self {
      readonly x = 1;
      toJSON(): unknown {
        return this;
      }
    }
    expect(roundTrip(msgpack, new Self())).toEqual({ x: 1 });
  });

  it('may have data under the name of a method', () => {
    class Data {
      readonly toJSON = 5;
    }
    expect(roundTrip(msgpack, [{ toJSON: 'text' }, new Data()])).toEqual([{ toJSON: 'text' }, { toJSON: 5 }]);
    expect(() => encode(msgpack, [done({ toJSON: () => 1 })])).toThrow(/a function/);
  });

  it('keeps its kind, whatever it is as JSON', () => {
    class Tags extends Set {
      toJSON(): unknown {
        return 'tags';
      }
    }
    class Failure extends Error {
      toJSON(): unknown {
        return 'failure';
      }
    }
    const through = roundTrip(msgpack, [new Tags([1]), new Failure('m'), new Date(5)]) as unknown[];
    expect(through).toMatchObject([new Set([1]), { message: 'm' }, new Date(5)]);
    expect(through[1]).toBeInstanceOf(Error);
  });

  it('has the properties of its own that can be enumerated, getters among them', () => {
    class Point {
      x = 1;
      get y(): number {
        return 2;
      }
    }
    const value = Object.defineProperty(new Point(), 'hidden', { value: 3, enumerable: false });
    const own = {
      [Symbol('s')]: 4,
      get z() {
        return 5;
      },
    };
    expect(roundTrip(msgpack, [value, own])).toEqual([{ x: 1 }, { z: 5 }]);
  });

  it('may have no prototype', () => {
    expect(roundTrip(msgpack, Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
  });

  it('has as many entries as it says, even if a getter changes them meanwhile', () => {
    const map = new Map<string, unknown>([
      [
        'a',
        {
          get grow() {
            map.set(`b${map.size}`, 1);
            return 1;
          },
        },
      ],
    ]);
    expect(roundTrip(msgpack, map)).toEqual({ a: { grow: 1 } });
    const object: Record<string, unknown> = {
      get a() {
        delete object['b'];
        return 1;
      },
      b: 2,
    };
    expect(roundTrip(msgpack, object)).toEqual({ a: 1, b: undefined });
    const list: unknown[] = [
      {
        get shrink() {
          list.length = 1;
          return 1;
        },
      },
      2,
    ];
    expect(roundTrip(msgpack, list)).toEqual([{ shrink: 1 }, undefined]);
  });

  it('has the keys of a Map as texts, unless they are objects or symbols', () => {
    class Index extends Map<unknown, number> {}
    const entries: [unknown, number][] = [
      [1, 1],
      [true, 2],
      [null, 3],
      [undefined, 4],
      [5n, 5],
      ['s', 6],
    ];
    const object = { 1: 1, true: 2, null: 3, undefined: 4, 5: 5, s: 6 };
    expect(roundTrip(msgpack, [new Map(entries), new Index(entries)])).toEqual([object, object]);
    for (const key of [{}, [], () => 1, Symbol('s')]) {
      expect(() => encode(msgpack, [done(new Map([[key, 1]]))])).toThrow(/a Map whose key is a/);
    }
  });
});
