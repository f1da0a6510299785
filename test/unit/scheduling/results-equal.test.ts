import { describe, expect, it } from 'vitest';
import { areResultsEqual } from '../../../src/scheduling/results-equal.ts';

class Point {
  readonly x = 1;
}

function nested(depth: number): unknown {
  let value: unknown = 'end';
  for (let n = 0; n < depth; n += 1) value = [value];
  return value;
}

function errorOf(message: string, cause?: unknown, name = 'Error'): Error {
  return Object.assign(new Error(message, { cause }), { name });
}

/** A `-0` among them, and a NaN of other bits. */
const floats = (...values: number[]) => new Float64Array(values);
const strangeNaN = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0001n]).buffer);

const equal: readonly (readonly [string, unknown, unknown])[] = [
  ['numbers', 1.5, 1.5],
  ['zeros', 0, -0],
  ['NaN', Number.NaN, Number.NaN],
  ['texts', 'a', 'a'],
  ['bigints', 10n ** 30n, 10n ** 30n],
  ['null', null, null],
  ['undefined', undefined, undefined],
  ['arrays', [1, [2, Number.NaN]], [1, [2, Number.NaN]]],
  ['holes and undefined', new Array(1), [undefined]],
  ['objects', { a: 1, b: { c: [] } }, { b: { c: [] }, a: 1 }],
  ['objects without a prototype', Object.assign(Object.create(null), { x: 1 }), { x: 1 }],
  ['objects of classes', new Point(), { x: 1 }],
  ['dates', new Date(5), new Date(5)],
  ['dates that are none', new Date(Number.NaN), new Date(Number.NaN)],
  ['sets', new Set([1, 'a', Number.NaN]), new Set([Number.NaN, 'a', 1])],
  ['sets of objects in order', new Set([{ a: 1 }, 2, { b: 1 }]), new Set([2, { a: 1 }, { b: 1 }])],
  ['typed arrays', new Uint8Array([1, 2]), new Uint8Array([0, 1, 2]).subarray(1)],
  ['floats', floats(0, Number.NaN), floats(-0, strangeNaN[0] as number)],
  ['bigints in typed arrays', new BigInt64Array([-1n]), new BigInt64Array([-1n])],
  ['buffers', new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2]).buffer],
  ['views', new DataView(new ArrayBuffer(3), 1), new DataView(new ArrayBuffer(2))],
  ['errors', errorOf('m', { a: 1 }), errorOf('m', { a: 1 })],
  ['what nests as deeply as can be sent', nested(256), nested(256)],
];

const different: readonly (readonly [string, unknown, unknown])[] = [
  ['numbers', 1, 2],
  ['a number and its text', 1, '1'],
  ['a number and a bigint', 1, 1n],
  ['null and undefined', null, undefined],
  ['null and an object', null, {}],
  ['arrays', [1, 2], [2, 1]],
  ['arrays of other lengths', [1], [1, undefined]],
  ['an array and an object', [1], { 0: 1 }],
  ['an object and an array', { length: 0 }, []],
  ['objects', { a: 1 }, { a: 2 }],
  ['objects of other keys', { a: 1 }, { b: 1 }],
  ['objects one of which has more', { a: 1 }, { a: 1, b: 2 }],
  ['undefined and nothing', { a: undefined }, { b: undefined }],
  ['an inherited property and an own one', { toString: Object.prototype.toString }, { a: 1 }],
  ['an own property and an inherited one', { constructor: Object }, { x: 1 }],
  ['dates', new Date(5), new Date(6)],
  ['a date and an object', new Date(5), {}],
  ['an object and a date', {}, new Date(5)],
  ['sets', new Set([1]), new Set([2])],
  ['sets of other sizes', new Set([1]), new Set([1, 2])],
  ['sets of objects', new Set([{ a: 1 }]), new Set([{ a: 2 }])],
  ['a set and an array', new Set([1]), [1]],
  ['a set and an object', new Set(), {}],
  ['typed arrays', new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  ['typed arrays of other lengths', new Uint8Array([1]), new Uint8Array([1, 0])],
  ['typed arrays of other kinds', new Uint8Array([1]), new Int8Array([1])],
  ['a typed array and an array', new Uint8Array([1]), [1]],
  ['a typed array and its buffer', new Uint8Array([1]), new Uint8Array([1]).buffer],
  ['buffers', new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  ['a buffer and an object', new ArrayBuffer(1), {}],
  ['views', new DataView(new Uint8Array([1]).buffer), new DataView(new Uint8Array([2]).buffer)],
  ['errors of other messages', errorOf('m'), errorOf('n')],
  ['errors of other names', errorOf('m'), errorOf('m', undefined, 'TypeError')],
  ['errors of other causes', errorOf('m', 1), errorOf('m', 2)],
  ['an error and an object', errorOf('m'), {}],
  ['what nests deeper than can be sent', nested(257), nested(257)],
];

describe('two results', () => {
  it.each(equal)('are the same: %s', (_what, a, b) => {
    expect([areResultsEqual(a, b), areResultsEqual(b, a)]).toEqual([true, true]);
  });

  it.each(different)('are not the same: %s', (_what, a, b) => {
    expect([areResultsEqual(a, b), areResultsEqual(b, a)]).toEqual([false, false]);
  });

  it('are not the same if they contain themselves, and take no longer for that', () => {
    const loop = (): unknown => {
      const value: unknown[] = [];
      value.push(value);
      return value;
    };
    expect(areResultsEqual(loop(), loop())).toBe(false);
    const one = loop();
    expect(areResultsEqual(one, one)).toBe(true);
  });

  it('are compared in a time that grows no faster than they do, whatever they are', () => {
    const large = (): unknown => new Set(Array.from({ length: 100_000 }, (_, n) => ({ n })));
    const startedAt = performance.now();
    expect(areResultsEqual(large(), large())).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
