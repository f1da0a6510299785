// Messages to frames and back: what the two codecs have in common, and the choice between them.
import type { Frame } from '../ports.ts';
import { jsonCodec } from './json.ts';
import type { Message } from './messages.ts';
import { msgpackCodec } from './msgpack.ts';

/** Collects messages and packs as many as fit into each frame, an array of messages. */
export interface FrameWriter {
  readonly isEmpty: boolean;
  /** How many bytes its messages take. */
  readonly byteLength: number;
  /**
   * Encodes a message at once, so that later changes to its values do not matter, and returns how many bytes it takes. Not to be
   * called by the message's own getters.
   * @throws TaskdistError `TASKDIST_NOT_SERIALIZABLE`, or `TASKDIST_TOO_LARGE` if it alone exceeds `maxFrameBytes`;
   *   the message is then left out.
   */
  add(message: Message, maxFrameBytes: number): number;
  /** Empties the writer into frames of at most `maxFrameBytes`. */
  take(maxFrameBytes: number): Frame[];
}

/** One way to write messages, named by its WebSocket subprotocol. */
export interface Codec {
  readonly subprotocol: string;
  createWriter(): FrameWriter;
  /** Decodes a frame to a value that may be anything. @throws if the frame is not of this codec. */
  read(frame: unknown): unknown;
}

/** The codecs by the name that options use, the preferred first. */
export const codecs = { msgpack: msgpackCodec, json: jsonCodec } as const;

export type CodecName = keyof typeof codecs;

/** Whether the preferred codec can write this message, as another one could not. */
export function isSendable(message: Message, maxFrameBytes: number): boolean {
  try {
    codecs.msgpack.createWriter().add(message, maxFrameBytes);
    return true;
  } catch {
    return false;
  }
}

/** All subprotocols of this version, the preferred first. */
export const SUBPROTOCOLS: readonly string[] = Object.values(codecs).map((codec) => codec.subprotocol);

/** The codec of a subprotocol, if this version has it. */
export function codecOf(subprotocol: string): Codec | undefined {
  return Object.values(codecs).find((codec) => codec.subprotocol === subprotocol);
}

/** Whether a subprotocol is one of taskdist, of whatever version. */
export function isTaskdistSubprotocol(subprotocol: string): boolean {
  return subprotocol.startsWith('taskdist.');
}
