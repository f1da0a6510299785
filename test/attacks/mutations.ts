// Frames that a hostile peer may send: valid ones with something changed, and bytes at random.
import type { Frame, Random } from '../../src/ports.ts';
import { type Codec, codecs } from '../../src/protocol/codec.ts';
import type { Message } from '../../src/protocol/messages.ts';
import { integerBelow, pick } from '../../src/testing/seeded-random.ts';
import { encodeOne } from '../support/frames.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What tends to be where it does not belong. */
const hostileValues: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  0.5,
  2 ** 53,
  -(2 ** 63),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2n ** 63n,
  '',
  'constructor',
  '__proto__',
  'x'.repeat(20_000),
  [],
  [[]],
  {},
  { constructor: { prototype: { polluted: true } } },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  { length: 1e9 },
  Object.fromEntries([['then', 1]]),
  { toJSON: 1 },
  new Uint8Array(3),
  new Date(Number.NaN),
  new Set([1]),
  new Error('hostile'),
];

/** Bytes that matter to MessagePack: heads that claim much, extensions, and what is never used. */
const hostileBytes: readonly number[] = [
  0xc1, 0xc4, 0xc6, 0xc9, 0xd4, 0xd7, 0xdb, 0xdd, 0xdf, 0x73, 0x74, 0xff, 0x90, 0x80,
];

/** Draws hostile frames, always the same for a seed. */
export class Mutator {
  readonly #random: Random;
  readonly #codec: Codec;
  readonly #valid: readonly (readonly Message[])[];

  /** `valid`: the frames to begin with. */
  constructor(random: Random, codec: Codec, valid: readonly (readonly Message[])[]) {
    this.#random = random;
    this.#codec = codec;
    this.#valid = valid;
  }

  next(): Frame {
    const chance = this.#random();
    if (chance < 0.05) return this.#atRandom();
    // Valid, though it may not be allowed.
    if (chance < 0.25) return this.#encode(pick(this.#random, this.#valid));
    if (chance < 0.6) return this.#encode(this.#changeValues(pick(this.#random, this.#valid)));
    return this.#changeBytes(this.#encode(pick(this.#random, this.#valid)));
  }

  /** Messages whose fields are other ones, missing, or too many; or that stand in another order. */
  #changeValues(messages: readonly Message[]): readonly unknown[] {
    const changed: unknown[] = messages.map((message) => [...message]);
    for (let times = 1 + integerBelow(this.#random, 3); times > 0; times -= 1) {
      const index = integerBelow(this.#random, changed.length);
      const message = changed[index];
      const chance = this.#random();
      if (chance < 0.1 || !Array.isArray(message)) changed[index] = this.#hostileValue();
      else if (chance < 0.2) changed.push(...structuredClone(pick(this.#random, this.#valid)));
      else if (chance < 0.3) message.length = integerBelow(this.#random, message.length + 3);
      else this.#changeField(message);
    }
    return changed;
  }

  #changeField(message: unknown[]): void {
    const field = integerBelow(this.#random, message.length + 1);
    const value = message[field];
    if (this.#random() < 0.6 && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const keys = [...Object.keys(value), 'accepts', 'labels', 'resume', '__proto__'];
      // Defined, as an assignment to `__proto__` would not make a key.
      const copy: object = { ...value };
      Object.defineProperty(copy, pick(this.#random, keys), {
        value: this.#hostileValue(),
        enumerable: true,
        configurable: true,
        writable: true,
      });
      message[field] = copy;
    } else if (this.#random() < 0.5) {
      message[field] = integerBelow(this.#random, 20);
    } else {
      message[field] = this.#hostileValue();
    }
  }

  /** A copy, as it may be changed in its turn. */
  #hostileValue(): unknown {
    return structuredClone(pick(this.#random, hostileValues));
  }

  #encode(values: readonly unknown[]): Frame {
    try {
      // Whatever it is: that is the point.
      return withPrototype(encodeOne(this.#codec, values as readonly Message[]));
    } catch {
      return this.#atRandom();
    }
  }

  #changeBytes(frame: Frame): Frame {
    if (typeof frame === 'string') return new TextDecoder().decode(this.#mutate(new TextEncoder().encode(frame)));
    return this.#mutate(frame);
  }

  #mutate(bytes: Bytes): Bytes {
    let mutated = bytes;
    for (let times = 1 + integerBelow(this.#random, 4); times > 0; times -= 1) mutated = this.#mutateOnce(mutated);
    return mutated;
  }

  #mutateOnce(bytes: Bytes): Bytes {
    const at = integerBelow(this.#random, bytes.length + 1);
    const to = at + integerBelow(this.#random, bytes.length - at + 1);
    switch (integerBelow(this.#random, 7)) {
      case 0:
        return joined(bytes.subarray(0, at));
      case 1:
        return joined(bytes.subarray(0, at), bytes.subarray(to));
      case 2:
        return joined(bytes.subarray(0, to), bytes.subarray(at));
      case 3:
        return joined(bytes.subarray(0, at), this.#bytes(1 + integerBelow(this.#random, 8)), bytes.subarray(at));
      case 4:
        return joined(bytes.subarray(0, at), Uint8Array.of(pick(this.#random, hostileBytes)), bytes.subarray(at + 1));
      case 5:
        return joined(bytes, this.#bytes(integerBelow(this.#random, 20)));
      default: {
        const copy = bytes.slice();
        if (copy.length > 0) {
          const flipped = integerBelow(this.#random, copy.length);
          copy[flipped] = (copy[flipped] ?? 0) ^ (1 << integerBelow(this.#random, 8));
        }
        return copy;
      }
    }
  }

  #atRandom(): Frame {
    const bytes = this.#bytes(integerBelow(this.#random, 200));
    return this.#codec === codecs.json && this.#random() < 0.9 ? new TextDecoder().decode(bytes) : bytes;
  }

  #bytes(length: number): Bytes {
    return Uint8Array.from({ length }, () => integerBelow(this.#random, 256));
  }
}

/** Writers rename a key `__proto__`; a hostile peer does not. */
function withPrototype(frame: Frame): Frame {
  if (typeof frame === 'string') return frame.replaceAll('"__proto_"', '"__proto__"');
  const text = Buffer.from(frame).toString('latin1');
  const changed = text.replaceAll('\xa8__proto_', '\xa9__proto__');
  return changed === text ? frame : Uint8Array.from(Buffer.from(changed, 'latin1'));
}

function joined(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
