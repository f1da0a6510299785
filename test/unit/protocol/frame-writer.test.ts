import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import type { WorkerMessage } from '../../../src/protocol/messages.ts';
import { integerBelow, seededRandom } from '../../../src/testing/seeded-random.ts';
import { byteLength, encode, workerMessages } from '../../support/frames.ts';

const each = Object.entries(codecs).map(([name, codec]) => ({ name, codec }));

const done = (text: string): WorkerMessage => [5, 1, text];

describe.each(each)('the frame writer of $name', ({ codec }) => {
  it('makes no frame of no messages', () => {
    const writer = codec.createWriter();
    expect(writer.isEmpty).toBe(true);
    expect(writer.take(1000)).toEqual([]);
  });

  it('is empty once its frames are taken', () => {
    const writer = codec.createWriter();
    writer.add(done('x'), 1000);
    expect(writer.isEmpty).toBe(false);
    expect(writer.take(1000)).toHaveLength(1);
    expect(writer.isEmpty).toBe(true);
    expect(writer.take(1000)).toEqual([]);
  });

  it('splits its messages over frames that are never too large, and keeps their order', () => {
    const random = seededRandom(7);
    for (const maxFrameBytes of [100, 101, 128, 1000]) {
      const texts = Array.from({ length: 500 }, () => (random() < 0.5 ? 'x' : 'é').repeat(integerBelow(random, 40)));
      const frames = encode(codec, texts.map(done), maxFrameBytes);
      expect(Math.max(...frames.map(byteLength))).toBeLessThanOrEqual(maxFrameBytes);
      expect(workerMessages(frames).flat()).toEqual(texts.map(done));
      // Half-empty frames would say that it splits too early.
      const total = frames.map(byteLength).reduce((sum, bytes) => sum + bytes, 0);
      expect(frames.length).toBeLessThan((2 * total) / maxFrameBytes);
    }
  });

  it('sends messages each alone, and no empty frames, if the limit is lowered after they were written', () => {
    const writer = codec.createWriter();
    const messages = ['a', 'b', 'c'].map((letter) => done(letter.repeat(100)));
    for (const message of messages) writer.add(message, 1000);
    expect(workerMessages(writer.take(50))).toEqual(messages.map((message) => [message]));
  });

  it('takes a message that fits in exactly, and refuses one of a byte more', () => {
    const fitsIn = (length: number): boolean => {
      const writer = codec.createWriter();
      try {
        writer.add(done('x'.repeat(length)), 200);
      } catch {
        expect(writer.isEmpty).toBe(true);
        return false;
      }
      const [frame] = writer.take(200);
      expect(byteLength(frame ?? '')).toBeLessThanOrEqual(200);
      return true;
    };
    const lengths = Array.from({ length: 200 }, (_, length) => length).filter(fitsIn);
    const longest = Math.max(...lengths);
    expect(lengths).toHaveLength(longest + 1);
    expect(longest).toBeGreaterThan(180);
  });

  it('says how large a message is that does not fit', () => {
    const writer = codec.createWriter();
    writer.add(done('small'), 1000);
    expect(() => writer.add(done('x'.repeat(1000)), 1000)).toThrow(
      expect.objectContaining({
        code: 'TASKDIST_TOO_LARGE',
        message: expect.stringMatching(/^Takes 10\d\d bytes on the wire, more than the 1000 .*`maxFrameBytes`/),
      }),
    );
    expect(workerMessages(writer.take(1000))).toEqual([[done('small')]]);
  });

  it('measures bytes, not characters', () => {
    const writer = codec.createWriter();
    writer.add(done('x'.repeat(600)), 1000);
    expect(() => writer.add(done('漢'.repeat(600)), 1000)).toThrow(/on the wire/);
  });
});
