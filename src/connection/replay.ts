// What a lost connection costs nobody: the frames that were sent and are not known to have come, and how many did come.
import type { Frame } from '../ports.ts';
import type { Keeper, ReplayStore } from './replay-store.ts';

/**
 * The peer is told what came after so many of its frames, or bytes, at the latest: so it keeps little, and a frame costs next to
 * nothing more. What comes seldom is told with the heartbeat.
 */
const TELL_FRAMES = 32;
const TELL_BYTES = 65_536;

/** With so much kept, nothing is begun that would add to it: what a fast line carries in a long round trip. */
const MAX_KEPT_BYTES = 4_194_304;
/** More frames are not kept, small as those are that are sent all the same: twice as many as there is ever room for. */
const MAX_KEPT_FRAMES = 65_536;
/** What a frame takes beside its contents, about. */
const FRAME_BYTES = 128;

/** Nothing is kept, as for all that idle. Not written to. */
const NONE: Frame[] = [];

/** One side of a session that can go on over another connection: what to send again, and what not to ask for again. */
export class Replay implements Keeper {
  /** How many frames of the peer have come. */
  received: number;
  #toldReceived: number;
  #untoldBytes = 0;
  /** Those that are not known to have come, the oldest first. */
  #kept = NONE;
  #keptBytes = 0;
  /** How many frames the peer has told to have come. */
  #toldSent = 0;
  /** How many frames are known to have come, or given up for it. */
  #confirmed = 0;
  /** What it has in common with others; undefined: nothing. */
  readonly #store: ReplayStore | undefined;

  /** `received`: how many frames of the peer have come already, which need not be told of. */
  constructor(received: number, store?: ReplayStore) {
    this.received = received;
    this.#toldReceived = received;
    this.#store = store;
  }

  /** Keeps a frame that is being sent. */
  keep(frame: Frame): void {
    if (this.#kept === NONE) this.#kept = [frame];
    else this.#kept.push(frame);
    const byteLength = sizeOf(frame);
    this.#keptBytes += byteLength;
    this.#store?.add(this, byteLength);
  }

  get byteLength(): number {
    return this.#keptBytes;
  }

  /** The frames to send again, the oldest first. */
  get kept(): readonly Frame[] {
    return this.#kept;
  }

  /** How much more may be kept. */
  get roomBytes(): number {
    return Math.max(0, MAX_KEPT_BYTES - this.#keptBytes);
  }

  /** Whether the peer has left it too long to tell what came. */
  get isOverfull(): boolean {
    return this.#kept.length > MAX_KEPT_FRAMES;
  }

  /** How many frames were sent. */
  get sent(): number {
    return this.#confirmed + this.#kept.length;
  }

  /** Whether there is all that a peer lacks who has got so many frames. */
  reachesBackTo(frames: number): boolean {
    return frames >= this.#confirmed && frames <= this.sent;
  }

  /**
   * The peer says how many frames have come, of those that were sent. What is sent again may say less than is known. Returns
   * whether it was news.
   */
  confirm(frames: number): boolean {
    const isNews = frames > this.#toldSent;
    if (isNews) this.#toldSent = frames;
    const count = frames - this.#confirmed;
    if (count <= 0) return isNews;
    if (count === this.#kept.length) {
      this.drop();
    } else {
      this.#confirmed = frames;
      let byteLength = 0;
      for (const frame of this.#kept.splice(0, count)) byteLength += sizeOf(frame);
      this.#keptBytes -= byteLength;
      this.#store?.remove(this, byteLength, false);
    }
    return true;
  }

  drop(): void {
    const byteLength = this.#keptBytes;
    this.#confirmed = this.sent;
    this.#kept = NONE;
    this.#keptBytes = 0;
    this.#store?.remove(this, byteLength, true);
  }

  /** A frame came. Returns whether it is time to tell. */
  noteReceived(byteLength: number): boolean {
    this.received += 1;
    this.#untoldBytes += byteLength;
    return this.received - this.#toldReceived >= TELL_FRAMES || this.#untoldBytes >= TELL_BYTES;
  }

  /** Whether something came that the peer has not been told of, and may be: the first frame is not for that. */
  get isUntold(): boolean {
    return this.received > this.#toldReceived && this.sent > 0;
  }

  /** The peer is being told what came. */
  noteTold(): void {
    this.#toldReceived = this.received;
    this.#untoldBytes = 0;
  }
}

function sizeOf(frame: Frame): number {
  return FRAME_BYTES + (typeof frame === 'string' ? frame.length : frame.byteLength);
}
