// The leases of one connection, by their number on the wire, and which of them run.
import { Queue } from '../queue.ts';
import type { Lease } from '../scheduling/scheduler.ts';

/** A lease that this connection holds. */
export interface Grant<T> {
  /** Its number on the wire; means something on this connection only. */
  readonly id: number;
  readonly lease: Lease<T>;
  /** `cancelled`: the lease is over for the scheduler, but the worker has not answered yet. */
  state: 'waiting' | 'running' | 'cancelled';
  startedAtMs: number;
  deadlineMs: number;
}

/**
 * A worker starts its tasks in the order of delivery. So without being told, the master knows that the oldest
 * `concurrency` of them run. A cancelled one keeps its slot until the worker says that it is free again.
 */
export class GrantTable<T> {
  readonly #grants = new Map<number, Grant<T>>();
  readonly #byLease = new Map<Lease<T>, Grant<T>>();
  /** Those not started, in order of delivery. */
  readonly #waiting = new Queue<Grant<T>>();
  /** Those that occupy a slot, cancelled ones among them. */
  readonly #started = new Set<Grant<T>>();
  #nextId = 1;

  /** All that the worker has not answered. */
  get size(): number {
    return this.#grants.size;
  }

  /** Those that occupy a slot of the worker. */
  get running(): number {
    return this.#started.size;
  }

  /** In order of delivery. */
  [Symbol.iterator](): IterableIterator<Grant<T>> {
    return this.#grants.values();
  }

  add(lease: Lease<T>): Grant<T> {
    const grant: Grant<T> = { id: this.#nextId, lease, state: 'waiting', startedAtMs: 0, deadlineMs: 0 };
    this.#nextId += 1;
    this.#grants.set(grant.id, grant);
    this.#byLease.set(lease, grant);
    this.#waiting.push(grant);
    return grant;
  }

  get(id: number): Grant<T> | undefined {
    return this.#grants.get(id);
  }

  /** Whether that number was ever given out: if not, the peer made it up. */
  wasGranted(id: number): boolean {
    return id > 0 && id < this.#nextId;
  }

  find(lease: Lease<T>): Grant<T> | undefined {
    return this.#byLease.get(lease);
  }

  /** Starts the clock of the oldest ones while the worker has slots. Returns the earliest new deadline. */
  start(concurrency: number, nowMs: number, timeoutMs: number): number {
    let nextDeadlineMs = Number.POSITIVE_INFINITY;
    while (this.#started.size < concurrency) {
      const grant = this.#waiting.shift();
      if (grant === undefined) break;
      this.#started.add(grant);
      grant.startedAtMs = nowMs;
      grant.deadlineMs = nowMs + timeoutMs;
      if (grant.state === 'waiting') grant.state = 'running';
      nextDeadlineMs = Math.min(nextDeadlineMs, grant.deadlineMs);
    }
    return nextDeadlineMs;
  }

  /** The worker has answered. */
  remove(grant: Grant<T>): void {
    this.#grants.delete(grant.id);
    this.#byLease.delete(grant.lease);
    if (!this.#started.delete(grant)) this.#waiting.remove(grant);
  }

  /** Those whose time is over. */
  overdue(nowMs: number): Grant<T>[] {
    return [...this.#started].filter((grant) => grant.state === 'running' && grant.deadlineMs <= nowMs);
  }

  /** When the next of the running ones is overdue. */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const grant of this.#started) if (grant.state === 'running') next = Math.min(next, grant.deadlineMs);
    return next;
  }
}
