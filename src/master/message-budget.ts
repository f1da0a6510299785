// What a worker may say that nobody has asked it for, and how many tasks it may give back.
import { Limits } from '../protocol/decode.ts';
import { TokenBucket } from '../token-bucket.ts';

/** Who has given back too much gets nothing until it could give back so much again, in milliseconds' worth. */
const REST_MS = 100;

/** The budget of one connection; made for those who say anything of the kind. */
export class MessageBudget {
  readonly #unasked: TokenBucket;
  /** Apart from it, as one that is large takes nothing from those that are not. */
  readonly #unaskedBytes: TokenBucket;
  readonly #returned: TokenBucket;

  /**
   * What is sent while a line stands still comes all at once. It stands still no longer than since the worker was welcomed,
   * `ageMs` ago: or whoever connects anew could say as much again each time. And it is given up after `socketTimeoutMs`.
   */
  constructor(perSecond: number, socketTimeoutMs: number, ageMs: number, nowMs: number) {
    const perMs = perSecond / 1000;
    const unasked = perMs * Math.max(1000, socketTimeoutMs);
    const atFirst = perSecond + perMs * ageMs;
    const bytes = Limits.unaskedBytes;
    this.#unasked = new TokenBucket(perSecond, unasked, nowMs, atFirst);
    this.#unaskedBytes = new TokenBucket(perSecond * bytes, unasked * bytes, nowMs, atFirst * bytes);
    this.#returned = new TokenBucket(perSecond, perSecond, nowMs);
  }

  /** A message that was not asked for. Returns whether it may be sent. */
  takeUnasked(nowMs: number): boolean {
    return this.#unasked.take(nowMs);
  }

  /** A frame of such messages. Returns whether it may be sent; it may be as large as frames may be. */
  takeUnaskedBytes(nowMs: number, byteLength: number): boolean {
    return this.#unaskedBytes.take(nowMs, 0, byteLength);
  }

  /** A task that was given back. Returns for how long whoever did is to rest for it, in milliseconds; 0 if not at all. */
  noteReturned(nowMs: number, isResting: boolean): number {
    const bucket = this.#returned;
    // What is under way already may still come back.
    bucket.take(nowMs, Number.NEGATIVE_INFINITY);
    if (!isResting && bucket.waitMs(nowMs, 0) === 0) return 0;
    return bucket.waitMs(nowMs, (bucket.perSecond * REST_MS) / 1000);
  }
}
