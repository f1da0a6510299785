// The codec `taskdist.v1.msgpack`: MessagePack, with msgpackr's extensions for typed arrays and the like.
// msgpackr's build without `new Function`: bytes from strangers never become code, and a strict CSP is satisfied.
import { Packr } from 'msgpackr/index-no-eval';
import type { Codec } from './codec.ts';
import { type Parts, PartWriter } from './frames.ts';
import type { Message } from './messages.ts';

const packr = new Packr({
  // Plain MessagePack maps, which every other implementation reads.
  useRecords: false,
  variableMapSize: true,
  moreTypes: true,
  // No references within a value: a peer could make values that contain themselves.
  structuredClone: false,
  // A view would keep its whole frame alive for as long as the value lives.
  copyBuffers: true,
  // Silently dropped otherwise.
  writeFunction(): never {
    throw new TypeError('a function');
  },
});

const format: Parts<Uint8Array> = {
  separatorBytes: 0,
  encode: (message: Message) => packr.pack(message),
  byteLength: (part) => part.byteLength,
  join(parts, byteLength) {
    const header = arrayHeader(parts.length);
    const frame = new Uint8Array(header.length + byteLength);
    frame.set(header);
    let offset = header.length;
    for (const part of parts) {
      frame.set(part, offset);
      offset += part.byteLength;
    }
    return frame;
  },
};

/** MessagePack's header of an array: fixarray, array 16 or array 32. */
function arrayHeader(length: number): number[] {
  if (length < 0x10) return [0x90 | length];
  if (length < 0x10000) return [0xdc, length >> 8, length & 0xff];
  return [0xdd, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
}

export const msgpackCodec: Codec = {
  subprotocol: 'taskdist.v1.msgpack',
  createWriter: () => new PartWriter(format),
  read(frame) {
    if (frame instanceof ArrayBuffer) return packr.unpack(new Uint8Array(frame));
    // Not a Buffer, whose slices would be Buffers too: a worker that sends a Uint8Array is answered with one.
    if (ArrayBuffer.isView(frame))
      return packr.unpack(new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength));
    throw new TypeError('a text frame where MessagePack was agreed on');
  },
};
