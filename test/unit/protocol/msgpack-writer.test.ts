// How MessagePack's writer treats its memory.
import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import type { Message } from '../../../src/protocol/messages.ts';
import { encode, workerMessages } from '../../support/frames.ts';

const { msgpack } = codecs;
const MAX = 1_000_000;

const done = (value: unknown): Message => [5, 1, value];

/** The frames of messages as the values in them. */
const valuesOf = (frames: readonly (string | Uint8Array<ArrayBuffer>)[]): unknown[] =>
  workerMessages(frames)
    .flat()
    .map((message) => message[2]);

describe('the frame writer of MessagePack', () => {
  it('leaves a frame alone once it is taken', () => {
    for (const length of [1, 100, 10_000, 100_000]) {
      const writer = msgpack.createWriter();
      const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(length));
      const frames = texts.flatMap((text) => {
        writer.add(done(text), MAX);
        return writer.take(MAX);
      });
      expect(valuesOf(frames)).toEqual(texts);
    }
  });

  it('leaves frames alone that are taken together', () => {
    for (const length of [1, 100, 10_000]) {
      const texts = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(length));
      const frames = encode(msgpack, texts.map(done), 3 * length + 40);
      expect(frames.length).toBeGreaterThan(2);
      expect(valuesOf(frames)).toEqual(texts);
    }
  });

  it('leaves frames alone that are taken together, even if one of them is most of what was written', () => {
    const texts = ['漢'.repeat(60_000) + 'a'.repeat(40_000), 'b'.repeat(20_000)];
    const frames = encode(msgpack, texts.map(done), 225_000);
    expect(frames).toHaveLength(2);
    expect(valuesOf(frames)).toEqual(texts);
  });

  it('gives no small frame the memory of a large message', () => {
    const writer = msgpack.createWriter();
    writer.add(done(1), 1000);
    expect(() => writer.add(done('x'.repeat(500_000)), 1000)).toThrow(/on the wire/);
    const [frame] = writer.take(1000) as Uint8Array[];
    expect(frame?.buffer.byteLength).toBe(frame?.byteLength);
  });

  it('takes back all of a message that fails at its end, wherever it stands', () => {
    const bad = [done({ rest: 'x'.repeat(3000), last: Symbol('s') }), done('x'.repeat(3000))];
    for (let place = 0; place < 4; place += 1) {
      const writer = msgpack.createWriter();
      for (let index = 0; index < 3; index += 1) {
        if (index === place) for (const message of bad) expect(() => writer.add(message, 1000)).toThrow();
        writer.add(done(index), 1000);
      }
      expect(valuesOf(writer.take(1000))).toEqual([0, 1, 2]);
    }
  });

  it('refuses what takes more than 1 GiB, before it has memory for it', () => {
    const writer = msgpack.createWriter();
    expect(() => writer.add(done(new Uint8Array(2 ** 30)), Number.POSITIVE_INFINITY)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_NOT_SERIALIZABLE', message: expect.stringContaining('1 GiB') }),
    );
  });
});
