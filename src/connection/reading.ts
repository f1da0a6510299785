// Frames in: to messages, or to why the conversation must end.
import { messageOf } from '../errors.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import type { Codec } from '../protocol/codec.ts';
import { FrameError, VersionError } from '../protocol/decode.ts';
import { PROTOCOL_VERSION } from '../protocol/messages.ts';

/** How many bytes a frame has, about; 0 if it is nothing of the kind. */
export function lengthOf(frame: unknown): number {
  if (typeof frame === 'string') return frame.length;
  return frame instanceof ArrayBuffer || ArrayBuffer.isView(frame) ? frame.byteLength : 0;
}

/** Why a frame could not be read, as the conversation's end. */
export interface Unreadable {
  readonly code: number;
  readonly reason: string;
}

/** The messages of a frame: all of them, or none. */
export function readFrame<Incoming>(
  frame: unknown,
  codec: Codec,
  decode: (value: unknown) => readonly Incoming[],
): readonly Incoming[] | Unreadable {
  try {
    return decode(codec.read(frame));
  } catch (error) {
    if (error instanceof VersionError) {
      return { code: CloseCode.unsupportedVersion, reason: unsupported(error.message) };
    }
    const reason = error instanceof FrameError ? error.message : `Not a frame: ${messageOf(error)}`;
    return { code: CloseCode.badFrame, reason };
  }
}

/** What to tell a peer of another version: fits a close reason. */
export function unsupported(what: string): string {
  return `This side speaks taskdist protocol v${PROTOCOL_VERSION}, the other ${what.slice(0, 40)}. Update the older one.`;
}
