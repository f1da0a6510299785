import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { encodeOne, roundTrip } from '../../support/frames.ts';
import { fromHex } from '../../support/hex.ts';

const each = Object.entries(codecs).map(([name, codec]) => ({ name, codec }));

const values: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['booleans', [true, false]],
  ['undefined', undefined],
  ['nested undefined', { a: undefined, b: [undefined] }],
  ['small and large integers', [0, 127, 128, -1, -32, -33, 65_535, 65_536, 2 ** 32, -(2 ** 31), 2 ** 53, -(2 ** 53)]],
  ['fractions', [0.1, 1.5, -1e300, Number.MIN_VALUE, Number.MAX_VALUE]],
  ['numbers that are none', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['bigints', [0n, -1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n, -(2n ** 63n), -(2n ** 200n) + 7n]],
  ['text', ['', 'ASCII', 'naïve', '漢字', '😀', '\u0000', '"\\\n', 'x'.repeat(70_000)]],
  ['dates', [new Date(0), new Date(1_700_000_000_123), new Date(-1)]],
  ['sets', new Set<unknown>([1, 'a', new Set([null]), { deep: [undefined] }])],
  ['an ArrayBuffer', Uint8Array.of(1, 2, 3).buffer],
  ['deep structures', { list: [[[{ of: { lists: [] } }]]], '': {}, 'key with spaces': 1 }],
  ['objects that look like tags', { $: ['bigint', '1'] }],
  ['objects with the key of a tag', { $: 1, other: { $: { $: [] } } }],
  ['lists that look like messages', [5, 1, [0, {}]]],
];

const typedArrays: readonly (readonly [string, ArrayBufferView])[] = [
  ['Int8Array', Int8Array.of(-128, 127)],
  ['Uint8Array', Uint8Array.of(0, 255)],
  ['Uint8ClampedArray', Uint8ClampedArray.of(0, 255)],
  ['Int16Array', Int16Array.of(-32_768, 32_767)],
  ['Uint16Array', Uint16Array.of(0, 65_535)],
  ['Int32Array', Int32Array.of(-(2 ** 31), 1)],
  ['Uint32Array', Uint32Array.of(0, 2 ** 32 - 1)],
  ['Float32Array', Float32Array.of(1.5, Number.NaN)],
  ['Float64Array', Float64Array.of(0.1, Number.NEGATIVE_INFINITY)],
  ['BigInt64Array', BigInt64Array.of(-(2n ** 63n), 1n)],
  ['BigUint64Array', BigUint64Array.of(2n ** 64n - 1n)],
  ['DataView', new DataView(Uint8Array.of(1, 2, 3).buffer)],
];

describe.each(each)('a value in $name', ({ codec }) => {
  it.each(values)('comes through as it was: %s', (_, value) => {
    expect(roundTrip(codec, value)).toStrictEqual(value);
  });

  it.each(typedArrays)('keeps its kind as a %s, empty or not, whole or a view', (_, array) => {
    expect(roundTrip(codec, array)).toStrictEqual(array);
    const View = array.constructor as new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;
    const padded = new Uint8Array(8 + array.byteLength + 8);
    padded.fill(7).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 8);
    const length = array.byteLength / ((array as Uint8Array).BYTES_PER_ELEMENT ?? 1);
    expect(roundTrip(codec, { view: new View(padded.buffer, 8, length) })).toStrictEqual({ view: array });
    expect(roundTrip(codec, new View(padded.buffer, 8, 0))).toStrictEqual(new View(new ArrayBuffer(0), 0, 0));
  });

  it('carries large typed arrays', () => {
    for (const length of [255, 256, 65_535, 65_536]) {
      for (const array of [new Uint8Array(length), new Int8Array(length)]) {
        for (let index = 0; index < length; index += 1) array[index] = index * 7;
        const through = roundTrip(codec, array) as typeof array;
        expect([through.constructor, through.length]).toEqual([array.constructor, length]);
        expect(through.findIndex((byte, index) => byte !== array[index])).toBe(-1);
      }
    }
  });

  it('keeps a date that is none', () => {
    expect(roundTrip(codec, new Date(Number.NaN))).toEqual(new Date(Number.NaN));
  });

  it('keeps the name, message and cause of an error', () => {
    const error = new TypeError('no', { cause: new RangeError('deeper') });
    const through = roundTrip(codec, { error }) as { error: Error };
    expect(through.error).toBeInstanceOf(Error);
    expect(through.error).toMatchObject({
      name: 'TypeError',
      message: 'no',
      cause: { name: 'RangeError', message: 'deeper' },
    });
  });

  it('has texts as the name and message of an error, whatever they were', () => {
    const named = (name: unknown): Error => Object.defineProperty(new Error('m'), 'name', { value: name });
    const through = roundTrip(codec, [named(5), named(undefined), named({ toString: () => 'said' })]);
    expect(through).toMatchObject([{ name: '5' }, { name: 'undefined' }, { name: 'said' }]);
    expect(() => roundTrip(codec, named({ toString: 1, valueOf: 1 }))).toThrow(/Cannot cross the wire/);
  });

  it('loses the sign of 0', () => {
    expect(roundTrip(codec, -0)).toBe(0);
  });

  it('has undefined where an array has nothing', () => {
    const holes = [1];
    holes[2] = 3;
    expect(roundTrip(codec, [holes, new Array(2)])).toStrictEqual([
      [1, undefined, 3],
      [undefined, undefined],
    ]);
  });

  it('becomes a plain object from a Map, and from an instance', () => {
    class Point {
      readonly x = 1;
      readonly #secret = 2;
      sum(): number {
        return this.x + this.#secret;
      }
    }
    const map = new Map<string, unknown>([
      ['a', 1],
      ['b', new Map([['c', 2n]])],
    ]);
    expect(roundTrip(codec, map)).toStrictEqual({ a: 1, b: { c: 2n } });
    expect(roundTrip(codec, new Point())).toStrictEqual({ x: 1 });
  });

  it('is not changed by what becomes of it after it was written', () => {
    const bytes = Uint8Array.of(1);
    const value = { bytes, list: [1] };
    const writer = codec.createWriter();
    writer.add([5, 1, value], 1000);
    bytes[0] = 2;
    value.list.push(2);
    const [frame] = writer.take(1000);
    expect(codec.read(frame)).toEqual([[5, 1, { bytes: Uint8Array.of(1), list: [1] }]]);
  });

  it('has memory of its own, not a view of its frame', () => {
    const frame = encodeOne(codec, [[5, 1, Uint8Array.of(1, 2)]]);
    const read = codec.read(frame) as [[number, number, Uint8Array]];
    if (typeof frame !== 'string') frame.fill(0);
    expect(read[0][2]).toEqual(Uint8Array.of(1, 2));
    expect(read[0][2].buffer.byteLength).toBe(2);
  });

  it.each<[string, unknown]>([
    ['a key of an object', JSON.parse('{"__proto__":{"polluted":true}}')],
    ['a nested key', { a: [JSON.parse('{"__proto__":{"polluted":true}}')] }],
    ['the key of a Map', new Map([['__proto__', { polluted: true }]])],
    ['beside a tag', JSON.parse('{"__proto__":{"polluted":true},"$":1}')],
  ])('never becomes a prototype: %s', (_, value) => {
    const through = roundTrip(codec, value) as object;
    const inner = Array.isArray(Reflect.get(through, 'a')) ? Reflect.get(through, 'a')[0] : through;
    expect(inner).not.toHaveProperty('polluted');
    expect(Object.getPrototypeOf(inner)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('polluted');
  });
});

