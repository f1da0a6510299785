// One task that was put, from `put` until it is settled.

import type { BagItem } from '../bag.ts';
import { type AttemptFailure, DeadLetterError } from '../errors.ts';
import { matches, type Requirements } from '../labels.ts';
import type { Lane } from './lane.ts';
import type { OrderedItem } from './ordered-queue.ts';
import type { Lease, LeaseHolder, TimeoutFrom } from './scheduler.ts';
import { TaskHistory } from './task-history.ts';
import type { TaskTerms } from './task-options.ts';

/** A lease as the scheduler made it. */
export class RecordLease<T, R> implements Lease<T> {
  readonly record: TaskRecord<T, R>;
  readonly holder: LeaseHolder<T>;
  readonly attempt: number;
  readonly isSpeculative: boolean;
  isLive = true;
  number = 0;
  /** The next one that is live beside it, of the same task. */
  next: RecordLease<T, R> | undefined = undefined;
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

/**
 * What settles the promise, or all the promises, that were given for a task: with its result, or with a promise that is
 * rejected. One function, as every queued task keeps it.
 */
export type Settle<R> = (outcome: R | Promise<never>) => void;

/** What to settle a promise with for it to reject. */
export function rejection(reason: unknown): Promise<never> {
  const rejected = Promise.reject(reason);
  // Whether anybody handles it is a matter of the promise that was given out.
  rejected.catch(() => {});
  return rejected;
}

/** Most tasks need no other. */
const NOTHING_YET: Readonly<TaskHistory> = Object.freeze(new TaskHistory());

/**
 * A task and what has become of it. `held`: there is no room for it yet. `queued`: in the backlog. `delayed`: its time
 * has not come, or it waits out a backoff. `leased`: it has live leases, one, or two if it is speculated. There may be
 * millions: what few of them have is elsewhere.
 */
export class TaskRecord<T, R> implements OrderedItem<TaskRecord<T, R>>, BagItem {
  heapIndex = -1;
  /** Its place in its lane, or among those that are leased. */
  slot = -1;
  state: 'held' | 'queued' | 'delayed' | 'leased' | 'settled' = 'held';
  /** The oldest of its live leases. The others follow it. */
  #lease: RecordLease<T, R> | undefined = undefined;
  /** Where it is queued; there only while it is. */
  lane: Lane<T, R> | undefined = undefined;
  /** Since when it has been ready to be taken. */
  readySinceMs = 0;
  /** Its place in the order; kept for as long as it lives, so that a task that comes back comes back to its place. */
  readonly sequence: number;
  readonly task: T;
  readonly terms: TaskTerms;
  readonly #settle: Settle<R>;
  #history = NOTHING_YET;

  constructor(sequence: number, task: T, terms: TaskTerms, settle: Settle<R>) {
    this.sequence = sequence;
    this.task = task;
    this.terms = terms;
    this.#settle = settle;
  }

  get key(): string {
    return this.sequence.toString(36);
  }

  /** By which workers choose; undefined if the task has none. */
  get type(): string | undefined {
    return typeOf(this.task);
  }

  resolve(result: R): void {
    this.#settle(result);
  }

  reject(reason: unknown): void {
    this.#settle(rejection(reason));
  }

  /** The ids of the holders that rejected it. */
  get refusedBy(): ReadonlySet<string> {
    return this.#history.refusedBy;
  }

  /** When its delay, or the backoff after its last failure, is over. */
  get restsUntilMs(): number {
    return this.#history.restsUntilMs;
  }

  set restsUntilMs(atMs: number) {
    this.#ownHistory().restsUntilMs = atMs;
  }

  /** The live leases, the oldest first. */
  get leases(): RecordLease<T, R>[] {
    const leases: RecordLease<T, R>[] = [];
    for (let lease = this.#lease; lease !== undefined; lease = lease.next) leases.push(lease);
    return leases;
  }

  /** Whether it has a live lease. */
  get isLeased(): boolean {
    return this.#lease !== undefined;
  }

  /** Whether it has more than one. */
  get isLeasedTwice(): boolean {
    return this.#lease?.next !== undefined;
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
    let attempt = this.#history.lastAttempt;
    let last: RecordLease<T, R> | undefined;
    for (let each = this.#lease; each !== undefined; each = each.next) {
      attempt = Math.max(attempt, each.attempt);
      last = each;
    }
    const lease = new RecordLease(this, holder, attempt + 1, last !== undefined);
    if (last === undefined) this.#lease = lease;
    else last.next = lease;
    this.state = 'leased';
    return lease;
  }

  /** Ends a lease; the state is for the caller to decide if it was the last. */
  end(lease: RecordLease<T, R>): void {
    lease.isLive = false;
    if (this.#lease === lease) {
      this.#lease = lease.next;
    } else {
      const before = this.leases.find(({ next }) => next === lease);
      if (before !== undefined) before.next = lease.next;
    }
  }

  /** Notes that an attempt failed, or that the worker was lost in the middle of it. */
  note(how: 'failed' | 'lost', { attempt, holder }: RecordLease<T, R>, error: Error): void {
    this.#ownHistory().note(how, { attempt, worker: holder.name, workerId: holder.id, error });
  }

  /** Notes that this holder will not have the task. Not for a queued one, which has its place in the backlog by it. */
  noteRefusal(holder: LeaseHolder<T>): void {
    this.#ownHistory().noteRefusal(holder.id);
  }

  /** Keeps only those refusals; the same as above. */
  keepRefusals(isKept: (holderId: string) => boolean): void {
    if (this.refusedBy.size > 0) this.#ownHistory().keepRefusals(isKept);
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

  #ownHistory(): TaskHistory {
    const history = this.#history === NOTHING_YET ? new TaskHistory() : this.#history;
    this.#history = history;
    return history;
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
