// Objects with keys of a peer's choosing, in no more memory than these are worth.

/** Up to this one, the elements that an engine makes room for are few. */
const MAX_SMALL_INDEX = 15;
/** The largest index that an element can have. */
const MAX_INDEX = 2 ** 32 - 2;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** Sets a property of an object; one called `__proto__` gets another name, so that the prototype is never changed. */
export function setProperty(object: Record<string, unknown>, key: string, value: unknown): void {
  const first = key.charCodeAt(0);
  if (first >= DIGIT_0 && first <= DIGIT_9 && Number(key) > MAX_SMALL_INDEX) makeSparse(object);
  object[key === '__proto__' ? '__proto_' : key] = value;
}

/**
 * V8 makes room for 1552 elements, 12 kB, in an object whose first key is 1023. Not in one that has been seen to be
 * sparse.
 */
function makeSparse(object: Record<number, unknown>): void {
  object[MAX_INDEX] = undefined;
  delete object[MAX_INDEX];
}
