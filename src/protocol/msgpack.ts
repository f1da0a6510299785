// The codec `taskdist.v1.msgpack`: MessagePack, with extensions for what JavaScript has beyond it.
import type { Frame } from '../ports.ts';
import { bytesOf } from '../views.ts';
import type { Codec, FrameWriter } from './codec.ts';
import { cutFrames, FRAME_OVERHEAD_BYTES, fitsFrame, notSerializable, tooLarge } from './frames.ts';
import type { Message } from './messages.ts';
import { Input } from './msgpack-input.ts';
import { Output } from './msgpack-output.ts';
import { readValue } from './msgpack-read.ts';
import { writeValue } from './msgpack-write.ts';

/** The messages of a writer. */
class Draft {
  /** Before the first message there is room for the header of a frame. */
  readonly #output = new Output(FRAME_OVERHEAD_BYTES);
  /** Where each message ends, counted from the first. */
  #ends: number[] = [];

  get isEmpty(): boolean {
    return this.#ends.length === 0;
  }

  get byteLength(): number {
    return this.#output.position - FRAME_OVERHEAD_BYTES;
  }

  add(message: Message, maxFrameBytes: number): number {
    const output = this.#output;
    const start = output.position;
    this.#write(message, start);
    const end = output.position;
    if (!fitsFrame(end - start, maxFrameBytes)) {
      output.position = start;
      throw tooLarge(end - start, maxFrameBytes);
    }
    this.#ends.push(end - FRAME_OVERHEAD_BYTES);
    return end - start;
  }

  frames(maxFrameBytes: number): Frame[] {
    const cuts = cutFrames(this.#ends, maxFrameBytes);
    const frames: Frame[] = [];
    let first = 0;
    let start = FRAME_OVERHEAD_BYTES;
    for (const cut of cuts) {
      const end = (this.#ends[cut - 1] ?? 0) + FRAME_OVERHEAD_BYTES;
      frames.push(this.#output.frame(start, end, cut - first, cuts.length === 1));
      first = cut;
      start = end;
    }
    return frames;
  }

  /** Forgets everything, and memory that only a large message needed. */
  reset(): void {
    this.#ends = [];
    this.#output.reset();
  }

  #write(message: Message, start: number): void {
    try {
      // Within the array that is the frame.
      writeValue(this.#output, message, 1);
    } catch (error) {
      this.#output.position = start;
      throw notSerializable(error);
    }
  }
}

/** How many drafts are kept that no writer needs: enough for as many connections as have something to say in one turn, mostly. */
const MAX_SPARE_DRAFTS = 64;

/** With the memory that they have come to, of at most 16 KiB each. */
const spareDrafts: Draft[] = [];

/** Writes messages one behind the other; which of them share a frame is decided when frames are taken. */
class MsgpackWriter implements FrameWriter {
  /** Only while there are messages: a master has a writer for each of thousands of connections, of which most have nothing to say. */
  #draft: Draft | undefined = undefined;

  get isEmpty(): boolean {
    return this.#draft === undefined || this.#draft.isEmpty;
  }

  get byteLength(): number {
    return this.#draft === undefined ? 0 : this.#draft.byteLength;
  }

  add(message: Message, maxFrameBytes: number): number {
    let draft = this.#draft;
    if (draft === undefined) {
      draft = spareDrafts.pop() ?? new Draft();
      this.#draft = draft;
    }
    try {
      return draft.add(message, maxFrameBytes);
    } catch (error) {
      if (draft.isEmpty) this.#giveBack(draft);
      throw error;
    }
  }

  take(maxFrameBytes: number): Frame[] {
    if (this.#draft === undefined) return [];
    const frames = this.#draft.frames(maxFrameBytes);
    this.#giveBack(this.#draft);
    return frames;
  }

  #giveBack(draft: Draft): void {
    this.#draft = undefined;
    draft.reset();
    if (spareDrafts.length < MAX_SPARE_DRAFTS) spareDrafts.push(draft);
  }
}

/** The bytes of a frame, which a peer may have sent as text. */
function bytesOfFrame(frame: unknown): Uint8Array {
  if (frame instanceof ArrayBuffer) return new Uint8Array(frame);
  if (ArrayBuffer.isView(frame)) return bytesOf(frame);
  throw new TypeError('a text frame where MessagePack was agreed on');
}

export const msgpackCodec: Codec = {
  subprotocol: 'taskdist.v1.msgpack',
  createWriter: () => new MsgpackWriter(),
  read(frame) {
    const input = new Input(bytesOfFrame(frame));
    const value = readValue(input, 0);
    if (input.remainingBytes > 0) throw new RangeError('more than one value');
    return value;
  },
};
