// What the frame writers of all codecs have in common: where frames are cut, and why a message is refused.
import { messageOf, TaskdistError } from '../errors.ts';

/** A frame adds this to its messages at most: MessagePack's array header; JSON's brackets are shorter. */
export const FRAME_OVERHEAD_BYTES = 5;

/** Whether messages of so many bytes fit into one frame. */
export function fitsFrame(byteLength: number, maxFrameBytes: number): boolean {
  return byteLength + FRAME_OVERHEAD_BYTES <= maxFrameBytes;
}

/** What is thrown for a message that does not fit into a frame alone. */
export function tooLarge(byteLength: number, maxFrameBytes: number): TaskdistError {
  const frameBytes = byteLength + FRAME_OVERHEAD_BYTES;
  return new TaskdistError(
    'TASKDIST_TOO_LARGE',
    `Takes ${frameBytes} bytes on the wire, more than the ${maxFrameBytes} that a frame may have (\`maxFrameBytes\`)`,
  );
}

/** What is thrown for a message that cannot be encoded. */
export function notSerializable(cause: unknown): TaskdistError {
  return new TaskdistError('TASKDIST_NOT_SERIALIZABLE', `Cannot cross the wire: ${messageOf(cause)}`, { cause });
}

/**
 * Spreads messages over frames, as many as fit into each. Takes where each message ends, in bytes from where the first
 * begins; returns how many messages there are up to the end of each frame.
 */
export function cutFrames(ends: readonly number[], maxFrameBytes: number): number[] {
  const cuts: number[] = [];
  let frameStart = 0;
  let messageStart = 0;
  // Counted by hand: this runs for every message.
  let index = 0;
  for (const end of ends) {
    if (messageStart > frameStart && !fitsFrame(end - frameStart, maxFrameBytes)) {
      cuts.push(index);
      frameStart = messageStart;
    }
    messageStart = end;
    index += 1;
  }
  if (ends.length > 0) cuts.push(ends.length);
  return cuts;
}
