// The workers that wait for a task, and the fair handing out of what comes.
import type { Lease, LeaseHolder } from './scheduler.ts';

/** A `take` that has found nothing so far. */
export interface Waiter<T> {
  readonly holder: LeaseHolder<T>;
  readonly max: number;
  readonly leases: Lease<T>[];
  readonly resolve: (leases: Lease<T>[]) => void;
}

/** Who waits, the longest waiting first. */
export class WaitingRoom<T> {
  readonly #waiters = new Set<Waiter<T>>();

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Waits to be served; resolves to nothing when the signal aborts. */
  wait(holder: LeaseHolder<T>, max: number, signal: AbortSignal): Promise<Lease<T>[]> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        resolve([]);
      };
      const waiter: Waiter<T> = {
        holder,
        max,
        leases: [],
        resolve: (leases) => {
          signal.removeEventListener('abort', leave);
          resolve(leases);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /**
   * Serves the waiting in rounds, one lease each a round, so that a few tasks spread over all of them. `lease` gives the
   * next one for a holder, or undefined if there is none for it; `hasMore` says whether there is any at all.
   */
  serve(lease: (holder: LeaseHolder<T>) => Lease<T> | undefined, hasMore: () => boolean): void {
    const served = new Set<Waiter<T>>();
    let round: Iterable<Waiter<T>> = this.#waiters;
    while (hasMore()) {
      const wantMore: Waiter<T>[] = [];
      for (const waiter of round) {
        if (!hasMore()) break;
        const next = lease(waiter.holder);
        if (next === undefined) continue;
        waiter.leases.push(next);
        served.add(waiter);
        if (waiter.leases.length < waiter.max) wantMore.push(waiter);
      }
      if (wantMore.length === 0) break;
      round = wantMore;
    }
    for (const waiter of served) {
      this.#waiters.delete(waiter);
      waiter.resolve(waiter.leases);
    }
  }
}
