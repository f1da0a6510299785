// The codec `taskdist.v1.msgpack`: MessagePack, with msgpackr's extensions for typed arrays and the like.
// msgpackr's build without `new Function`: bytes from strangers never become code, and a strict CSP is satisfied.
import { type Allocate, addExtension, Packr } from 'msgpackr/index-no-eval';
import { bytesOf, kindOf, typedArrays } from '../views.ts';
import type { Codec } from './codec.ts';
import { errorFromArray, errorToArray } from './error-values.ts';
import { type Parts, PartWriter } from './frames.ts';
import type { Message } from './messages.ts';
import { refuseToSend, unsendableClasses } from './unsendable.ts';

const TYPED_ARRAY = 0x74;
const ERROR = 0x65;
/** What the kinds of typed array are followed by. */
const ARRAY_BUFFER_KIND = 16;
const DATA_VIEW_KIND = 17;

/** MessagePack's header of bytes of one kind: 8, 16 or 32 bits for their number. */
function lengthHeader(byteLength: number, codes: readonly [number, number, number]): number[] {
  if (byteLength < 0x100) return [codes[0], byteLength];
  if (byteLength < 0x10000) return [codes[1], byteLength >> 8, byteLength & 0xff];
  return [codes[2], byteLength >>> 24, (byteLength >> 16) & 0xff, (byteLength >> 8) & 0xff, byteLength & 0xff];
}

function writeTypedArray(view: ArrayBufferView, allocate: Allocate): void {
  const bytes = bytesOf(view);
  const View = kindOf(view);
  if (View === undefined) throw new TypeError(`a ${view.constructor.name}`);
  const kind = typedArrays.indexOf(View);
  // Plain bytes are what other implementations have a type for.
  const header =
    View === Uint8Array
      ? lengthHeader(bytes.length, [0xc4, 0xc5, 0xc6])
      : [...lengthHeader(bytes.length + 1, [0xc7, 0xc8, 0xc9]), TYPED_ARRAY, kind];
  const { target, position } = allocate(header.length + bytes.length);
  target.set(header, position);
  target.set(bytes, position + header.length);
}

function readTypedArray(payload: Uint8Array): ArrayBuffer | ArrayBufferView {
  const kind = payload[0] ?? Number.NaN;
  // A copy of its own: aligned for its elements, and not a view of the frame.
  const buffer = new Uint8Array(payload.subarray(1)).buffer;
  if (kind === ARRAY_BUFFER_KIND) return buffer;
  const View = kind === DATA_VIEW_KIND ? DataView : typedArrays[kind];
  if (View === undefined) throw new TypeError('a typed array of an unknown kind');
  return new View(buffer);
}

// Extensions are kept per build of msgpackr: whoever else imports this very build in the same program has them too.
// msgpackr's own differ between Node and browsers, and write classes that they do not know as something unreadable.
addExtension({
  Class: Object.getPrototypeOf(Uint8Array),
  type: TYPED_ARRAY,
  pack: writeTypedArray,
  unpack: readTypedArray,
});
// msgpackr's own looks a peer's text up among its functions.
addExtension({ Class: Error, type: ERROR, write: errorToArray, read: errorFromArray });
for (const Class of unsendableClasses) addExtension({ Class, write: refuseToSend });

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
