// MessagePack being written: a buffer that grows, and the formats of numbers, texts and lengths.

/** What a buffer starts with: enough for a connection that has little to say. */
const FIRST_BYTES = 512;
/** What it grows to then. What is larger is not kept from one frame to the next. */
const KEPT_BYTES = 16_384;
/** No frame comes near it. A value whose parts are shared may grow without end when each use is written out. */
const MAX_BYTES = 2 ** 30;
/** The longest format that is not a text or bytes: a head and 64 bits. */
const SCALAR_BYTES = 9;
/** The longest header. */
const HEADER_BYTES = 5;
/** UTF-8 takes at most so many bytes for a UTF-16 code unit. */
const UTF8_BYTES = 3;
/** Up to here a loop is faster than TextEncoder; below 32, so that its length is always within the head. */
const LOOP_CHARACTERS = 24;

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);

export class Output {
  /** Where the next byte goes. */
  position: number;
  readonly #start: number;
  #bytes = nothing;
  #view = new DataView(nothing.buffer);

  /** Begins `start` bytes from the front, which are for the caller to fill. */
  constructor(start: number) {
    this.#start = start;
    this.position = start;
  }

  /** Forgets all that was written, and memory that only a large value needed. */
  reset(): void {
    this.position = this.#start;
    if (this.#isLarge) this.#use(nothing);
  }

  get #isLarge(): boolean {
    return this.#bytes.length > KEPT_BYTES;
  }

  /**
   * The array of so many messages that stand from `start` to `end`. Its header overwrites what is before: the room at the
   * front, or the end of the frame before it, which has been copied.
   */
  frame(start: number, end: number, messages: number, isOnly: boolean): Uint8Array<ArrayBuffer> {
    this.position = start - countBytes(messages);
    const from = this.position;
    this.#count(0x90, 0xdc, messages);
    // A copy, as a socket may hold it while the next frame is written. But memory that is not kept is given away, unless
    // most of it is empty.
    const isGivenAway = isOnly && this.#isLarge && 2 * (end - from) >= this.#bytes.length;
    return isGivenAway ? this.#bytes.subarray(from, end) : this.#bytes.slice(from, end);
  }

  /** One byte: null, a boolean, or the head of what else the caller writes. */
  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.position++] = byte;
  }

  /** An integer of at most 32 bits in its shortest format, any other number as float 64. */
  number(value: number): void {
    this.#reserve(SCALAR_BYTES);
    // Of −0 too, which becomes 0.
    if (value >>> 0 === value) {
      if (value < 0x80) this.#bytes[this.position++] = value;
      else this.#length(0xcc, value);
    } else if (value >> 0 === value) {
      this.#negative(value);
    } else {
      this.#bytes[this.position] = 0xcb;
      this.#view.setFloat64(this.position + 1, value);
      this.position += 9;
    }
  }

  /** An int 64 or uint 64, of which only those 64 bits matter. */
  bits64(head: number, value: bigint): void {
    this.#reserve(SCALAR_BYTES);
    this.#bytes[this.position] = head;
    this.#view.setBigUint64(this.position + 1, BigInt.asUintN(64, value));
    this.position += 9;
  }

  /** How many elements an array, or entries a map, has: within `fixHead`, or as 16 or 32 bits after the heads from `head16`. */
  count(fixHead: number, head16: number, count: number): void {
    this.#reserve(HEADER_BYTES);
    this.#count(fixHead, head16, count);
  }

  /** How many bytes follow: 8, 16 or 32 bits after the heads from `head8`. */
  length(head8: number, byteLength: number): void {
    this.#reserve(HEADER_BYTES);
    this.#length(head8, byteLength);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.position, value);
    this.position += 4;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** A text as UTF-8; half of a surrogate pair becomes a replacement character. */
  text(text: string): void {
    this.#reserve(HEADER_BYTES + UTF8_BYTES * text.length);
    if (text.length > LOOP_CHARACTERS || !this.#shortAscii(text)) this.#utf8(text);
  }

  /** Writes the text, if it is ASCII. */
  #shortAscii(text: string): boolean {
    const bytes = this.#bytes;
    let position = this.position;
    bytes[position++] = 0xa0 | text.length;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return false;
      bytes[position++] = unit;
    }
    this.position = position;
    return true;
  }

  #utf8(text: string): void {
    // As if it were ASCII, which it mostly is; moved if its length then needs a longer header.
    const guess = textHeaderBytes(text.length);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.position + guess));
    const header = textHeaderBytes(written);
    if (header !== guess) {
      const from = this.position + guess;
      this.#bytes.copyWithin(this.position + header, from, from + written);
    }
    if (header === 1) this.#bytes[this.position++] = 0xa0 | written;
    else this.#length(0xd9, written);
    this.position += written;
  }

  #negative(value: number): void {
    if (value >= -0x20) {
      this.#bytes[this.position++] = value & 0xff;
    } else if (value >= -0x80) {
      this.#bytes[this.position++] = 0xd0;
      this.#bytes[this.position++] = value & 0xff;
    } else if (value >= -0x8000) {
      this.#uint16(0xd1, value);
    } else {
      this.#uint32(0xd2, value);
    }
  }

  #count(fixHead: number, head16: number, count: number): void {
    if (count < 0x10) this.#bytes[this.position++] = fixHead | count;
    else if (count < 0x10000) this.#uint16(head16, count);
    else this.#uint32(head16 + 1, count);
  }

  #length(head8: number, length: number): void {
    if (length < 0x100) {
      this.#bytes[this.position++] = head8;
      this.#bytes[this.position++] = length;
    } else if (length < 0x10000) {
      this.#uint16(head8 + 1, length);
    } else {
      this.#uint32(head8 + 2, length);
    }
  }

  #uint16(head: number, value: number): void {
    this.#bytes[this.position++] = head;
    this.#view.setUint16(this.position, value);
    this.position += 2;
  }

  #uint32(head: number, value: number): void {
    this.#bytes[this.position++] = head;
    this.#view.setUint32(this.position, value);
    this.position += 4;
  }

  #reserve(byteLength: number): void {
    if (this.position + byteLength > this.#bytes.length) this.#grow(this.position + byteLength);
  }

  /** Doubles at least, so that what is written is not copied again and again. */
  #grow(neededBytes: number): void {
    if (neededBytes > MAX_BYTES) throw new RangeError('it takes more than 1 GiB');
    const leastBytes = this.#bytes.length === 0 ? FIRST_BYTES : KEPT_BYTES;
    const bytes = new Uint8Array(Math.max(neededBytes, 2 * this.#bytes.length, leastBytes));
    bytes.set(this.#bytes.subarray(0, this.position));
    this.#use(bytes);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function countBytes(count: number): number {
  if (count < 0x10) return 1;
  return count < 0x10000 ? 3 : 5;
}

function textHeaderBytes(byteLength: number): number {
  if (byteLength < 0x20) return 1;
  if (byteLength < 0x100) return 2;
  return byteLength < 0x10000 ? 3 : 5;
}
