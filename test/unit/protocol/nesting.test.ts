// How deep values may nest: the same in both directions, and an error instead of a full stack.
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/ports.ts';
import { type Codec, codecs } from '../../../src/protocol/codec.ts';
import { encode, roundTrip } from '../../support/frames.ts';
import { fromHex } from '../../support/hex.ts';

/** As docs/protocol.md has it; the frame and the message are two of them. */
const MAX_DEPTH = 256;
const INNER = MAX_DEPTH - 2;

function nested(depth: number, wrap: (value: unknown) => unknown, inmost: unknown = 1): unknown {
  let value = inmost;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

class Box {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

const each = Object.entries(codecs).map(([name, codec]) => ({ name, codec }));

const wraps: [string, (value: unknown) => unknown][] = [
  ['arrays', (value) => [value]],
  ['objects', (value) => ({ value })],
  ['instances', (value) => new Box(value)],
  ['Maps', (value) => new Map([['a', value]])],
  ['sets', (value) => new Set([value])],
  ['errors', (cause) => new Error('m', { cause })],
];

describe.each(each)('nesting in $name', ({ codec }) => {
  it.each(wraps)('may be as deep as the protocol says, and no deeper: %s', (_, wrap) => {
    expect(() => roundTrip(codec, nested(INNER, wrap))).not.toThrow();
    for (const depth of [INNER + 1, 10_000]) {
      expect(() => encode(codec, [[5, 1, nested(depth, wrap)]])).toThrow(
        expect.objectContaining({
          code: 'TASKDIST_NOT_SERIALIZABLE',
          message: `Cannot cross the wire: it nests deeper than ${MAX_DEPTH}, or contains itself`,
        }),
      );
    }
  });

  it.each(wraps)('counts no values that hold no others: in %s', (_, wrap) => {
    const leaves = [
      undefined,
      Number.NaN,
      5n,
      2n ** 70n,
      new Date(5),
      new Date(Number.NaN),
      Uint8Array.of(1),
      Float32Array.of(1),
      new DataView(new ArrayBuffer(1)),
      new ArrayBuffer(1),
    ];
    for (const leaf of leaves) expect(() => roundTrip(codec, nested(INNER, wrap, leaf))).not.toThrow();
    for (const empty of [[], {}, new Set(), new Map(), new Error('m'), new Box(1), { $: 1 }]) {
      expect(() => roundTrip(codec, nested(INNER - 1, wrap, empty))).not.toThrow();
      expect(() => encode(codec, [[5, 1, nested(INNER, wrap, empty)]])).toThrow(/nests deeper/);
    }
  });

  it('is bounded for what objects become as JSON, too', () => {
    class Endless {
      toJSON(): unknown {
        return new Endless();
      }
    }
    expect(() => encode(codec, [[5, 1, new Endless()]])).toThrow(/nests deeper/);
  });

  it('is refused at once if a value contains itself more than once', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle, cycle, cycle);
    expect(() => encode(codec, [[5, 1, cycle]])).toThrow(/contains itself/);
  });
});

describe('a reader', () => {
  const msgpack = (start: string, end: string) => (depth: number) => fromHex(start.repeat(depth - 1) + end);
  const json = (start: string, empty: string, end: string) => (depth: number) =>
    `${start.repeat(depth - 1)}${empty}${end.repeat(depth - 1)}`;

  it.each<[string, Codec, (depth: number) => Frame]>([
    ['arrays in MessagePack', codecs.msgpack, msgpack('91', '90')],
    ['maps in MessagePack', codecs.msgpack, msgpack('81a161', '80')],
    ['sets in MessagePack', codecs.msgpack, msgpack('d4730091', 'd4730090')],
    ['errors in MessagePack', codecs.msgpack, msgpack('d4650091', 'd4650090')],
    ['arrays in JSON', codecs.json, json('[', '[]', ']')],
    ['objects in JSON', codecs.json, json('{"a":', '{}', '}')],
    ['sets in JSON', codecs.json, json('{"$":["Set",[', '[]', ']]}')],
    ['errors in JSON', codecs.json, json('{"$":["Error",[', '[]', ']]}')],
    ['wrapped objects in JSON', codecs.json, json('{"$":["object",{"$":', '{}', '}]}')],
  ])('takes no frame that nests deeper than the protocol allows: %s', (_, codec, frame) => {
    expect(() => codec.read(frame(MAX_DEPTH))).not.toThrow();
    expect(() => codec.read(frame(MAX_DEPTH + 1))).toThrow(`it nests deeper than ${MAX_DEPTH}`);
  });

  it('lets no extensions follow each other', () => {
    expect(() => codecs.msgpack.read(fromHex('d47300'.repeat(100_000)))).toThrow('something else than an array');
  });
});
