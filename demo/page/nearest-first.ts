// Which request is sent next: of those that wait, the one that is nearest when there is room for it.

interface Waiting {
  readonly distance: () => number;
  readonly start: () => void;
}

export class NearestFirst {
  readonly #limit: number;
  readonly #waiting = new Set<Waiting>();
  #underWay = 0;
  #isStarting = false;

  /** `limit`: how many may be under way at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs `request` when it is its turn. `distance` is asked for whenever there is room, as what is near changes with the
   * view. Rejects when `signal` is aborted before that.
   */
  async run<Result>(distance: () => number, request: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    await this.#turn(distance, signal);
    try {
      return await request();
    } finally {
      this.#underWay--;
      this.#startSoon();
    }
  }

  #turn(distance: () => number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        distance,
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave);
      this.#waiting.add(waiting);
      this.#startSoon();
    });
  }

  // Once all that come together are there to choose from.
  #startSoon(): void {
    if (!this.#isStarting) {
      this.#isStarting = true;
      queueMicrotask(() => {
        this.#isStarting = false;
        this.#startNearest();
      });
    }
  }

  #startNearest(): void {
    const room = this.#limit - this.#underWay;
    if (room <= 0 || this.#waiting.size === 0) {
      return;
    }
    const byDistance = [...this.#waiting]
      .map((waiting) => ({ waiting, distance: waiting.distance() }))
      .sort((a, b) => a.distance - b.distance);
    for (const { waiting } of byDistance.slice(0, room)) {
      this.#waiting.delete(waiting);
      this.#underWay++;
      waiting.start();
    }
  }
}