const cycle: Record<string, unknown> = {};
cycle['self'] = [cycle];

describe.each(each)('a value that cannot cross the wire, in $name', ({ codec }) => {
  it.each<[string, unknown, RegExp]>([
    ['a function', () => 1, /a function/],
    ['a function inside', { list: [{ call() {} }] }, /a function/],
    ['a class', class {}, /a function/],
    ['a symbol', Symbol('s'), /symbol/],
    ['a symbol in a set', new Set([Symbol('s')]), /symbol/],
    ['a cycle', cycle, /contains itself/],
    ['a getter that throws', Object.defineProperty({}, 'x', { enumerable: true, get: throwOops }), /oops/],
  ])('is refused: %s', (_, value, why) => {
    const writer = codec.createWriter();
    expect(() => writer.add([5, 1, value], 1000)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_NOT_SERIALIZABLE', message: expect.stringMatching(why) }),
    );
    expect(writer.isEmpty).toBe(true);
  });

  it('leaves the messages around it as they are', () => {
    const writer = codec.createWriter();
    writer.add([5, 1, { before: 1 }], 1000);
    expect(() => writer.add([5, 2, cycle], 1000)).toThrow();
    expect(() => writer.add([5, 3, () => 1], 1000)).toThrow();
    writer.add([5, 4, { after: 2 }], 1000);
    const [frame] = writer.take(1000);
    expect(codec.read(frame)).toEqual([
      [5, 1, { before: 1 }],
      [5, 4, { after: 2 }],
    ]);
  });
});

function throwOops(): never {
  throw new Error('oops');
}

describe('half of a surrogate pair', () => {
  it('arrives as it was over JSON, in texts and in keys', () => {
    const value = ['\ud83d', 'a\ude00b', { '\ud83d': 1, '\ude00': 2 }];
    expect(roundTrip(codecs.json, value)).toStrictEqual(value);
    expect(encodeOne(codecs.json, [[5, 1, '\ud83d']])).toBe('[[5,1,"\\ud83d"]]');
  });

  it('becomes a replacement character over MessagePack, by which keys may become the same: the last one holds', () => {
    const value = ['\ud83d', 'a\ude00b', { '\ud83d': 1, '\ude00': 2 }];
    expect(roundTrip(codecs.msgpack, value)).toStrictEqual(['\ufffd', 'a\ufffdb', { '\ufffd': 2 }]);
  });
});

describe('a message in MessagePack', () => {
  it('may be written in any of the ways that MessagePack has', () => {
    const frame = fromHex('dd00000001 dc0003 cc05 ce00000001 df00000001 d90178 ca3fc00000');
    expect(codecs.msgpack.read(frame)).toEqual([[5, 1, { x: 1.5 }]]);
  });

  it('may hold bytes as plain bin, or as a typed array', () => {
    for (const hex of ['91 93 05 01 c402 0102', '91 93 05 01 c703 74 01 0102']) {
      expect(codecs.msgpack.read(fromHex(hex))).toStrictEqual([[5, 1, Uint8Array.of(1, 2)]]);
    }
  });
});
