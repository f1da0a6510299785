// Which format of MessagePack each value is written in.
import { bytesOf, kindOf, typedArrays } from '../views.ts';
import { errorToArray } from './error-values.ts';
import { Extension, ViewKind } from './msgpack-format.ts';
import type { Output } from './msgpack-output.ts';
import { expectDepth } from './nesting.ts';
import { asJson, entriesOf, isPlain } from './object-values.ts';
import { refuseToSend, unsendableClasses } from './unsendable.ts';

/**
 * Writes a value that stands within `depth` arrays and maps.
 * @throws if it, or anything in it, cannot be sent; part of it is written then
 */
export function writeValue(output: Output, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      output.text(value);
      break;
    case 'number':
      output.number(value);
      break;
    case 'object':
      if (value === null) output.byte(0xc0);
      else writeObject(output, value, depth + 1);
      break;
    case 'boolean':
      output.byte(value ? 0xc3 : 0xc2);
      break;
    case 'undefined':
      writeTag(output, Extension.undefined);
      break;
    case 'bigint':
      writeBigint(output, value);
      break;
    default:
      throw new TypeError(`a ${typeof value}`);
  }
}

/** Writes what is the `depth`th of values in each other, if it is one that counts. */
function writeObject(output: Output, value: object, depth: number): void {
  if (Array.isArray(value)) writeArray(output, value, depth);
  else if (isPlain(value)) writeMap(output, value, depth);
  else if (ArrayBuffer.isView(value)) writeView(output, value);
  else if (value instanceof ArrayBuffer) writeTypedArray(output, ViewKind.arrayBuffer, new Uint8Array(value));
  else if (value instanceof Date) writeDate(output, value);
  else if (value instanceof Set) writeTagged(output, Extension.set, [...value], depth);
  else if (value instanceof Error) writeTagged(output, Extension.error, errorToArray(value), depth);
  else if (unsendableClasses.some((Class) => value instanceof Class)) refuseToSend(value);
  else writeInstance(output, value, depth);
}

/** Writes an object of a class that is not known here: as what it says for itself, or its own properties. */
function writeInstance(output: Output, value: object, depth: number): void {
  // Before it is asked, as what it says may be such an object again, without end.
  expectDepth(depth);
  const json = asJson(value);
  if (json === value) writeEntries(output, entriesOf(value), depth);
  else writeValue(output, json, depth);
}

function writeArray(output: Output, array: readonly unknown[], depth: number): void {
  expectDepth(depth);
  const { length } = array;
  output.count(0x90, 0xdc, length);
  for (let index = 0; index < length; index += 1) writeValue(output, array[index], depth);
}

function writeMap(output: Output, object: Readonly<Record<string, unknown>>, depth: number): void {
  expectDepth(depth);
  const keys = Object.keys(object);
  output.count(0x80, 0xde, keys.length);
  for (const key of keys) {
    output.text(key);
    writeValue(output, object[key], depth);
  }
}

function writeEntries(output: Output, entries: readonly (readonly [string, unknown])[], depth: number): void {
  output.count(0x80, 0xde, entries.length);
  for (const [key, value] of entries) {
    output.text(key);
    writeValue(output, value, depth);
  }
}

/** An extension whose payload is a byte that says nothing. */
function writeTag(output: Output, type: number): void {
  output.byte(0xd4);
  output.byte(type);
  output.byte(0);
}

function writeTagged(output: Output, type: number, contents: readonly unknown[], depth: number): void {
  writeTag(output, type);
  writeArray(output, contents, depth);
}

function writeView(output: Output, view: ArrayBufferView): void {
  const View = kindOf(view);
  if (View === undefined) refuseToSend(view);
  const bytes = bytesOf(view);
  if (View === Uint8Array) {
    // Plain bytes are what other implementations have a format for.
    output.length(0xc4, bytes.length);
    output.bytes(bytes);
  } else {
    writeTypedArray(output, View === DataView ? ViewKind.dataView : typedArrays.indexOf(View), bytes);
  }
}

function writeTypedArray(output: Output, kind: number, bytes: Uint8Array): void {
  output.length(0xc7, bytes.length + 1);
  output.byte(Extension.typedArray);
  output.byte(kind);
  output.bytes(bytes);
}

/** The timestamp of 32, 64 or 96 bits; a date that is none is a byte. */
function writeDate(output: Output, date: Date): void {
  const time = date.getTime();
  const seconds = Math.floor(time / 1000);
  const nanoseconds = (time - seconds * 1000) * 1_000_000;
  const fits = seconds >= 0 && seconds < 2 ** 32;
  if (Number.isNaN(time)) {
    output.byte(0xd4);
    output.byte(Extension.timestamp);
    output.byte(0xff);
  } else if (fits && nanoseconds === 0) {
    output.byte(0xd6);
    output.byte(Extension.timestamp);
    output.uint32(seconds);
  } else if (fits) {
    output.byte(0xd7);
    output.byte(Extension.timestamp);
    // Above the 34 bits of the seconds.
    output.uint32(nanoseconds * 4);
    output.uint32(seconds);
  } else {
    output.byte(0xc7);
    output.byte(12);
    output.byte(Extension.timestamp);
    output.uint32(nanoseconds);
    // A signed 64 bits, in halves.
    output.uint32(Math.floor(seconds / 2 ** 32));
    output.uint32(seconds);
  }
}

function writeBigint(output: Output, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) output.bits64(0xd3, value);
  else if (BigInt.asUintN(64, value) === value) output.bits64(0xcf, value);
  else writeLongBigint(output, bigintToBytes(value));
}

function writeLongBigint(output: Output, bytes: Uint8Array): void {
  if (bytes.length === 16) output.byte(0xd8);
  else output.length(0xc7, bytes.length);
  output.byte(Extension.bigint);
  output.bytes(bytes);
}

/** Two's complement, big-endian, in as many times 64 bits as it takes. */
function bigintToBytes(value: bigint): Uint8Array {
  const isNegative = value < 0n;
  const digits = (isNegative ? ~value : value).toString(16);
  // A leading digit of 8 and more would be taken for the sign.
  const byteLength = Math.ceil((digits.length + (digits < '8' ? 0 : 1)) / 16) * 8;
  const padded = digits.padStart(2 * byteLength, '0');
  const sign = isNegative ? 0xff : 0;
  return Uint8Array.from(
    { length: byteLength },
    (_, index) => Number.parseInt(padded.slice(2 * index, 2 * index + 2), 16) ^ sign,
  );
}
