// The codec `taskdist.v1.json`, for clients that would rather not have MessagePack.
// What JSON has no word for is written as a tagged object, {"$": [tag, …]}; docs/protocol.md lists the tags.
import { fromBase64, toBase64 } from './base64.ts';
import type { Codec } from './codec.ts';
import { type Parts, PartWriter } from './frames.ts';

const TAG = '$';

const views: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
};

/** The class of a typed array by its name; undefined if there is none of that name. */
function viewOf(name: unknown): (new (buffer: ArrayBuffer) => ArrayBufferView) | undefined {
  return typeof name === 'string' && Object.hasOwn(views, name) ? views[name] : undefined;
}

const tagged = (tag: string, ...values: unknown[]): unknown => ({ [TAG]: [tag, ...values] });

/** A value as JSON can write it. */
function toJson(value: unknown): unknown {
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
      return value === null ? null : objectToJson(value);
    default:
      return value;
  }
}

function objectToJson(value: object): unknown {
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Date) return tagged('Date', value.getTime());
  if (value instanceof RegExp) return tagged('RegExp', [value.source, value.flags]);
  if (value instanceof Error) return tagged('Error', [value.name, value.message, toJson(value.cause)]);
  if (value instanceof Set) return tagged('Set', [...value].map(toJson));
  if (value instanceof ArrayBuffer) return tagged('ArrayBuffer', toBase64(new Uint8Array(value)));
  if (ArrayBuffer.isView(value)) {
    const name = value.constructor.name;
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    // A subclass, such as Buffer, is written as bytes.
    return tagged(viewOf(name) === undefined ? 'Uint8Array' : name, toBase64(bytes));
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return toJson(value.toJSON());
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const object: Record<string, unknown> = Object.fromEntries(entries.map(([key, inner]) => [key, toJson(inner)]));
  // An object of the user's that looks like a tag is wrapped in one.
  return Object.hasOwn(object, TAG) ? tagged('object', object) : object;
}

/** The value that {@link toJson} wrote. */
function fromJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(fromJson);
  if (!Object.hasOwn(json, TAG)) return objectFromJson(json);
  const inner: unknown = Reflect.get(json, TAG);
  if (!Array.isArray(inner)) throw new TypeError('a malformed tag');
  return untag(inner[0], inner[1]);
}

function objectFromJson(json: object): object {
  const object: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    // As msgpackr does: never the prototype, whatever a peer sends.
    object[key === '__proto__' ? '__proto_' : key] = fromJson(value);
  }
  return object;
}

function untag(tag: unknown, value: unknown): unknown {
  if (tag === 'undefined') return undefined;
  if (tag === 'Date' && typeof value === 'number') return new Date(value);
  if (tag === 'Date' && value === null) return new Date(Number.NaN);
  if (tag === 'Set' && Array.isArray(value)) return new Set(value.map(fromJson));
  if (tag === 'RegExp' && Array.isArray(value)) return new RegExp(String(value[0]), String(value[1]));
  if (tag === 'Error' && Array.isArray(value)) return errorOf(String(value[0]), String(value[1]), fromJson(value[2]));
  if (tag === 'object' && typeof value === 'object' && value !== null) return objectFromJson(value);
  if (typeof value === 'string') {
    if (tag === 'bigint') return BigInt(value);
    if (tag === 'number') return Number(value);
    if (tag === 'ArrayBuffer') return fromBase64(value).buffer;
    const View = viewOf(tag);
    if (View !== undefined) return new View(fromBase64(value).buffer);
  }
  throw new TypeError('an unknown tag');
}

function errorOf(name: string, message: string, cause: unknown): Error {
  const error = new Error(message, { cause });
  error.name = name;
  return error;
}

const encoder = new TextEncoder();

const format: Parts<string> = {
  separatorBytes: 1,
  encode: (message) => JSON.stringify(toJson(message)),
  byteLength: (part) => encoder.encode(part).byteLength,
  join: (parts) => `[${parts.join(',')}]`,
};

export const jsonCodec: Codec = {
  subprotocol: 'taskdist.v1.json',
  createWriter: () => new PartWriter(format),
  read(frame) {
    if (typeof frame !== 'string') throw new TypeError('a binary frame where JSON was agreed on');
    return fromJson(JSON.parse(frame));
  },
};
