import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { decodeMasterFrame, decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import { encodeOne, show } from '../../support/frames.ts';
import { fromHex } from '../../support/hex.ts';

interface Line {
  readonly from: 'M' | 'W';
  readonly json: string;
  readonly msgpack: string;
}

/** The frames of the transcript: after its direction, each as JSON, then as hexadecimal, both perhaps on several lines. */
function readTranscript(): Line[] {
  const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const transcript = page.slice(page.indexOf('A transcript'));
  const lines = transcript.matchAll(/^([MW])→[MW] (\[.*?\]\])\n((?: {4}[0-9a-f]+\n)+)/gms);
  return Array.from(lines, ([, from = '', json = '', hex = '']) => ({
    from: from === 'M' ? 'M' : 'W',
    json: json.replaceAll(/\n\s*/g, ''),
    msgpack: hex.replaceAll(/\s/g, ''),
  }));
}

describe('the transcript of docs/protocol.md', () => {
  const lines = readTranscript();

  it('has frames of both sides', () => {
    expect(lines.length).toBeGreaterThanOrEqual(10);
    expect(new Set(lines.map(({ from }) => from))).toEqual(new Set(['M', 'W']));
  });

  it.each(lines)('is what the codecs read and write: $from $json', ({ from, json, msgpack }) => {
    const decode = from === 'M' ? decodeMasterFrame : decodeWorkerFrame;
    const messages = decode(codecs.json.read(json));
    expect(decode(codecs.msgpack.read(fromHex(msgpack)))).toEqual(messages);
    expect(show(encodeOne(codecs.json, messages))).toBe(json);
    expect(show(encodeOne(codecs.msgpack, messages))).toBe(msgpack);
  });
});
