// The codec `taskdist.v1.json`, for clients that would rather not have MessagePack.
// What JSON has no word for is written as a tagged object, {"$": [tag, …]}; docs/protocol.md lists the tags.
import type { Frame } from '../ports.ts';
import { bytesOf, kindOf, typedArrays, type ViewConstructor } from '../views.ts';
import { fromBase64, toBase64 } from './base64.ts';
import type { Codec, FrameWriter } from './codec.ts';
import { errorFromArray, errorToArray } from './error-values.ts';
import { cutFrames, fitsFrame, notSerializable, tooLarge } from './frames.ts';
import type { Message } from './messages.ts';
import { expectDepth } from './nesting.ts';
import { asJson, entriesOf, isPlain } from './object-values.ts';
import { setProperty } from './received-objects.ts';
import { refuseToSend, unsendableClasses } from './unsendable.ts';

const TAG = '$';

/** The class of a view by its name; undefined if there is none of that name. */
function viewOf(name: unknown): ViewConstructor | undefined {
  return [DataView, ...typedArrays].find((View) => View.name === name);
}

const tagged = (tag: string, ...values: unknown[]): unknown => ({ [TAG]: [tag, ...values] });

/** A value as JSON can write it, which stands within `depth` arrays, maps, sets and errors. */
function toJson(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      throw new TypeError(`a ${typeof value}`);
    case 'undefined':
      return tagged('undefined');
    case 'bigint':
      return tagged('bigint', String(value));
    case 'number':
      return Number.isFinite(value) ? value : tagged('number', String(value));
    case 'object':
      return value === null ? null : objectToJson(value, depth + 1);
    default:
      return value;
  }
}

function objectToJson(value: object, depth: number): unknown {
  if (Array.isArray(value) || isPlain(value)) return containerToJson(value, depth);
  if (unsendableClasses.some((Class) => value instanceof Class)) refuseToSend(value);
  if (value instanceof Date) return tagged('Date', value.getTime());
  if (value instanceof ArrayBuffer) return tagged('ArrayBuffer', toBase64(new Uint8Array(value)));
  if (ArrayBuffer.isView(value)) {
    const View = kindOf(value);
    if (View === undefined) throw new TypeError(`a ${value.constructor.name}`);
    return tagged(View.name, toBase64(bytesOf(value)));
  }
  return containerToJson(value, depth);
}

/** What holds other values, as the `depth`th of such in each other. */
function containerToJson(value: object, depth: number): unknown {
  expectDepth(depth);
  const innerToJson = (inner: unknown): unknown => toJson(inner, depth);
  // By index, as `map` passes over what is missing and leaves it to become null.
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => innerToJson(value[index]));
  if (value instanceof Error) return tagged('Error', errorToArray(value).map(innerToJson));
  if (value instanceof Set) return tagged('Set', [...value].map(innerToJson));
  const json = isPlain(value) ? value : asJson(value);
  if (json !== value) return innerToJson(json);
  const object = Object.fromEntries(entriesOf(value).map(([key, inner]) => [key, innerToJson(inner)]));
  // An object of the user's that looks like a tag is wrapped in one.
  return Object.hasOwn(object, TAG) ? tagged('object', object) : object;
}

/** The value that {@link toJson} wrote, which stands within `depth` arrays, maps, sets and errors. */
function fromJson(json: unknown, depth: number): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return listFromJson(json, depth + 1);
  if (!Object.hasOwn(json, TAG)) return objectFromJson(json, depth + 1);
  const inner: unknown = Reflect.get(json, TAG);
  if (!Array.isArray(inner)) throw new TypeError('a malformed tag');
  return untag(inner[0], inner[1], depth + 1);
}

function listFromJson(json: readonly unknown[], depth: number): unknown[] {
  expectDepth(depth);
  return json.map((inner) => fromJson(inner, depth));
}

function objectFromJson(json: object, depth: number): object {
  expectDepth(depth);
  const object: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) setProperty(object, key, fromJson(value, depth));
  return object;
}

function untag(tag: unknown, value: unknown, depth: number): unknown {
  if (tag === 'undefined') return undefined;
  if (tag === 'Date' && typeof value === 'number') return new Date(value);
  if (tag === 'Date' && value === null) return new Date(Number.NaN);
  if (tag === 'Set' && Array.isArray(value)) return new Set(listFromJson(value, depth));
  if (tag === 'Error' && Array.isArray(value)) return errorFromArray(listFromJson(value, depth));
  if (tag === 'object' && typeof value === 'object' && value !== null) return objectFromJson(value, depth);
  if (typeof value === 'string') {
    if (tag === 'bigint') return BigInt(value);
    if (tag === 'number') return Number(value);
    if (tag === 'ArrayBuffer') return fromBase64(value).buffer;
    const View = viewOf(tag);
    if (View !== undefined) return new View(fromBase64(value).buffer);
  }
  throw new TypeError('an unknown tag');
}

const encoder = new TextEncoder();

/** Encodes each message once, as it comes, and joins the texts into frames when asked. */
class JsonWriter implements FrameWriter {
  #texts: string[] = [];
  /** Where each message ends, in bytes: to count them costs as much as to encode the text. */
  #ends: number[] = [];

  get isEmpty(): boolean {
    return this.#texts.length === 0;
  }

  get byteLength(): number {
    return this.#ends.at(-1) ?? 0;
  }

  add(message: Message, maxFrameBytes: number): number {
    const text = this.#encode(message);
    const byteLength = encoder.encode(text).byteLength;
    if (!fitsFrame(byteLength, maxFrameBytes)) throw tooLarge(byteLength, maxFrameBytes);
    this.#texts.push(text);
    // With its comma.
    this.#ends.push((this.#ends.at(-1) ?? 0) + byteLength + 1);
    return byteLength;
  }

  take(maxFrameBytes: number): Frame[] {
    let first = 0;
    const frames = cutFrames(this.#ends, maxFrameBytes).map((cut) => {
      const texts = this.#texts.slice(first, cut);
      first = cut;
      return `[${texts.join(',')}]`;
    });
    this.#texts = [];
    this.#ends = [];
    return frames;
  }

  #encode(message: Message): string {
    try {
      return JSON.stringify(toJson(message, 1));
    } catch (error) {
      throw notSerializable(error);
    }
  }
}

/** An engine's own error quotes the text, which nobody is to read in a log. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError('malformed JSON');
  }
}

export const jsonCodec: Codec = {
  subprotocol: 'taskdist.v1.json',
  createWriter: () => new JsonWriter(),
  read(frame) {
    if (typeof frame !== 'string') throw new TypeError('a binary frame where JSON was agreed on');
    return fromJson(parse(frame), 0);
  },
};
