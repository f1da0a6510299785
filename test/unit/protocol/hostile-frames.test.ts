import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/ports.ts';
import { type Codec, codecs } from '../../../src/protocol/codec.ts';
import { decodeMasterFrame, decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import { integerBelow, seededRandom } from '../../../src/testing/seeded-random.ts';
import { encodeOne, show } from '../../support/frames.ts';
import { fromHex } from '../../support/hex.ts';
import { goldenMasterFrames, goldenWorkerFrames } from './golden-frames.ts';

const golden = [...goldenWorkerFrames, ...goldenMasterFrames].map(({ messages }) => messages);
const harmless = encodeOne(codecs.msgpack, [[5, 1, 'harmless']]);
const repeat = (hex: string, times: number): Uint8Array<ArrayBuffer> => fromHex(hex.repeat(times));

/** Reads a frame as either side would; true if it throws, which ends the connection and nothing else. */
function isRefused(codec: Codec, frame: Frame): boolean {
  let refusals = 0;
  for (const decode of [decodeWorkerFrame, decodeMasterFrame]) {
    try {
      decode(codec.read(frame));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refusals += 1;
    }
  }
  return refusals === 2;
}

describe('a hostile frame of MessagePack', () => {
  it.each<[string, Uint8Array<ArrayBuffer>]>([
    ['nothing', fromHex('')],
    ['arrays in arrays without end', repeat('91', 1_000_000)],
    ['maps in maps without end', repeat('81', 1_000_000)],
    ['an array said to be four thousand million long', fromHex('ddffffffff')],
    ['arrays said to be long, in each other', repeat('dd01ffffff', 20_000)],
    ['arrays said to be long, as deep as they may be', repeat('dd00ffffff', 255)],
    ['a map said to be long', fromHex('dfffffffff')],
    ['maps said to be long, as deep as they may be', repeat('df00ffffff a161', 255)],
    ['sets said to be long, as deep as they may be', repeat('d47300 dd00ffffff', 255)],
    ['sets in sets without end', repeat('d4730091', 300_000)],
    ['extensions that follow each other without end', repeat('d47300', 300_000)],
    ['bytes said to be long', fromHex('91 93 05 01 c6ffffffff')],
    ['text said to be long', fromHex('91 93 05 01 dbffffffff')],
    ['an extension said to be long', fromHex('91 93 05 01 c9ffffffff 74 01')],
    ['a typed array of half an element', fromHex('91 93 05 01 c704 74 08 010203')],
    ['a typed array of no kind', fromHex('91 93 05 01 c702 74 63 01')],
    ['an unknown extension', fromHex('91 93 05 01 d4 55 00')],
    ['a regular expression', fromHex('91 93 05 01 d4 78 00 92 a161 a167')],
    ['a second value after the first', fromHex('91 92 08 01 90')],
    ['a value that contains itself', fromHex('91 93 05 01 d6 69 00000001 91 d6 70 00000001')],
    ['a reference to nothing', fromHex('91 93 05 01 d6 70 00000001')],
  ])('throws, and no more: %s', (_, frame) => {
    expect(isRefused(codecs.msgpack, frame)).toBe(true);
    expect(codecs.msgpack.read(harmless)).toEqual([[5, 1, 'harmless']]);
  });

  it('throws wherever it is cut off', () => {
    for (const messages of golden) {
      const frame = encodeOne(codecs.msgpack, messages);
      for (let length = 0; length < frame.length; length += 1) {
        if (!isRefused(codecs.msgpack, frame.slice(0, length))) expect.unreachable(`${length} of ${show(frame)}`);
      }
    }
  });

  it('sees nothing of what another frame held', () => {
    const broken = fromHex('92 d6 69 00000001 81 a161 a6 736563726574');
    expect(isRefused(codecs.msgpack, broken)).toBe(true);
    expect(isRefused(codecs.msgpack, fromHex('91 93 05 01 d6 70 00000001'))).toBe(true);
  });

  it('throws or makes messages, whichever bits are wrong', () => {
    const random = seededRandom(2);
    let refused = 0;
    for (let round = 0; round < 2000; round += 1) {
      const frame = encodeOne(codecs.msgpack, golden[round % golden.length] ?? []).slice() as Uint8Array<ArrayBuffer>;
      for (let flips = 1 + integerBelow(random, 4); flips > 0; flips -= 1) {
        frame[integerBelow(random, frame.length)] = integerBelow(random, 256);
      }
      if (isRefused(codecs.msgpack, frame)) refused += 1;
    }
    expect(refused).toBeGreaterThan(500);
    expect(codecs.msgpack.read(harmless)).toEqual([[5, 1, 'harmless']]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('a hostile frame of JSON', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '[[8,1]'],
    ['arrays in arrays without end', '['.repeat(100_000)],
    ['arrays in arrays, all closed', `[[5,1,${'['.repeat(100_000)}${']'.repeat(100_000)}]]`],
    ['tags in tags', `[[5,1,${'{"$":["Set",['.repeat(50_000)}${']]}'.repeat(50_000)}]]`],
    ['a tag that is no array', '[[5,1,{"$":"bigint"}]]'],
    ['a tag without a name', '[[5,1,{"$":[]}]]'],
    ['an unknown tag', '[[5,1,{"$":["Function","alert(1)"]}]]'],
    ['a tag named as a property of every object', '[[5,1,{"$":["constructor","x"]}]]'],
    ['a bigint that is none', '[[5,1,{"$":["bigint","1.5"]}]]'],
    ['a bigint that is a number', '[[5,1,{"$":["bigint",1]}]]'],
    ['a date that is text', '[[5,1,{"$":["Date","2000"]}]]'],
    ['a regular expression', '[[5,1,{"$":["RegExp",["a","g"]]}]]'],
    ['an error of nothing', '[[5,1,{"$":["Error",null]}]]'],
    ['a set of nothing', '[[5,1,{"$":["Set",null]}]]'],
    ['bytes that are not base64', '[[5,1,{"$":["Uint8Array","§"]}]]'],
    ['a typed array of half an element', '[[5,1,{"$":["Float64Array","AQID"]}]]'],
  ])('throws, and no more: %s', (_, frame) => {
    expect(isRefused(codecs.json, frame)).toBe(true);
  });

  it('throws wherever it is cut off', () => {
    for (const messages of golden) {
      const frame = encodeOne(codecs.json, messages);
      for (let length = 0; length < frame.length; length += 1) {
        if (!isRefused(codecs.json, frame.slice(0, length))) expect.unreachable(`${length} of ${show(frame)}`);
      }
    }
  });

  it('throws or makes messages, whichever characters are wrong', () => {
    const random = seededRandom(3);
    const alphabet = '[]{}",:$0123456789.-eE\\ntrufalse_proto\u0000\ud800';
    for (let round = 0; round < 2000; round += 1) {
      const text = encodeOne(codecs.json, golden[round % golden.length] ?? []) as string;
      const at = integerBelow(random, text.length);
      const wrong = alphabet[integerBelow(random, alphabet.length)] ?? '';
      isRefused(codecs.json, text.slice(0, at) + wrong + text.slice(at + integerBelow(random, 2)));
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
