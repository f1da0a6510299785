// How often something may happen: so often per second on average, and some times at once.

/** A token bucket: holds `burst` tokens at most, gets `perSecond` anew, and whatever happens takes one. No timer. */
export class TokenBucket {
  readonly perSecond: number;
  readonly burst: number;
  #tokens: number;
  #atMs: number;

  /** It is full at first, unless it is to begin with fewer tokens. */
  constructor(perSecond: number, burst: number, nowMs: number, tokens = burst) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.#tokens = Math.min(burst, tokens);
    this.#atMs = nowMs;
  }

  /**
   * Takes a token, if at least `floor` remain; whoever may owe some has a negative one. Returns whether it did. If it is to take
   * `count`, there must be one as well, and the others may be owed: nothing is too much by itself.
   */
  take(nowMs: number, floor = 0, count = 1): boolean {
    if (this.#refill(nowMs) < floor + 1) return false;
    this.#tokens -= count;
    return true;
  }

  /** How long it takes until there are so many tokens, in milliseconds; 0 if there are. */
  waitMs(nowMs: number, tokens: number): number {
    return Math.max(0, ((tokens - this.#refill(nowMs)) / this.perSecond) * 1000);
  }

  #refill(nowMs: number): number {
    // Much happens at the same time, as all that one frame tells.
    if (nowMs > this.#atMs) {
      this.#tokens = Math.min(this.burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.perSecond);
      this.#atMs = nowMs;
    }
    return this.#tokens;
  }
}
