// How long single trips take, one after the other.
import { quantile } from '../harness/statistics.ts';

export interface Trips {
  readonly elapsedMs: number;
  readonly medianUs: number;
  readonly p99Us: number;
}

export class TripStopwatch {
  readonly #startedAt = performance.now();
  readonly #laps: Float64Array;
  #count = 0;
  #lapStartedAt = this.#startedAt;

  constructor(count: number) {
    this.#laps = new Float64Array(count);
  }

  /** One trip ends here, and the next one begins. */
  lap(): void {
    const now = performance.now();
    this.#laps[this.#count++] = now - this.#lapStartedAt;
    this.#lapStartedAt = now;
  }

  trips(): Trips {
    const elapsedMs = this.#lapStartedAt - this.#startedAt;
    return {
      elapsedMs,
      medianUs: quantile(this.#laps, 0.5) * 1000,
      p99Us: quantile(this.#laps, 0.99) * 1000,
    };
  }
}
