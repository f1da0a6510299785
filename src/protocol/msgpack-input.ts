// MessagePack being read: the bytes of a frame, never beyond their end, and texts.

/** Up to here a loop is faster than TextDecoder. */
const LOOP_BYTES = 16;
/** Keys that are remembered, at most; a power of two. */
const KNOWN_KEYS = 256;
const KNOWN_KEY_BYTES = 31;

/** Keeps a leading byte order mark, which is part of the text here. What is not UTF-8 becomes replacement characters. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Short keys of ASCII that came before, each in the slot that its length and ends lead to: the same few come again with
 * every message. Others take their slots over, so that it cannot grow.
 */
const knownKeys: string[] = Array.from({ length: KNOWN_KEYS }, () => '');

/** @throws RangeError always */
function truncated(): never {
  throw new RangeError('it ends too early');
}

export class Input {
  /** Where the next byte is. */
  position = 0;
  readonly #bytes: Uint8Array;
  #view: DataView | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remainingBytes(): number {
    return this.#bytes.length - this.position;
  }

  /** For the other numbers of several bytes. Made when asked for, as few frames have them. */
  get view(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    return this.#view;
  }

  /** Passes over bytes, and says where they began. */
  take(byteLength: number): number {
    const start = this.position;
    if (byteLength > this.#bytes.length - start) truncated();
    this.position = start + byteLength;
    return start;
  }

  uint8(): number {
    return this.#bytes[this.position++] ?? truncated();
  }

  uint16(): number {
    return (this.uint8() << 8) | this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  /** A copy: a view would keep the whole frame alive, and its elements could stand at odd addresses. */
  bytes(byteLength: number): Uint8Array<ArrayBuffer> {
    const start = this.take(byteLength);
    return this.#bytes.slice(start, this.position);
  }

  text(byteLength: number): string {
    const start = this.take(byteLength);
    return (
      (byteLength <= LOOP_BYTES ? this.#ascii(start) : undefined) ??
      decoder.decode(this.#bytes.subarray(start, this.position))
    );
  }

  /** A text that becomes a key of an object. */
  key(byteLength: number): string {
    const start = this.take(byteLength);
    const slot = this.#slot(start, byteLength);
    const known = knownKeys[slot] ?? '';
    if (known.length === byteLength && this.#startsWith(known, start)) return known;
    this.position = start;
    const key = this.text(byteLength);
    // As many characters as bytes: ASCII, or U+FFFD for a byte that is no UTF-8, which is equal to no byte and never found.
    if (byteLength <= KNOWN_KEY_BYTES && key.length === byteLength) knownKeys[slot] = key;
    return key;
  }

  #slot(start: number, byteLength: number): number {
    const ends = ((this.#bytes[start] ?? 0) << 3) ^ (this.#bytes[start + byteLength - 1] ?? 0);
    return (ends ^ (byteLength << 5)) & (KNOWN_KEYS - 1);
  }

  #startsWith(ascii: string, start: number): boolean {
    for (let index = 0; index < ascii.length; index += 1) {
      if (ascii.charCodeAt(index) !== this.#bytes[start + index]) return false;
    }
    return true;
  }

  /** The text up to the position; undefined if it is not ASCII. */
  #ascii(start: number): string | undefined {
    const bytes = this.#bytes;
    const end = this.position;
    let text = '';
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const a = bytes[at] ?? 0;
      const b = bytes[at + 1] ?? 0;
      const c = bytes[at + 2] ?? 0;
      const d = bytes[at + 3] ?? 0;
      if ((a | b | c | d) >= 0x80) return undefined;
      text += String.fromCharCode(a, b, c, d);
    }
    for (; at < end; at += 1) {
      const a = bytes[at] ?? 0;
      if (a >= 0x80) return undefined;
      text += String.fromCharCode(a);
    }
    return text;
  }
}
