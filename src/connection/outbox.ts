// What one side has to say: messages that are written at once, and leave together.
import type { Frame } from '../ports.ts';
import type { Codec, FrameWriter } from '../protocol/codec.ts';
import type { Message } from '../protocol/messages.ts';

/**
 * So many messages, or bytes, leave at once, though more may follow in this turn: what the peer does with them, it does
 * meanwhile. Otherwise the two would take turns, one idle while the other is busy. A frame of so many costs little for each.
 */
const FULL_MESSAGES = 128;
const FULL_BYTES = 65_536;

/** Messages on their way into frames. */
export class Outbox<Outgoing extends Message> {
  readonly #writer: FrameWriter;
  #messages = 0;
  #isWriting = false;
  /** What to do once the message that is being written is complete. */
  #afterwards: (() => void)[] | undefined = undefined;

  constructor(codec: Codec) {
    this.#writer = codec.createWriter();
  }

  get isEmpty(): boolean {
    return this.#writer.isEmpty;
  }

  /** Whether it is enough for a frame of its own. */
  get isFull(): boolean {
    return this.#messages >= FULL_MESSAGES || this.#writer.byteLength >= FULL_BYTES;
  }

  /** How many messages there are. */
  get messages(): number {
    return this.#messages;
  }

  get byteLength(): number {
    return this.#writer.byteLength;
  }

  /**
   * Whether a message is being written: a getter of one of its values is speaking. No other has a place in the midst of it, and
   * nothing can leave before it is complete.
   */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Has this done once the message that is being written is complete. */
  afterwards(act: () => void): void {
    this.#afterwards ??= [];
    this.#afterwards.push(act);
  }

  /** Writes a message, and returns how many bytes it takes. @throws as {@link FrameWriter.add} */
  add(message: Outgoing, maxFrameBytes: number): number {
    this.#isWriting = true;
    try {
      const byteLength = this.#writer.add(message, maxFrameBytes);
      this.#messages += 1;
      return byteLength;
    } finally {
      this.#isWriting = false;
      if (this.#afterwards !== undefined) this.#act(this.#afterwards);
    }
  }

  /** All that there is, in frames of at most so many bytes. */
  take(maxFrameBytes: number): Frame[] {
    this.#messages = 0;
    return this.#writer.take(maxFrameBytes);
  }

  #act(acts: readonly (() => void)[]): void {
    this.#afterwards = undefined;
    for (const act of acts) act();
  }
}
