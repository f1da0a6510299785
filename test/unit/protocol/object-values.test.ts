// What objects of classes, plain ones and Maps become, which is the same in both codecs.
import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { encode, encodeOne, roundTrip, show } from '../../support/frames.ts';

const each = Object.entries(codecs).map(([name, codec]) => ({ name, codec }));

describe.each(each)('an object in $name', ({ codec }) => {
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
    expect(roundTrip(codec, [new Celsius(0), new URL('http://a/b')])).toEqual([{ kelvin: 273 }, 'http://a/b']);
  });

  it('is written as it is, if it is itself what it is as JSON', () => {
    class Self {
      readonly x = 1;
      toJSON(): unknown {
        return this;
      }
    }
    expect(roundTrip(codec, new Self())).toEqual({ x: 1 });
  });

  it('may have data under the name of a method', () => {
    class Data {
      readonly toJSON = 5;
    }
    expect(roundTrip(codec, [{ toJSON: 'text' }, new Data()])).toEqual([{ toJSON: 'text' }, { toJSON: 5 }]);
    expect(() => encode(codec, [[5, 1, { toJSON: () => 1 }]])).toThrow(/a function/);
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
    const through = roundTrip(codec, [new Tags([1]), new Failure('m'), new Date(5)]) as unknown[];
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
    expect(roundTrip(codec, [value, own])).toEqual([{ x: 1 }, { z: 5 }]);
  });

  it('may have no prototype', () => {
    expect(roundTrip(codec, Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
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
    expect(roundTrip(codec, map)).toEqual({ a: { grow: 1 } });
    const object: Record<string, unknown> = {
      get a() {
        delete object['b'];
        return 1;
      },
      b: 2,
    };
    expect(roundTrip(codec, object)).toEqual({ a: 1, b: undefined });
    const list: unknown[] = [
      {
        get shrink() {
          list.length = 1;
          return 1;
        },
      },
      2,
    ];
    expect(roundTrip(codec, list)).toEqual([{ shrink: 1 }, undefined]);
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
    expect(roundTrip(codec, [new Map(entries), new Index(entries)])).toEqual([object, object]);
    for (const key of [{}, [], () => 1, Symbol('s')]) {
      expect(() => encode(codec, [[5, 1, new Map([[key, 1]])]])).toThrow(/a Map whose key is a/);
    }
  });

  it('has each text once that keys of a Map become, with the value of the last', () => {
    const map = new Map<unknown, unknown>([
      [1, 'first'],
      ['other', 0],
      ['1', 'last'],
    ]);
    expect(roundTrip(codec, map)).toStrictEqual({ 1: 'last', other: 0 });
    const once = new Map([...map].slice(0, 2)).set(1, 'last');
    expect(show(encodeOne(codec, [[5, 1, map]]))).toBe(show(encodeOne(codec, [[5, 1, once]])));
    const replaced = new Map<unknown, unknown>([
      [1, () => 1],
      ['1', 2],
    ]);
    expect(roundTrip(codec, replaced)).toStrictEqual({ 1: 2 });
  });
});
