// One task that was put, from `put` until it is settled.
import { type AttemptFailure, DeadLetterError } from '../errors.ts';
import type { HeapItem } from '../heap.ts';
import type { Lease, LeaseHolder } from './scheduler.ts';

/** A lease as the scheduler made it. */
export class RecordLease<T, R> implements Lease<T> {
  readonly record: TaskRecord<T, R>;
  readonly holder: LeaseHolder<T>;
  readonly attempt: number;

  constructor(record: TaskRecord<T, R>, holder: LeaseHolder<T>, attempt: number) {
    this.record = record;
    this.holder = holder;
    this.attempt = attempt;
  }

  get key(): string {
    return this.record.sequence.toString(36);
  }

  get task(): T {
    return this.record.task;
  }

  get isLive(): boolean {
    return this.record.lease === this;
  }
}

/** How often a task may be tried. */
export interface AttemptLimits {
  readonly maxAttempts: number;
  readonly maxDeliveries: number;
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * A task and what has become of it. It is in exactly one state: queued (`heapIndex` ≥ 0), leased (`lease` is set) or
 * settled (neither).
 */
export class TaskRecord<T, R> implements HeapItem {
  heapIndex = -1;
  lease: RecordLease<T, R> | undefined = undefined;
  /** The ids of the holders that rejected it. */
  refusedBy = NOBODY;
  /** Its place in the order; kept for as long as it lives, so that a task that comes back comes back to its place. */
  readonly sequence: number;
  readonly task: T;
  readonly type: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
  readonly #limits: AttemptLimits;
  #failures: AttemptFailure[] | undefined = undefined;
  #failed = 0;
  #lost = 0;

  constructor(
    sequence: number,
    task: T,
    limits: AttemptLimits,
    signal: AbortSignal | undefined,
    resolve: (result: R) => void,
    reject: (reason: unknown) => void,
  ) {
    this.sequence = sequence;
    this.task = task;
    this.type = typeOf(task);
    this.signal = signal;
    this.resolve = resolve;
    this.reject = reject;
    this.#limits = limits;
  }

  /** Starts the next attempt. */
  grant(holder: LeaseHolder<T>): RecordLease<T, R> {
    this.lease = new RecordLease(this, holder, this.#failed + this.#lost + 1);
    return this.lease;
  }

  /** Notes that the current attempt failed. Returns the dead-letter error if it was the last one allowed. */
  noteFailure(error: Error): DeadLetterError | undefined {
    this.#failed += 1;
    return this.#note(error);
  }

  /** Notes that the worker was lost in the current attempt; the same. */
  noteLoss(error: Error): DeadLetterError | undefined {
    this.#lost += 1;
    return this.#note(error);
  }

  /** Notes that this holder will not have the task. */
  noteRefusal(holder: LeaseHolder<T>): void {
    this.refusedBy = new Set(this.refusedBy).add(holder.id);
  }

  /** A holder is gone: that it refused the task does not matter any more. Not for a queued task, whose lane it is in. */
  forgetRefusal(holderId: string): void {
    if (!this.refusedBy.has(holderId)) return;
    this.refusedBy = new Set([...this.refusedBy].filter((id) => id !== holderId));
  }

  #note(error: Error): DeadLetterError | undefined {
    if (this.lease === undefined) return undefined;
    this.#failures ??= [];
    this.#failures.push({ attempt: this.lease.attempt, worker: this.lease.holder.name, error });
    const isUsedUp = this.#failed >= this.#limits.maxAttempts || this.#lost >= this.#limits.maxDeliveries;
    return isUsedUp ? new DeadLetterError(this.#failures) : undefined;
  }
}

/** The `type` of a task, by which workers choose, or undefined. */
function typeOf(task: unknown): string | undefined {
  if (typeof task !== 'object' || task === null || !('type' in task)) return undefined;
  return typeof task.type === 'string' ? task.type : undefined;
}
