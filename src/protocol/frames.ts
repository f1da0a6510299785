// Grouping encoded messages into frames, whatever the codec.
import { messageOf, TaskdistError } from '../errors.ts';
import type { Frame } from '../ports.ts';
import type { Message } from './messages.ts';

/** A frame adds this to its messages at most: MessagePack's array header; JSON's brackets are shorter. */
const FRAME_OVERHEAD_BYTES = 5;

/** What a codec adds to {@link PartWriter}. */
export interface Parts<Part> {
  encode(message: Message): Part;
  byteLength(part: Part): number;
  /** Bytes that each further part costs beyond itself, e.g. JSON's comma. */
  readonly separatorBytes: number;
  join(parts: readonly Part[], byteLength: number): Frame;
}

/** Encodes each message once, as it comes, and joins the parts into frames when asked. */
export class PartWriter<Part> {
  readonly #format: Parts<Part>;
  #parts: Part[] = [];
  /** Of the parts: to count one costs JSON as much as to encode it. */
  #byteLengths: number[] = [];

  constructor(format: Parts<Part>) {
    this.#format = format;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  add(message: Message, maxFrameBytes: number): void {
    const part = this.#encode(message);
    const partBytes = this.#format.byteLength(part);
    const byteLength = partBytes + FRAME_OVERHEAD_BYTES;
    if (byteLength > maxFrameBytes) {
      throw new TaskdistError(
        'TASKDIST_TOO_LARGE',
        `Takes ${byteLength} bytes on the wire, more than the ${maxFrameBytes} that a frame may have (\`maxFrameBytes\`)`,
      );
    }
    this.#parts.push(part);
    this.#byteLengths.push(partBytes);
  }

  take(maxFrameBytes: number): Frame[] {
    const frames: Frame[] = [];
    let group: Part[] = [];
    let groupBytes = 0;
    for (const [index, part] of this.#parts.entries()) {
      const partBytes = (this.#byteLengths[index] ?? 0) + this.#format.separatorBytes;
      if (group.length > 0 && groupBytes + partBytes + FRAME_OVERHEAD_BYTES > maxFrameBytes) {
        frames.push(this.#format.join(group, groupBytes));
        group = [];
        groupBytes = 0;
      }
      group.push(part);
      groupBytes += partBytes;
    }
    if (group.length > 0) frames.push(this.#format.join(group, groupBytes));
    this.#parts = [];
    this.#byteLengths = [];
    return frames;
  }

  #encode(message: Message): Part {
    try {
      return this.#format.encode(message);
    } catch (error) {
      throw new TaskdistError('TASKDIST_NOT_SERIALIZABLE', `Cannot cross the wire: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
