// One task that was put, from `put` until it is settled.
import { type AttemptFailure, DeadLetterError } from '../errors.ts';
import type { HeapItem } from '../heap.ts';
import { matches, type Requirements } from '../labels.ts';
import type { Alarm } from '../timer-queue.ts';
import { AttemptHistory } from './attempt-history.ts';
import type { Lane } from './lane.ts';
import type { Lease, LeaseHolder, TimeoutFrom } from './scheduler.ts';
import type { TaskTerms } from './task-options.ts';

/** A lease as the scheduler made it. */
export class RecordLease<T, R> implements Lease<T> {
  readonly record: TaskRecord<T, R>;
  readonly holder: LeaseHolder<T>;
  readonly attempt: number;
  readonly isSpeculative: boolean;
  isLive = true;
  /** When the attempt began to run; undefined before. */
  startedAtMs: number | undefined = undefined;

  constructor(record: TaskRecord<T, R>, holder: LeaseHolder<T>, attempt: number, isSpeculative: boolean) {
    this.record = record;
    this.holder = holder;
    this.attempt = attempt;
    this.isSpeculative = isSpeculative;
  }

  get key(): string {
    return this.record.key;
  }

  get task(): T {
    return this.record.task;
  }

  get timeout(): number | undefined {
    return this.record.terms.timeoutMs;
  }

  get timeoutFrom(): TimeoutFrom {
    return this.record.terms.timeoutFrom;
  }

  get refusals(): number {
    return this.record.refusedBy.size;
  }

  suits(holder: LeaseHolder<T>): boolean {
    return this.record.suits(holder);
  }
}

/** What settles the promise, or all the promises, that were given for a task. */
export interface Settle<R> {
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

const NOBODY: ReadonlySet<string> = new Set();
const NONE: readonly never[] = Object.freeze([]);
/** Most tasks need no other. */
const NOTHING_YET: Readonly<AttemptHistory> = Object.freeze(new AttemptHistory());

/**
 * A task and what has become of it. `held`: there is no room for it yet. `queued`: in the backlog. `delayed`: its time has not come, or it waits out a
 * backoff. `leased`: it has live leases, one, or two if it is speculated.
 */
export class TaskRecord<T, R> implements HeapItem {
  heapIndex = -1;
  state: 'held' | 'queued' | 'delayed' | 'leased' | 'settled' = 'held';
  /** Whether a map has put it. */
  isMapped = false;
  /** The live leases, the oldest first. */
  leases: readonly RecordLease<T, R>[] = NONE;
  /** Where it is queued; there only while it is. */
  lane: Lane<T, R> | undefined = undefined;
  /** Of the time in which nobody could have it, and that was told; see `Lane.orphanedAtMs`. */
  unmatchedSinceMs: number | undefined = undefined;
  /** The ids of the holders that rejected it. */
  refusedBy = NOBODY;
  /** Since when it has been ready to be taken. */
  readySinceMs = 0;
  /** When its delay, or the backoff after its last failure, is over. */
  restsUntilMs = 0;
  /** Rings when the delay or the backoff is over; there only while the task is delayed. */
  wakeUp: Alarm | undefined = undefined;
  /** Rings at the task's deadline, if it has one. */
  deadline: Alarm | undefined = undefined;
  /** Its place in the order; kept for as long as it lives, so that a task that comes back comes back to its place. */
  readonly sequence: number;
  readonly task: T;
  readonly type: string | undefined;
  readonly terms: TaskTerms;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
  /** The name by which it can be shared. */
  readonly idempotencyKey: string | undefined;
  #history = NOTHING_YET;

  constructor(sequence: number, task: T, terms: TaskTerms, promise: Settle<R>, idempotencyKey?: string) {
    this.sequence = sequence;
    this.task = task;
    this.type = typeOf(task);
    this.terms = terms;
    this.resolve = promise.resolve;
    this.reject = promise.reject;
    this.idempotencyKey = idempotencyKey;
  }

  get key(): string {
    return this.sequence.toString(36);
  }

  /** How many attempts have been made, those that run included. */
  get attempts(): number {
    return this.#history.count + this.leases.filter(({ startedAtMs }) => startedAtMs !== undefined).length;
  }

  /** How those attempts went wrong that did: the last ones of them. */
  get failures(): readonly AttemptFailure[] {
    return this.#history.failures;
  }

  /** How many attempts have failed. */
  get failed(): number {
    return this.#history.failed;
  }

  /** Whether it comes before another one in the queue. */
  isBefore(other: TaskRecord<T, R>): boolean {
    const byPriority = this.terms.priority - other.terms.priority;
    return byPriority > 0 || (byPriority === 0 && this.sequence < other.sequence);
  }

  /** Whether this holder may have it. */
  suits(holder: LeaseHolder<T>): boolean {
    return !this.refusedBy.has(holder.id) && isFor(holder, this.type, this.terms.requires);
  }

  /** Starts the next attempt. */
  grant(holder: LeaseHolder<T>): RecordLease<T, R> {
    // Numbers of attempts that were given back come again.
    const attempt = this.leases.reduce((last, lease) => Math.max(last, lease.attempt), this.#history.lastAttempt) + 1;
    const lease = new RecordLease(this, holder, attempt, this.leases.length > 0);
    this.leases = this.leases.length === 0 ? [lease] : [...this.leases, lease];
    this.state = 'leased';
    return lease;
  }

  /** Ends a lease; the state is for the caller to decide if it was the last. */
  end(lease: RecordLease<T, R>): void {
    lease.isLive = false;
    this.leases = this.leases.length === 1 ? NONE : this.leases.filter((each) => each !== lease);
  }

  /** Notes that an attempt failed, or that the worker was lost in the middle of it. */
  note(how: 'failed' | 'lost', { attempt, holder }: RecordLease<T, R>, error: Error): void {
    const history = this.#history === NOTHING_YET ? new AttemptHistory() : this.#history;
    history.note(how, { attempt, worker: holder.name, workerId: holder.id, error });
    this.#history = history;
  }

  /** Notes that this holder will not have the task. Not for a queued one, which has its place in the backlog by it. */
  noteRefusal(holder: LeaseHolder<T>): void {
    this.refusedBy = new Set(this.refusedBy).add(holder.id);
  }

  /** Keeps only those refusals; the same as above. */
  keepRefusals(isKept: (holderId: string) => boolean): void {
    if (this.refusedBy.size === 0) return;
    const kept = [...this.refusedBy].filter(isKept);
    if (kept.length < this.refusedBy.size) this.refusedBy = kept.length === 0 ? NOBODY : new Set(kept);
  }

  /** Whether it has failed or was lost so often that there is no further attempt. */
  get isUsedUp(): boolean {
    return this.#history.failed >= this.terms.maxAttempts || this.#history.lost >= this.terms.maxDeliveries;
  }

  /** Why the task is given up, if its attempts are used up. */
  deadLetter(): DeadLetterError | undefined {
    const { failures, count } = this.#history;
    return this.isUsedUp ? new DeadLetterError(failures, count) : undefined;
  }
}

/** Whether a holder takes tasks of this type with these requirements. */
export function isFor<T>(
  holder: LeaseHolder<T>,
  type: string | undefined,
  requires: Requirements | undefined,
): boolean {
  if (holder.accepts !== undefined && (type === undefined || !holder.accepts.has(type))) return false;
  return requires === undefined || matches(holder.labels, requires);
}

/** The `type` of a task, by which workers choose, or undefined. */
function typeOf(task: unknown): string | undefined {
  if (typeof task !== 'object' || task === null || !('type' in task)) return undefined;
  return typeof task.type === 'string' ? task.type : undefined;
}
