// What looks like an object but is not data: it would cross the wire as an empty one, and nobody would be told.

/** Memory that threads share, which no wire can. Browsers have the class only in pages that are isolated. */
const sharedMemory = typeof SharedArrayBuffer === 'undefined' ? [] : [SharedArrayBuffer];

/**
 * The classes whose values neither codec sends. Regular expressions are data, but to compile one of a few kilobytes can
 * take seconds: nobody who may send a frame is to stop its reader for so long.
 */
export const unsendableClasses = [Promise, WeakMap, WeakSet, WeakRef, RegExp, ...sharedMemory] as const;

/** @throws TypeError always */
export function refuseToSend(value: object): never {
  throw new TypeError(`a ${value.constructor.name}`);
}
