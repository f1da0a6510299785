// The codec `taskdist.v1.json`, for clients that would rather not have MessagePack.
// What JSON has no word for is written as a tagged object, {"$": [tag, …]}; docs/protocol.md lists the tags.
import { bytesOf, kindOf, typedArrays, type ViewConstructor } from '../views.ts';
import { fromBase64, toBase64 } from './base64.ts';
import type { Codec } from './codec.ts';
import { errorFromArray, errorToArray } from './error-values.ts';
import { type Parts, PartWriter } from './frames.ts';
import { refuseToSend, unsendableClasses } from './unsendable.ts';

const TAG = '$';

/** The class of a view by its name; undefined if there is none of that name. */
function viewOf(name: unknown): ViewConstructor | undefined {
  return [DataView, ...typedArrays].find((View) => View.name === name);
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
  if (unsendableClasses.some((Class) => value instanceof Class)) refuseToSend(value);
  if (value instanceof Date) return tagged('Date', value.getTime());
  if (value instanceof RegExp) return tagged('RegExp', [value.source, value.flags]);
  if (value instanceof Error) return tagged('Error', errorToArray(value).map(toJson));
  if (value instanceof Set) return tagged('Set', [...value].map(toJson));
  if (value instanceof ArrayBuffer) return tagged('ArrayBuffer', toBase64(new Uint8Array(value)));
  if (ArrayBuffer.isView(value)) {
    const View = kindOf(value);
    if (View === undefined) throw new TypeError(`a ${value.constructor.name}`);
    return tagged(View.name, toBase64(bytesOf(value)));
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
  if (tag === 'Error') return errorFromArray(fromJson(value));
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
