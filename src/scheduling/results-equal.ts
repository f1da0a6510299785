// Whether two results are the same, by their structure: of all that can cross the wire.
import { bytesOf, kindOf } from '../views.ts';

/** Deeper values are no result of a worker: the wire carries none. */
const MAX_DEPTH = 256;

/**
 * Whether two results are the same:
 *
 * - numbers, texts, bigints and so on by `===`, so that 0 is -0; and NaN is NaN;
 * - arrays, and typed arrays of the same kind, element by element; buffers and data views byte by byte;
 * - dates by their time; errors by name, message and cause, not by stack;
 * - sets if they have the same primitives, in whatever order, and the same objects in the same order;
 * - all other objects by their own enumerable properties with text keys, in whatever order, whatever their class. One that is
 *   there and undefined is not the same as none.
 *
 * Never throws, unless a getter does. What nests deeper than 256, or contains itself, is the same as nothing but itself.
 */
export function areResultsEqual(a: unknown, b: unknown): boolean {
  return areEqual(a, b, 0);
}

function areEqual(a: unknown, b: unknown, depth: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return depth < MAX_DEPTH && areObjectsEqual(a, b, depth + 1);
}

function areObjectsEqual(a: object, b: object, depth: number): boolean {
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && areListsEqual(a, b, depth);
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b)) {
    return ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && areViewsEqual(a, b);
  }
  if (a instanceof ArrayBuffer || b instanceof ArrayBuffer) {
    return (
      a instanceof ArrayBuffer && b instanceof ArrayBuffer && areNumbersEqual(new Uint8Array(a), new Uint8Array(b))
    );
  }
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && areEqual(a.getTime(), b.getTime(), depth);
  }
  if (a instanceof Set || b instanceof Set) return a instanceof Set && b instanceof Set && areSetsEqual(a, b, depth);
  if (a instanceof Error || b instanceof Error) {
    if (!(a instanceof Error && b instanceof Error)) return false;
    return a.name === b.name && a.message === b.message && areEqual(a.cause, b.cause, depth);
  }
  return arePropertiesEqual(a, b, depth);
}

function areListsEqual(a: readonly unknown[], b: readonly unknown[], depth: number): boolean {
  // Not by `every`, which passes over holes.
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (!areEqual(a[index], b[index], depth)) return false;
  return true;
}

function areViewsEqual(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (kindOf(a) !== kindOf(b)) return false;
  if (isList(a) && isList(b)) return areNumbersEqual(a, b);
  return areNumbersEqual(bytesOf(a), bytesOf(b));
}

function areNumbersEqual(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (!areEqual(a[index], b[index], 0)) return false;
  return true;
}

/** All views but a DataView. */
function isList(view: ArrayBufferView): view is ArrayBufferView & ArrayLike<unknown> {
  return 'length' in view;
}

/** To compare each object with each would take whoever sends a large set no time, and the master a long one. */
function areSetsEqual(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>, depth: number): boolean {
  if (a.size !== b.size) return false;
  for (const item of a) if (!isObject(item) && !b.has(item)) return false;
  return areListsEqual([...a].filter(isObject), [...b].filter(isObject), depth);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function arePropertiesEqual(a: object, b: object, depth: number): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      Object.prototype.propertyIsEnumerable.call(b, key) && areEqual(Reflect.get(a, key), Reflect.get(b, key), depth),
  );
}
