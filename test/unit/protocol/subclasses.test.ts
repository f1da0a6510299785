import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { encode, roundTrip } from '../../support/frames.ts';

class Bytes extends Uint8Array {}
class Pixels extends Uint8ClampedArray {}
class Samples extends Float32Array {}

describe.each(Object.entries(codecs))('a typed array of a class of its own, in %s', (_, codec) => {
  it.each<[string, ArrayBufferView, ArrayBufferView]>([
    ['Uint8Array', Bytes.of(1, 2), Uint8Array.of(1, 2)],
    ['Uint8ClampedArray', Pixels.of(255), Uint8ClampedArray.of(255)],
    ['Float32Array', Samples.of(0.5).subarray(0), Float32Array.of(0.5)],
    ['a view of a part', Bytes.of(1, 2, 3).subarray(1), Uint8Array.of(2, 3)],
  ])('arrives as what it extends: %s', (_, sent, received) => {
    expect(roundTrip(codec, [sent])).toStrictEqual([received]);
  });

  it.runIf('Float16Array' in globalThis)('is refused if it is of a kind that not everybody has', () => {
    const halves: unknown = Reflect.construct(Reflect.get(globalThis, 'Float16Array'), [2]);
    expect(() => encode(codec, [[5, 1, halves]])).toThrow(
      expect.objectContaining({ code: 'TASKDIST_NOT_SERIALIZABLE', message: 'Cannot cross the wire: a Float16Array' }),
    );
  });
});
