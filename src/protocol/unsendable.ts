// What looks like an object but is not data: it would cross the wire as an empty one, and nobody would be told.

/**
 * The classes whose values neither codec sends. Structured cloning refuses them as well, but for regular expressions:
 * to compile one of a few kilobytes can take seconds, which nobody who may send a frame is to cost its reader.
 */
export const unsendableClasses = [Promise, WeakMap, WeakSet, WeakRef, RegExp] as const;

/** @throws TypeError always */
export function refuseToSend(value: object): never {
  throw new TypeError(`a ${value.constructor.name}`);
}
