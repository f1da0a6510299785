// Every format of MessagePack's specification, byte by byte: what is read, what is refused, and which one is written.
import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { encodeOne, show } from '../../support/frames.ts';
import { fromHex } from '../../support/hex.ts';

const read = (hex: string): unknown => codecs.msgpack.read(fromHex(hex));

/** The bytes of a value, which stands behind `91 93 05 01`. */
const write = (value: unknown): string => show(encodeOne(codecs.msgpack, [[5, 1, value]])).slice(8);

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index);
const zeros = (length: number): string => '00'.repeat(length);

describe('MessagePack', () => {
  it.each<[string, string, unknown]>([
    ['positive fixint', '00', 0],
    ['positive fixint', '7f', 127],
    ['negative fixint', 'e0', -32],
    ['negative fixint', 'ff', -1],
    ['nil', 'c0', null],
    ['false', 'c2', false],
    ['true', 'c3', true],
    ['uint 8', 'cc 00', 0],
    ['uint 8', 'cc ff', 255],
    ['uint 16', 'cd 0001', 1],
    ['uint 16', 'cd ff01', 65_281],
    ['uint 32', 'ce 00000001', 1],
    ['uint 32', 'ce ff000001', 4_278_190_081],
    ['uint 64', 'cf 0000000000000001', 1n],
    ['uint 64', 'cf ffffffffffffffff', 2n ** 64n - 1n],
    ['int 8', 'd0 7f', 127],
    ['int 8', 'd0 80', -128],
    ['int 16', 'd1 7fff', 32_767],
    ['int 16', 'd1 8001', -32_767],
    ['int 32', 'd2 7fffffff', 2 ** 31 - 1],
    ['int 32', 'd2 80000001', -(2 ** 31) + 1],
    ['int 64', 'd3 0000000000000001', 1n],
    ['int 64', 'd3 8000000000000000', -(2n ** 63n)],
    ['float 32', 'ca 3fc00000', 1.5],
    ['float 32', 'ca ff800000', Number.NEGATIVE_INFINITY],
    ['float 64', 'cb 3fb999999999999a', 0.1],
    ['float 64', 'cb 7ff8000000000000', Number.NaN],
    ['fixstr', 'a0', ''],
    ['fixstr', 'a3 616263', 'abc'],
    ['str 8', 'd9 00', ''],
    ['str 8', 'd9 04 f09f9880', '😀'],
    ['str 16', 'da 0002 c3a9', 'é'],
    ['str 32', 'db 00000001 78', 'x'],
    ['bin 8', 'c4 00', bytes(0)],
    ['bin 8', 'c4 02 0001', bytes(2)],
    ['bin 16', 'c5 0003 000102', bytes(3)],
    ['bin 32', 'c6 00000001 00', bytes(1)],
    ['fixarray', '90', []],
    ['fixarray', '92 01 c0', [1, null]],
    ['array 16', 'dc 0002 01 02', [1, 2]],
    ['array 32', 'dd 00000001 90', [[]]],
    ['fixmap', '80', {}],
    ['fixmap', '81 a161 80', { a: {} }],
    ['map 16', 'de 0002 a161 01 a162 02', { a: 1, b: 2 }],
    ['map 32', 'df 00000001 a0 01', { '': 1 }],
    ['map with keys in longer formats', '83 d90161 01 da000162 02 db0000000163 03', { a: 1, b: 2, c: 3 }],
    ['map whose last key of a name counts', '82 a161 01 a161 02', { a: 2 }],
    ['timestamp 32', 'd6 ff ffffffff', new Date(4_294_967_295_000)],
    ['timestamp 64', 'd7 ff 1dcd6500 6553f100', new Date(1_700_000_000_125)],
    ['timestamp 64, the most seconds', 'd7 ff ee6b27ff ffffffff', new Date((2 ** 34 - 1) * 1000 + 999)],
    ['timestamp 96', 'c7 0c ff 1dcd6500 000000006553f100', new Date(1_700_000_000_500)],
    ['timestamp 96, before 1970', 'c7 0c ff 3b9ac9ff ffffffffffffffff', new Date(-1)],
    ['timestamp in ext 8', 'c7 04 ff 00000001', new Date(1000)],
    ['timestamp that is none', 'd4 ff 00', new Date(Number.NaN)],
    ['timestamp beyond all dates', 'c7 0c ff 00000000 7fffffffffffffff', new Date(Number.NaN)],
    ['undefined as fixext 1', 'd4 00 00', undefined],
    ['undefined as ext 8', 'c7 01 00 ff', undefined],
    ['undefined as ext 16', 'c8 0001 00 00', undefined],
    ['undefined as ext 32', 'c9 00000001 00 00', undefined],
    ['typed array as fixext 2', 'd5 74 01 05', Uint8Array.of(5)],
    ['typed array as fixext 4', 'd6 74 02 000102', Uint8ClampedArray.of(0, 1, 2)],
    ['typed array as fixext 8', `d7 74 01 ${zeros(7)}`, new Uint8Array(7)],
    ['typed array as fixext 16', `d8 74 00 ${zeros(15)}`, new Int8Array(15)],
    ['typed array as ext 8', 'c7 05 74 05 01000000', Int32Array.of(1)],
    ['typed array as ext 16', 'c8 0003 74 04 0100', Uint16Array.of(1)],
    ['typed array as ext 32', 'c9 00000001 74 08', new Float64Array(0)],
    ['bigint of a byte', 'd4 42 ff', -1n],
    ['bigint of three bytes', 'c7 03 42 00ffff', 65_535n],
    ['bigint of sixteen bytes', `d8 42 80 ${zeros(15)}`, -(2n ** 127n)],
    ['set', 'd4 73 00 92 01 a161', new Set([1, 'a'])],
    ['set whose array is in a longer format', 'c7 01 73 00 dc 0001 01', new Set([1])],
  ])('reads a %s: %s', (_, hex, value) => {
    expect(read(hex)).toStrictEqual(value);
  });

  it('reads an error, whose cause may be left out', () => {
    expect(read('d4 65 00 93 a145 a16d 07')).toMatchObject({ name: 'E', message: 'm', cause: 7 });
    expect(read('d4 65 00 93 a145 a16d d40000')).not.toHaveProperty('cause');
    expect(read('d4 65 00 92 a145 a16d')).not.toHaveProperty('cause');
  });

  it.each<[string, string, RegExp]>([
    ['the byte that is no format', 'c1', /format/],
    ['nothing', '', /too early/],
    ['a second value', 'c0 c0', /more than one/],
    ['a key that is a number', '81 01 01', /key/],
    ['a key that is nil', '81 c0 01', /key/],
    ['a key that is bytes', '81 c401 61 01', /key/],
    ['a key that is an array', '81 90 01', /key/],
    ['a key that is negative', '81 ff 01', /key/],
    ['an unknown extension', 'd4 01 00', /extension/],
    ['an empty extension', 'c7 00 00', /length/],
    ['undefined of two bytes', 'd5 00 0000', /length/],
    ['a set of two bytes', 'd5 73 0000 90', /length/],
    ['a set of a map', 'd4 73 00 80', /array/],
    ['a set of a set', 'd4 73 00 d4 73 00 90', /array/],
    ['an error of a text', 'd4 65 00 a161', /array/],
    ['a regular expression', 'd4 78 00 92 a161 a167', /unknown extension/],
    ['a timestamp of two bytes', 'd5 ff 0000', /length/],
    ['a timestamp of no bytes', 'c7 00 ff', /length/],
    ['a timestamp of sixteen bytes', `d8 ff ${zeros(16)}`, /length/],
    ['a bigint of no bytes', 'c7 00 42', /length/],
    ['a typed array without a kind', 'c7 00 74', /length/],
    ['a typed array without a kind, before what looks like one', '92 c7 00 74 01 01', /length/],
    ['a typed array of an unknown kind', 'd5 74 0b 00', /kind/],
    ['a typed array of a kind beyond', 'd5 74 ff 00', /kind/],
    ['half an element', 'd6 74 08 000000', /multiple/],
  ])('refuses %s: %s', (_, hex, why) => {
    expect(() => read(hex)).toThrow(why);
  });

  it.each<[unknown, string]>([
    [0, '00'],
    [-0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [255, 'ccff'],
    [256, 'cd0100'],
    [65_535, 'cdffff'],
    [65_536, 'ce00010000'],
    [2 ** 32 - 1, 'ceffffffff'],
    [2 ** 32, 'cb41f0000000000000'],
    [-1, 'ff'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-128, 'd080'],
    [-129, 'd1ff7f'],
    [-32_768, 'd18000'],
    [-32_769, 'd2ffff7fff'],
    [-(2 ** 31), 'd280000000'],
    [-(2 ** 31) - 1, 'cbc1e0000000200000'],
    [1.5, 'cb3ff8000000000000'],
    [0n, 'd30000000000000000'],
    [-1n, 'd3ffffffffffffffff'],
    [2n ** 63n - 1n, 'd37fffffffffffffff'],
    [2n ** 63n, 'cf8000000000000000'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'],
    [2n ** 64n, 'd84200000000000000010000000000000000'],
    [-(2n ** 63n) - 1n, 'd842ffffffffffffffff7fffffffffffffff'],
    [2n ** 127n - 1n, `d8427f${'ff'.repeat(15)}`],
    [2n ** 127n, `c718420000000000000000 80${zeros(15)}`],
    [-(2n ** 127n), `d84280${zeros(15)}`],
    [undefined, 'd40000'],
    [new Date(0), 'd6ff00000000'],
    [new Date(1_700_000_000_125), 'd7ff1dcd65006553f100'],
    [new Date(4_294_967_295_999), 'd7ffee2e1f00ffffffff'],
    [new Date(4_294_967_296_000), 'c70cff000000000000000100000000'],
    [new Date(-1), 'c70cff3b8b87c0ffffffffffffffff'],
    [new Date(Number.NaN), 'd4ffff'],
    [new Set(['a']), 'd4730091a161'],
    [new RangeError('m'), 'd4650093aa52616e67654572726f72a16dd40000'],
    [Uint8Array.of(1, 2), 'c4020102'],
    [Float32Array.of(1), 'c70574070000803f'],
    [new DataView(Uint8Array.of(9).buffer), 'c702741109'],
    [Uint8Array.of(9).buffer, 'c702741009'],
  ])('writes %s as %s', (value, hex) => {
    expect(write(value)).toBe(hex.replaceAll(' ', ''));
  });

  it.each<[number, string, string, string]>([
    [15, '8f', '9f', 'af'],
    [16, 'de0010', 'dc0010', 'b0'],
    [31, 'de001f', 'dc001f', 'bf'],
    [32, 'de0020', 'dc0020', 'd920'],
    [255, 'de00ff', 'dc00ff', 'd9ff'],
    [256, 'de0100', 'dc0100', 'da0100'],
    [65_535, 'deffff', 'dcffff', 'daffff'],
    [65_536, 'df00010000', 'dd00010000', 'db00010000'],
  ])('counts %i as a map %s, an array %s and a text %s', (count, map, array, text) => {
    const numbers = Array.from({ length: count }, (_, index) => index);
    const object = Object.fromEntries(numbers.map((number) => [number, 0]));
    for (const [value, header] of [
      [object, map],
      [numbers, array],
      ['x'.repeat(count), text],
    ]) {
      expect(write(value).startsWith(header as string)).toBe(true);
      expect(read(write(value))).toStrictEqual(value);
    }
  });
});
