// Texts and keys in MessagePack: the same characters everywhere, whichever way they are written and read.
import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { encodeOne, roundTrip, show } from '../../support/frames.ts';
import { fromHex, toHex } from '../../support/hex.ts';

const { msgpack } = codecs;

const header = (length: number): string => {
  if (length < 32) return (0xa0 + length).toString(16);
  return length < 256 ? `d9${toHex(Uint8Array.of(length))}` : `da${toHex(Uint8Array.of(length >> 8, length))}`;
};

/** A text of these bytes, read. */
const textOf = (bytes: Uint8Array): unknown => msgpack.read(fromHex(header(bytes.length) + toHex(bytes)));
/** A key of these bytes, read. */
const keyOf = (hex: string): unknown =>
  Object.keys(msgpack.read(fromHex(`81${header(hex.length / 2)}${hex}01`)) ?? {})[0];

describe('a text in MessagePack', () => {
  it.each(['x', 'é', '漢', '😀'])('is UTF-8 of whatever length, with %s anywhere in it', (character) => {
    for (let length = 0; length < 300; length += 1) {
      for (const text of ['a'.repeat(length) + character, character + 'a'.repeat(length), character.repeat(length)]) {
        const utf8 = new TextEncoder().encode(text);
        expect(show(encodeOne(msgpack, [[5, 1, text]]))).toBe(`91930501${header(utf8.length)}${toHex(utf8)}`);
        expect(roundTrip(msgpack, text)).toBe(text);
      }
    }
  });

  it('keeps its byte order mark', () => {
    for (const text of ['\ufeff', '\ufeffabc', `\ufeff${'x'.repeat(100)}`]) expect(roundTrip(msgpack, text)).toBe(text);
  });

  it('has replacement characters for halves of surrogate pairs', () => {
    for (const rest of ['', 'x'.repeat(100)]) {
      expect(roundTrip(msgpack, `\ud83d${rest}`)).toBe(`\ufffd${rest}`);
      expect(roundTrip(msgpack, `${rest}\ude00`)).toBe(`${rest}\ufffd`);
    }
  });

  it.each([
    ['a byte that is never in UTF-8', 'ff', '\ufffd'],
    ['a byte that continues nothing', '80', '\ufffd'],
    ['a character cut short', 'e6bc', '\ufffd'],
    ['a character said in too many bytes', 'c080', '\ufffd\ufffd'],
    ['half of a surrogate pair', 'eda080', '\ufffd\ufffd\ufffd'],
    ['a character beyond Unicode', 'f4908080', '\ufffd\ufffd\ufffd\ufffd'],
  ])('has replacement characters for what is not UTF-8, as TextDecoder has: %s', (_, hex, replaced) => {
    for (const rest of ['', 'a', 'a'.repeat(11), 'a'.repeat(200)]) {
      const bytes = Uint8Array.from([...fromHex(hex), ...new TextEncoder().encode(rest)]);
      expect(textOf(bytes)).toBe(replaced + rest);
      expect(keyOf(toHex(bytes))).toBe(replaced + rest);
    }
  });
});

describe('a key in MessagePack', () => {
  it('is never taken for another one that came before', () => {
    // The same lengths, and the same first and last characters.
    const keys = [
      'n',
      'm',
      'aab',
      'abb',
      'acb',
      'k00000000z',
      'k00010000z',
      'é',
      'ééé',
      'x'.repeat(31),
      'x'.repeat(32),
    ];
    for (let round = 0; round < 3; round += 1) {
      for (const key of keys) expect(roundTrip(msgpack, { [key]: round })).toStrictEqual({ [key]: round });
    }
  });

  it('is itself among any number of others', () => {
    const object = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, index]));
    for (let round = 0; round < 2; round += 1) expect(roundTrip(msgpack, object)).toStrictEqual(object);
  });

  it('is not the one whose characters have the codes of its bytes', () => {
    expect(keyOf('c3a9')).toBe('é');
    expect(keyOf('ff')).toBe('\ufffd');
    expect(keyOf('fe')).toBe('\ufffd');
    // One that is remembered under as many characters as it had bytes.
    for (let round = 0; round < 2; round += 1) {
      expect([keyOf('61ff'), keyOf('61fd'), keyOf('61efbfbd')]).toEqual(['a\ufffd', 'a\ufffd', 'a\ufffd']);
    }
    // Their codes, cut to a byte, are those of ASCII.
    expect([keyOf('c4b1'), keyOf('31')]).toEqual(['ı', '1']);
  });

  it('is never `__proto__`, however often it comes and however it is written', () => {
    const hex = toHex(new TextEncoder().encode('__proto__'));
    for (const head of ['a9', 'a9', 'a9', 'd909', 'da0009', 'db00000009']) {
      const map: unknown = msgpack.read(fromHex(`81${head}${hex}81a161 01`));
      expect(map).toStrictEqual({ __proto_: { a: 1 } });
      expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    }
  });

  it('may be named as what every object has', () => {
    const value = { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 };
    expect(roundTrip(msgpack, value)).toStrictEqual(value);
  });
});
