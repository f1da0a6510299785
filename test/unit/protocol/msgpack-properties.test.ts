// What holds of MessagePack for any value and for any bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conversation } from '../../../src/connection/conversation.ts';
import { codecs } from '../../../src/protocol/codec.ts';
import { decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import type { MasterMessage, Message, WorkerMessage } from '../../../src/protocol/messages.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { byteLength, encode, roundTrip, workerMessages } from '../../support/frames.ts';

const { msgpack } = codecs;

/** −0 becomes 0. */
const number = fc.double().map((value) => (value === 0 ? 0 : value));
const text = fc.string({ unit: 'binary', maxLength: 80 });
const key = fc.oneof(fc.constantFrom('type', 'n', ''), text).filter((name) => name !== '__proto__');
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, undefined),
  fc.integer(),
  fc.maxSafeInteger(),
  number,
  text,
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 300 }),
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => bytes.buffer),
  fc.uint8Array().map((bytes) => new DataView(bytes.buffer)),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
    fc.array(leaf, { maxLength: 4 }).map((items) => new Set(items)),
  ),
}));

/** The close code with which a conversation answers a frame; undefined if it goes on. */
function closeCodeFor(frame: Uint8Array): number | undefined {
  let closeCode: number | undefined;
  const close = (code: number): void => {
    closeCode = code;
  };
  const socket = { subprotocol: '', bufferedBytes: 0, send() {}, terminate() {}, close };
  const options = { codec: msgpack, clock: new VirtualClock(), maxFrameBytes: 1000, decode: decodeWorkerFrame };
  const listener = { received() {}, ended() {} };
  new Conversation<MasterMessage, WorkerMessage>(socket, options, listener).frameReceived(socket, frame);
  return closeCode;
}

/** Bytes that are likelier to be a frame than chance would have it. */
const almostMessagePack = fc
  .array(
    fc.oneof(
      fc.constantFrom(0x91, 0x93, 0x81, 0xa1, 0xc4, 0xc7, 0xd4, 0xd9, 0xdc, 0xdd, 0xdf, 0xc9, 0xc6, 0xdb),
      fc.constantFrom(0x00, 0x42, 0x65, 0x73, 0x74, 0x78, 0xff),
      fc.nat(255),
    ),
    { maxLength: 200 },
  )
  .map((bytes) => Uint8Array.from([0x91, 0x93, 5, 1, ...bytes]));

describe('MessagePack', () => {
  it('brings any value through as it was', () => {
    fc.assert(
      fc.property(value, (sent) => {
        expect(roundTrip(msgpack, sent)).toStrictEqual(sent);
      }),
      { numRuns: 300 },
    );
  });

  it('splits any messages over frames that are full and not too full, in order', () => {
    const messages = fc.array(
      fc.tuple(fc.constant(5 as const), fc.nat(), value).map((message): Message => message),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(messages, fc.integer({ min: 20, max: 2000 }), (all, maxFrameBytes) => {
        const fitting = all.filter((message) => isAccepted(message, maxFrameBytes));
        const frames = encode(msgpack, fitting, maxFrameBytes);
        expect(Math.max(0, ...frames.map(byteLength))).toBeLessThanOrEqual(maxFrameBytes);
        expect(workerMessages(frames).flat()).toStrictEqual(fitting);
        for (const [index, next] of frames.slice(1).entries()) {
          const [first] = workerMessages([next]).flat();
          const together = byteLength(frames[index] ?? '') + byteLength(encode(msgpack, first ? [first] : [])[0] ?? '');
          expect(together).toBeGreaterThan(maxFrameBytes - 5);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('leaves no trace of the messages that it refuses', () => {
    const refused = fc.tuple(
      value,
      fc.constantFrom<unknown>(() => 1, Symbol('s'), Promise.resolve()),
    );
    const steps = fc.array(fc.oneof(fc.tuple(value), refused), { maxLength: 20 });
    fc.assert(
      fc.property(steps, (all) => {
        const writer = msgpack.createWriter();
        for (const step of all) {
          if (step.length === 1) writer.add([5, 1, step[0]], Number.POSITIVE_INFINITY);
          else expect(() => writer.add([5, 1, step], Number.POSITIVE_INFINITY)).toThrow(/Cannot cross the wire/);
        }
        const through = workerMessages(writer.take(Number.POSITIVE_INFINITY)).flat();
        const sent = all.filter((step) => step.length === 1).map(([only]) => only);
        expect(through.map((message) => message[2])).toStrictEqual(sent);
      }),
      { numRuns: 100 },
    );
  });

  it('closes a connection for bytes that make no sense, and throws nothing', () => {
    let closed = 0;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), almostMessagePack), (frame) => {
        const code = closeCodeFor(frame);
        expect([undefined, 4400, 4406]).toContain(code);
        if (code !== undefined) closed += 1;
      }),
      { numRuns: 3000 },
    );
    expect(closed).toBeGreaterThan(2000);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

function isAccepted(message: Message, maxFrameBytes: number): boolean {
  try {
    msgpack.createWriter().add(message, maxFrameBytes);
    return true;
  } catch {
    return false;
  }
}
