// How many events there are per second, of late.

/** A younger estimate is made as if so much of the window had passed: a few events are no rate yet. */
const LEAST_OF_WINDOW = 0.1;

/**
 * The rate of events, in which each weighs less the longer it is ago. With τ the window, t the time, t₀ the moment when
 * measuring began, and nᵢ events at each tᵢ:
 *
 *     rate(t) = Σ nᵢ e^(−(t − tᵢ)/τ)  /  τ (1 − e^(−(t − t₀)/τ))
 *
 * The divisor is what a rate of 1 would have added up to by then. So a steady rate is told rightly after a tenth of the
 * window; dividing by τ alone would take several. (Before, t − t₀ is taken to be τ/10, lest the first event look like a
 * flood.) Once events end, the rate falls by a factor e per window. No timer, and no more memory however many events.
 */
export class RateMeter {
  readonly #windowMs: number;
  readonly #startMs: number;
  /** The weights of all events at {@link #atMs}. */
  #weight = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  /**
   * @param windowMs τ in milliseconds, > 0.
   * @param startMs t₀, when measuring began, on the clock of the other calls.
   */
  constructor(windowMs: number, startMs: number) {
    this.#windowMs = windowMs;
    this.#startMs = startMs;
  }

  /** Counts events that happened now. */
  count(nowMs: number, n = 1): void {
    // Many happen at the same time, as all that one frame tells.
    if (nowMs !== this.#atMs) {
      this.#weight = this.#weightAt(nowMs);
      this.#atMs = nowMs;
    }
    this.#weight += n;
  }

  /** Events per second; 0 as long as there were none. */
  perSecond(nowMs: number): number {
    const measured = Math.max((nowMs - this.#startMs) / this.#windowMs, LEAST_OF_WINDOW);
    const divisorMs = this.#windowMs * (1 - Math.exp(-measured));
    return (this.#weightAt(nowMs) / divisorMs) * 1000;
  }

  #weightAt(nowMs: number): number {
    return this.#weight * Math.exp((this.#atMs - nowMs) / this.#windowMs);
  }
}
