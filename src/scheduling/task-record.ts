// One task that was put, from `put` until it is settled.

import type { BagItem } from '../bag.ts';
import { type AttemptFailure, DeadLetterError } from '../errors.ts';
import { matches, type Requirements } from '../labels.ts';
import type { Lane } from './lane.ts';
import type { OrderedItem } from './ordered-queue.ts';
import { principalOf } from './principal.ts';
import type { Lease, LeaseHolder, TimeoutFrom } from './scheduler.ts';
import { TaskHistory } from './task-history.ts';
import type { TaskTerms } from './task-options.ts';
import type { Verification } from './verification.ts';

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
    const { refusedBy, barred } = this.record;
    // Of those who are barred, each may have any number of holders.
    return barred.size === 0 ? refusedBy.size : Number.POSITIVE_INFINITY;
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
const NOTHING_YET: Readonly<TaskHistory<never>> = Object.freeze(new TaskHistory<never>());

const NOBODY: ReadonlySet<string> = new Set();

/**
 * A task and what has become of it. `held`: there is no room for it yet. `queued`: in the backlog. `delayed`: its time
 * has not come, or it waits out a backoff. `leased`: it has live leases, and wants no more. A task that is verified may have some
 * in the states before, as it wants more. There may be millions: what few of them have is elsewhere.
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
  #history: Readonly<TaskHistory<R>> = NOTHING_YET;

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

  /** The principals that must not be given it, as they have a part in verifying it. */
  get barred(): ReadonlySet<string> {
    return this.#history.verification?.barred ?? NOBODY;
  }

  /** The votes on it; there once somebody had it who was to be verified. */
  get verification(): Verification<R> | undefined {
    return this.#history.verification;
  }

  set verification(verification: Verification<R> | undefined) {
    this.#ownHistory().verification = verification;
  }

  /** Whether it may be run a second time beside an attempt that takes long. Who verifies it does that anyway. */
  get maySpeculate(): boolean {
    return this.terms.speculate && this.terms.verify === undefined;
  }

  /** Whether it is to be given to somebody, or to somebody else besides. */
  get wantsLease(): boolean {
    if (this.terms.verify === undefined) return this.#lease === undefined;
    return !this.isUsedUp && (this.verification?.wanted ?? 1) > 0;
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

  /** Whether this is the oldest one. */
  isFirst(lease: RecordLease<T, R>): boolean {
    return this.#lease === lease;
  }

  /** Whether it has more than one. */
  get isLeasedTwice(): boolean {
    return this.#lease?.next !== undefined;
  }

  /** How many attempts have been made, those that run included. */
  get attempts(): number {
    const running = this.leases.filter(({ startedAtMs }) => startedAtMs !== undefined).length;
    return this.#history.count + running + (this.verification?.heard ?? 0);
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
    if (this.refusedBy.has(holder.id) || !isFor(holder, this.type, this.terms.requires)) return false;
    return this.barred.size === 0 || !this.barred.has(principalOf(holder));
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
    const lease =
      this.verification === undefined
        ? new RecordLease(this, holder, attempt + 1, last !== undefined)
        : new RecordLease(this, holder, this.verification.attemptOf(principalOf(holder)), false);
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
    this.verification?.noteFailure(principalOf(holder));
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

  #ownHistory(): TaskHistory<R> {
    const history = this.#history === NOTHING_YET ? new TaskHistory<R>() : this.#history;
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
