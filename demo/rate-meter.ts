// How often something happened of late.

const WINDOW_MS = 10_000;

/** Of a younger meter the rate is taken over this time at least, so that one quick first tile is no sensation. */
const LEAST_MS = 2000;

export class RateMeter {
  readonly #startMs: number;
  #times: number[] = [];

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  record(nowMs: number): void {
    this.#forgetBefore(nowMs - WINDOW_MS);
    this.#times.push(nowMs);
  }

  perSecond(nowMs: number): number {
    this.#forgetBefore(nowMs - WINDOW_MS);
    const spanMs = Math.min(WINDOW_MS, Math.max(LEAST_MS, nowMs - this.#startMs));
    return (this.#times.length * 1000) / spanMs;
  }

  #forgetBefore(timeMs: number): void {
    const first = this.#times.findIndex((time) => time > timeMs);
    this.#times = first === -1 ? [] : this.#times.slice(first);
  }
}
