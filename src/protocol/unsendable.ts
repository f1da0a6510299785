// What looks like an object but is not data: it would cross the wire as an empty one, and nobody would be told.

/** The classes whose values neither codec sends; structured cloning refuses them as well. */
export const unsendableClasses = [Promise, WeakMap, WeakSet, WeakRef] as const;

/** @throws TypeError always */
export function refuseToSend(value: object): never {
  throw new TypeError(`a ${value.constructor.name}`);
}
