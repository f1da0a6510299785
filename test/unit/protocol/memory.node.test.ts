// What writers and frames keep in memory. Needs a garbage collector that can be called, which Node has.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { codecs, type FrameWriter } from '../../../src/protocol/codec.ts';
import { encodeOne } from '../../support/frames.ts';
import { fromHex } from '../../support/hex.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** The memory of array buffers is freed beside, and counted as free by the next collection. */
function collectGarbage(): void {
  for (let round = 0; round < 3; round += 1) collect();
}

const { msgpack } = codecs;
const LARGE_BYTES = 10_000_000;
const MANY = 10;

/** How many bytes of array buffers there are more after an action, all that can go having gone. */
function keptBytes(action: () => unknown): number {
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  const result = action();
  collectGarbage();
  const kept = process.memoryUsage().arrayBuffers - before;
  // Used once more, or it could go before it is measured.
  expect(result).toBeDefined();
  return kept;
}

/** As many writers, each after the same. */
const writersAfter = (use: (writer: FrameWriter) => void) => (): FrameWriter[] =>
  Array.from({ length: MANY }, () => {
    const writer = msgpack.createWriter();
    use(writer);
    return writer;
  });

const large = new Uint8Array(LARGE_BYTES);

describe('MessagePack', () => {
  it.each<[string, (writer: FrameWriter) => void]>([
    [
      'was sent',
      (writer) => {
        writer.add([5, 1, large], Number.POSITIVE_INFINITY);
        writer.take(Number.POSITIVE_INFINITY);
      },
    ],
    ['was too large', (writer) => expect(() => writer.add([5, 1, large], 1000)).toThrow(/on the wire/)],
    ['could not be sent', (writer) => expect(() => writer.add([5, 1, [large, () => 1]], 1000)).toThrow(/a function/)],
  ])('keeps no memory of a large message that %s', (_, use) => {
    expect(keptBytes(writersAfter(use))).toBeLessThan(LARGE_BYTES);
  });

  it('keeps no buffer for a writer whose messages are sent, and few for all that had some at once', () => {
    const COUNT = 2000;
    const write = (): FrameWriter[] => {
      const writers = Array.from({ length: COUNT }, () => msgpack.createWriter());
      for (const writer of writers) writer.add([5, 1, 'a result'], 1000);
      for (const writer of writers) writer.take(1000);
      return writers;
    };
    // A buffer has 512 bytes at least.
    expect(keptBytes(write)).toBeLessThan(COUNT * 50);
  });

  it('keeps no frame alive for a small value in it', () => {
    const read = (): unknown[] =>
      Array.from({ length: MANY }, () => {
        const value = [
          Uint8Array.of(1),
          Float64Array.of(2),
          'a text of more than a few bytes',
          { key: new Set(['x']) },
          large,
        ];
        const [[, , parts]] = msgpack.read(encodeOne(msgpack, [[5, 1, value]])) as [[number, number, unknown[]]];
        return parts.slice(0, 4);
      });
    expect(keptBytes(read)).toBeLessThan(LARGE_BYTES);
  });

  it.each([
    ['arrays', 'dd00ffffff'],
    ['maps', 'df00ffffffa161'],
    ['sets', 'd47300dd00ffffff'],
    ['bytes', '91c6ffffffff'],
    ['typed arrays', '91c9ffffffff7408'],
    ['texts', '91dbffffffff'],
  ])('takes no more memory than bytes are worth, whatever they claim: %s', (_, hex) => {
    const frame = fromHex(hex.repeat(200));
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    expect(() => msgpack.read(frame)).toThrow(/too early|nests deeper/);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - heapUsed - arrayBuffers).toBeLessThan(20_000_000);
  });
});

describe.each(['msgpack', 'json'] as const)('%s', (name) => {
  const COUNT = 20_000;

  it.each<[string, unknown, number]>([
    ['objects whose keys are large indices', { '1023': null }, 1000],
    ['errors', new Error('m'), 1000],
  ])('makes no more of %s than they are worth', (_, value, mostBytesEach) => {
    const codec = codecs[name];
    const frame = encodeOne(codec, [[5, 1, Array.from({ length: COUNT }, () => value)]]);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const read = codec.read(typeof frame === 'string' ? frame : frame.slice());
    collectGarbage();
    const bytesEach = (process.memoryUsage().heapUsed - before) / COUNT;
    expect(read).toMatchObject([[5, 1, { length: COUNT }]]);
    expect(bytesEach).toBeLessThan(mostBytesEach);
  });
});

describe('an error that was received', () => {
  it('has no stack of this side, and others have theirs', () => {
    const [[, , error]] = codecs.msgpack.read(encodeOne(codecs.msgpack, [[5, 1, new RangeError('far')]])) as [
      [number, number, Error],
    ];
    expect([error.name, error.message, error.stack?.includes(' at ')]).toEqual(['RangeError', 'far', false]);
    expect(new Error('here').stack).toContain(' at ');
  });
});
