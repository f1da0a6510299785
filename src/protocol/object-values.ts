// What both codecs make of objects that neither has a word for: what they say for themselves, or maps with text keys.

/** Whether it was written as `{…}`. Asked of its prototype, as its `constructor` may be a key of its own. */
export function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * What an object of a class is as JSON; itself if it does not say. Not for plain objects, whose `toJSON` is data as all
 * else in them.
 */
export function asJson(value: object): unknown {
  return 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
}

/** The entries of a Map, or an object's own properties, each key once. @throws if a key cannot be text */
export function entriesOf(value: object): [key: string, value: unknown][] {
  if (!(value instanceof Map)) return Object.entries(value);
  // A Map again, as different keys may have the same text: the last of them holds.
  return [...new Map(Array.from(value, ([key, inner]): [string, unknown] => [keyOf(key), inner]))];
}

/** The text that a Map's key becomes. @throws if it is one whose text would say nothing of it */
function keyOf(key: unknown): string {
  if (key === null || !['object', 'function', 'symbol'].includes(typeof key)) return String(key);
  throw new TypeError(`a Map whose key is a ${typeof key}`);
}
