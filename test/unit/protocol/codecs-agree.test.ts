// What holds of the codecs together: each reads what it writes, and both take and refuse the same values.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Codec, codecs } from '../../../src/protocol/codec.ts';
import { encodeOne, roundTrip, show } from '../../support/frames.ts';

const { msgpack, json } = codecs;

class Box {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

class Spoken {
  readonly #value: unknown;
  constructor(value: unknown) {
    this.#value = value;
  }
  toJSON(): unknown {
    return this.#value;
  }
}

const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, undefined, Number.NaN, Number.POSITIVE_INFINITY, 5n, 2n ** 70n, 'text', 1.5),
  fc
    .constantFrom<() => unknown>(
      () => new Date(5),
      () => new Date(Number.NaN),
      () => Uint8Array.of(1),
      () => Float64Array.of(1),
      () => new DataView(new ArrayBuffer(1)),
      () => new ArrayBuffer(1),
      () => [],
      () => ({}),
      () => ({ $: 1 }),
      () => new Set(),
      () => new Map(),
      () => new Error('m'),
      () => new URL('http://a/b'),
    )
    .map((create) => create()),
);

const wrap = fc.constantFrom<(value: unknown, beside: unknown) => unknown>(
  (value) => [value],
  (value, beside) => [beside, value],
  (value, beside) => ({ value, beside }),
  (value) => ({ $: value }),
  (value, beside) => ({ $: [beside, value] }),
  (value) => new Box(value),
  (value, beside) =>
    new Map([
      ['beside', beside],
      ['value', value],
    ]),
  (value) => new Map([['$', value]]),
  (value) => new Set([value]),
  (cause) => new Error('m', { cause }),
  (value) => new Spoken(value),
);

/** The frame and the message are two of the 256 that there may be; some wraps count as two. */
const nearTheLimit = fc
  .tuple(leaf, leaf, fc.array(wrap, { minLength: 1, maxLength: 6 }), fc.integer({ min: 150, max: 258 }))
  .map(([inmost, beside, wraps, levels]) => {
    let value = inmost;
    for (let level = 0; level < levels; level += 1) value = wraps[level % wraps.length]?.(value, beside);
    return value;
  });

/** Values that are refused wherever they stand, or only look like such. */
const questionable = fc
  .constantFrom<() => unknown>(
    () => Symbol('s'),
    () => () => 1,
    () => /a/g,
    () => Promise.resolve(),
    () => ({ toJSON: () => 1 }),
    () => Object.assign(Object.create(null), { toJSON: () => 1 }),
    () => new Map([[{}, 1]]),
    () => new Map([[Symbol('s'), 1]]),
    () =>
      new Map<unknown, unknown>([
        [1, () => 1],
        ['1', 2],
      ]),
    () => new Array(3),
    () => new (class extends Array {})(3),
    () => new (class extends Set {})([1]),
    () => Object.defineProperty(new Error('m'), 'name', { value: { toString: 1, valueOf: 1 } }),
    () => Object.create(Set.prototype),
    () => Object.create(Date.prototype),
    () => Object.create(Error.prototype),
    () => Object(5n),
    () => Object('text'),
    () => JSON.parse('{"__proto__":1,"__proto_":2}'),
    () => JSON.parse('{"__proto_":1,"__proto__":{"$":[]}}'),
  )
  .map((create) => create());

const anywhere = fc
  .tuple(fc.oneof(questionable, leaf), fc.oneof(questionable, leaf), fc.array(wrap, { maxLength: 6 }))
  .map(([inmost, beside, wraps]) => wraps.reduce((value, each) => each(value, beside), inmost));

/** What of a value arrives, as bytes by which two of them can be compared; undefined if it is refused. */
function arriving(codec: Codec, value: unknown): string | undefined {
  try {
    encodeOne(codec, [[5, 1, value]]);
  } catch {
    return undefined;
  }
  return show(encodeOne(msgpack, [[5, 1, roundTrip(codec, value)]]));
}

describe('the codecs', () => {
  it('read what they write, and take and refuse the same, however deep it nests', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(nearTheLimit, (value) => {
        const through = arriving(msgpack, value);
        expect(arriving(json, value)).toBe(through);
        if (through === undefined) refused += 1;
        else accepted += 1;
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(30);
  });

  it('read what they write, and take and refuse the same, whatever it is', () => {
    fc.assert(
      fc.property(anywhere, (value) => {
        expect(arriving(json, value)).toBe(arriving(msgpack, value));
      }),
      { numRuns: 2000 },
    );
  });
});
