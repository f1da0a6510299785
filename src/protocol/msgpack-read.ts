// Values from MessagePack that may say anything: all its formats, and no more memory or stack than the bytes are worth.
import { typedArrays } from '../views.ts';
import { errorFromArray } from './error-values.ts';
import { Extension, ViewKind } from './msgpack-format.ts';
import type { Input } from './msgpack-input.ts';
import { expectDepth } from './nesting.ts';
import { setProperty } from './received-objects.ts';

/** Longer arrays grow as their elements come: a claimed length is not worth its memory. */
const PREALLOCATED_ELEMENTS = 1024;

/** Reads a value that stands within `depth` arrays and maps. @throws if it is not MessagePack of the protocol */
export function readValue(input: Input, depth: number): unknown {
  const head = input.uint8();
  if (head < 0x80) return head;
  if (head < 0x90) return readMap(input, head & 0x0f, depth + 1);
  if (head < 0xa0) return readArray(input, head & 0x0f, depth + 1);
  if (head < 0xc0) return input.text(head & 0x1f);
  if (head >= 0xe0) return head - 0x100;
  return readLong(input, head, depth);
}

/** Reads what comes after a head that holds nothing but a format; by their numbers in MessagePack's specification. */
function readLong(input: Input, head: number, depth: number): unknown {
  switch (head) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return input.bytes(input.uint8());
    case 0xc5:
      return input.bytes(input.uint16());
    case 0xc6:
      return input.bytes(input.uint32());
    case 0xc7:
      return readExtension(input, input.uint8(), depth);
    case 0xc8:
      return readExtension(input, input.uint16(), depth);
    case 0xc9:
      return readExtension(input, input.uint32(), depth);
    case 0xca:
      return input.view.getFloat32(input.take(4));
    case 0xcb:
      return input.view.getFloat64(input.take(8));
    case 0xcc:
      return input.uint8();
    case 0xcd:
      return input.uint16();
    case 0xce:
      return input.uint32();
    case 0xcf:
      return input.view.getBigUint64(input.take(8));
    case 0xd0:
      return input.view.getInt8(input.take(1));
    case 0xd1:
      return input.view.getInt16(input.take(2));
    case 0xd2:
      return input.view.getInt32(input.take(4));
    case 0xd3:
      return input.view.getBigInt64(input.take(8));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return readExtension(input, 1 << (head - 0xd4), depth);
    case 0xd9:
    case 0xda:
    case 0xdb:
      return input.text(readTextLength(input, head));
    case 0xdc:
    case 0xdd:
      return readArray(input, readArrayLength(input, head), depth + 1);
    case 0xde:
      return readMap(input, input.uint16(), depth + 1);
    case 0xdf:
      return readMap(input, input.uint32(), depth + 1);
    default:
      throw new TypeError('a format that there is not');
  }
}

function readArrayLength(input: Input, head: number): number {
  if ((head & 0xf0) === 0x90) return head & 0x0f;
  if (head === 0xdc) return input.uint16();
  if (head === 0xdd) return input.uint32();
  throw new TypeError('something else than an array');
}

function readTextLength(input: Input, head: number): number {
  if ((head & 0xe0) === 0xa0) return head & 0x1f;
  if (head === 0xd9) return input.uint8();
  if (head === 0xda) return input.uint16();
  if (head === 0xdb) return input.uint32();
  throw new TypeError('a key that is no text');
}

/** The array is the `depth`th of arrays and maps in each other. */
function readArray(input: Input, length: number, depth: number): unknown[] {
  expectDepth(depth);
  const array: unknown[] = new Array(Math.min(length, PREALLOCATED_ELEMENTS));
  for (let index = 0; index < length; index += 1) array[index] = readValue(input, depth);
  return array;
}

function readMap(input: Input, size: number, depth: number): Record<string, unknown> {
  expectDepth(depth);
  const map: Record<string, unknown> = {};
  for (let entry = 0; entry < size; entry += 1) {
    const key = input.key(readTextLength(input, input.uint8()));
    setProperty(map, key, readValue(input, depth));
  }
  return map;
}

function readExtension(input: Input, byteLength: number, depth: number): unknown {
  const type = input.uint8();
  // None of those known has nothing to say.
  if (byteLength === 0) wrongLength();
  switch (type) {
    case Extension.undefined:
      return expectTag(input, byteLength);
    case Extension.set:
      return new Set(readContents(input, byteLength, depth));
    case Extension.error:
      return errorFromArray(readContents(input, byteLength, depth));
    case Extension.typedArray:
      return readTypedArray(input, byteLength);
    case Extension.bigint:
      return readBigint(input, byteLength);
    case Extension.timestamp:
      return readTimestamp(input, byteLength);
    default:
      throw new TypeError('an unknown extension');
  }
}

/** @throws RangeError always */
function wrongLength(): never {
  throw new RangeError('an extension of a wrong length');
}

/** The payload that says nothing. */
function expectTag(input: Input, byteLength: number): undefined {
  if (byteLength !== 1) wrongLength();
  input.uint8();
}

/** The array that follows an extension; no other extension, or they could follow each other without end. */
function readContents(input: Input, byteLength: number, depth: number): unknown[] {
  expectTag(input, byteLength);
  return readArray(input, readArrayLength(input, input.uint8()), depth + 1);
}

function readTypedArray(input: Input, byteLength: number): ArrayBuffer | ArrayBufferView {
  const kind = input.uint8();
  const { buffer } = input.bytes(byteLength - 1);
  if (kind === ViewKind.arrayBuffer) return buffer;
  const View = kind === ViewKind.dataView ? DataView : typedArrays[kind];
  if (View === undefined) throw new TypeError('a typed array of an unknown kind');
  return new View(buffer);
}

function readBigint(input: Input, byteLength: number): bigint {
  // By way of its digits, as to shift the bytes in one by one would take quadratic time.
  const digits = Array.from(input.bytes(byteLength), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return BigInt.asIntN(8 * byteLength, BigInt(`0x${digits}`));
}

function readTimestamp(input: Input, byteLength: number): Date {
  const start = input.take(byteLength);
  const { view } = input;
  switch (byteLength) {
    case 1:
      return new Date(Number.NaN);
    case 4:
      return dateOf(view.getUint32(start), 0);
    case 8: {
      const high = view.getUint32(start);
      // 30 bits of nanoseconds, and 34 of seconds.
      return dateOf((high & 3) * 2 ** 32 + view.getUint32(start + 4), high >>> 2);
    }
    case 12:
      return dateOf(Number(view.getBigInt64(start + 4)), view.getUint32(start));
    default:
      return wrongLength();
  }
}

function dateOf(seconds: number, nanoseconds: number): Date {
  return new Date(seconds * 1000 + Math.floor(nanoseconds / 1_000_000));
}
