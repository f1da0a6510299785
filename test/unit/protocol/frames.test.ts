import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { decodeMasterFrame, decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import { type Message, MessageType } from '../../../src/protocol/messages.ts';
import { encodeOne, show } from '../../support/frames.ts';
import { fromHex } from '../../support/hex.ts';
import { type GoldenFrame, goldenMasterFrames, goldenWorkerFrames } from './golden-frames.ts';

interface Side {
  readonly side: string;
  readonly frames: readonly GoldenFrame<Message>[];
  readonly decode: (value: unknown) => readonly Message[];
}

const sides: readonly Side[] = [
  { side: 'worker', frames: goldenWorkerFrames, decode: decodeWorkerFrame },
  { side: 'master', frames: goldenMasterFrames, decode: decodeMasterFrame },
];

describe.each(sides)('a frame of the $side', ({ frames, decode }) => {
  it.each(frames)('is the golden one in MessagePack: $name', ({ messages, msgpack }) => {
    expect(show(encodeOne(codecs.msgpack, messages))).toBe(msgpack.replaceAll(' ', ''));
  });

  it.each(frames)('is the golden one in JSON: $name', ({ messages, json }) => {
    expect(show(encodeOne(codecs.json, messages))).toBe(json);
  });

  it.each(frames)('is decoded from the golden bytes: $name', ({ messages, msgpack }) => {
    expect(decode(codecs.msgpack.read(fromHex(msgpack)))).toEqual(messages);
    expect(decode(codecs.msgpack.read(fromHex(msgpack).buffer))).toEqual(messages);
  });

  it.each(frames)('is decoded from the golden text: $name', ({ messages, json }) => {
    expect(decode(codecs.json.read(json))).toEqual(messages);
  });
});

describe('the golden frames', () => {
  it('have every message of the protocol', () => {
    const types = [...goldenWorkerFrames, ...goldenMasterFrames].flatMap(({ messages }) =>
      messages.map(([type]) => type),
    );
    expect(new Set(types)).toEqual(new Set(Object.values(MessageType)));
  });
});

describe('a frame', () => {
  it.each([
    [15, '9f920a01'],
    [16, 'dc0010920a01'],
    [65_535, 'dcffff920a01'],
    [65_536, 'dd00010000920a01'],
  ])('says how many messages it has as MessagePack does: %i', (length, start) => {
    const pongs = Array.from({ length }, () => [MessageType.pong, 1] as const);
    const frame = encodeOne(codecs.msgpack, pongs);
    expect(show(frame.slice(0, start.length / 2))).toBe(start);
    expect(decodeWorkerFrame(codecs.msgpack.read(frame)).length).toBe(length);
  });
});
