// Those who take leases from a scheduler, without a connection.
import type { Labels } from '../../src/labels.ts';
import type { Lease, LeaseHolder, RevokeReason, TaskScheduler } from '../../src/scheduling/scheduler.ts';
import { nextTurn } from './event-loop.ts';

/** What a test's holder takes. */
export interface HolderOptions {
  readonly accepts?: readonly string[];
  readonly labels?: Labels;
  readonly principal?: string | undefined;
  readonly isTrusted?: boolean;
}

/** A holder that takes when it is told to, and notes what is revoked. It joins at once. */
export class TestHolder<T, R> implements LeaseHolder<T> {
  readonly id: string;
  readonly name: string;
  readonly accepts: ReadonlySet<string> | undefined;
  readonly labels: Labels | undefined;
  readonly principal: string | undefined;
  readonly isTrusted: boolean;
  /** How many it could start at once. */
  idleSlots = Number.POSITIVE_INFINITY;
  /** Why leases were revoked, in order. */
  readonly reasons: RevokeReason[] = [];
  /** The leases that were revoked. */
  readonly revoked: Lease<T>[] = [];
  /** What to do besides when a lease is revoked. */
  onRevoke: (lease: Lease<T>) => void = () => {};
  readonly #scheduler: TaskScheduler<T, R>;

  constructor(scheduler: TaskScheduler<T, R>, id = 'h1', options: readonly string[] | HolderOptions = {}) {
    const {
      accepts,
      labels,
      principal,
      isTrusted = false,
    }: HolderOptions = isList(options) ? { accepts: options } : options;
    this.#scheduler = scheduler;
    this.id = id;
    this.name = `holder ${id}`;
    this.accepts = accepts === undefined ? undefined : new Set(accepts);
    this.labels = labels;
    this.principal = principal;
    this.isTrusted = isTrusted;
    scheduler.join(this);
  }

  revoke(lease: Lease<T>, reason: RevokeReason): void {
    this.reasons.push(reason);
    this.revoked.push(lease);
    this.onRevoke(lease);
  }

  /** Waits for 1 to `max` leases. */
  async take(max = 1, signal: AbortSignal = new AbortController().signal): Promise<Lease<T>[]> {
    return this.#scheduler.take(this, max, signal);
  }

  /** What there is now: 0 to `max` leases, without waiting for more. */
  async takeNow(max = Number.POSITIVE_INFINITY): Promise<Lease<T>[]> {
    const controller = new AbortController();
    const taking = this.take(max, controller.signal);
    await nextTurn();
    controller.abort();
    return taking;
  }

  /** The one lease that there must be. */
  async takeOne(): Promise<Lease<T>> {
    const [lease] = await this.takeNow(1);
    if (lease === undefined) throw new Error('There is nothing to take');
    return lease;
  }
}

function isList(options: readonly string[] | HolderOptions): options is readonly string[] {
  return Array.isArray(options);
}

/** How a promise stands: with the value, with the reason, or not settled. */
export type Outcome<R> =
  | { readonly status: 'fulfilled'; readonly value: R }
  | { readonly status: 'rejected'; readonly reason: unknown }
  | { readonly status: 'pending' };

/** Follows a promise, so that a test can look at how it stands without waiting for it. */
export function follow<R>(promise: Promise<R>): () => Outcome<R> {
  let outcome: Outcome<R> = { status: 'pending' };
  promise.then(
    (value) => {
      outcome = { status: 'fulfilled', value };
    },
    (reason: unknown) => {
      outcome = { status: 'rejected', reason };
    },
  );
  return () => outcome;
}
