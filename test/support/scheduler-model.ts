// What a scheduler must be like, so simple that it can be read at a glance: a list of tasks, searched from the start.
import { expect } from 'vitest';
import type { BackoffOptions } from '../../src/backoff.ts';
import { matches, type Requirements } from '../../src/labels.ts';
import type { Lease } from '../../src/scheduling/scheduler.ts';
import type { TestHolder } from './holders.ts';

export interface Task {
  readonly n: number;
  readonly type: string | undefined;
}

export type Holder = TestHolder<Task, number>;

/** What is asked of a task, complete. */
export interface Asked {
  readonly priority: number;
  readonly requires: Requirements | undefined;
  readonly maxAttempts: number;
  readonly speculate: boolean;
  readonly key: string | undefined;
}

export interface Held {
  readonly lease: Lease<Task>;
  readonly holder: Holder;
  readonly expected: Expected;
  startedAtMs: number | undefined;
}

/** One put, and how its promise must settle; several wait for the same task if they share its idempotency key. */
export interface Sharer {
  readonly id: number;
  readonly task: Expected;
  readonly controller: AbortController;
  readonly expiresAtMs: number;
  outcome: string | undefined;
  /** How it did settle. */
  readonly settlements: string[];
}

/** One task, and all that must be true of it. */
export interface Expected extends Asked {
  readonly n: number;
  readonly type: string | undefined;
  /** All who ever waited for it. */
  readonly sharers: Sharer[];
  state: 'queued' | 'delayed' | 'leased' | 'settled';
  /** When its delay or backoff is over. */
  readyAtMs: number;
  /** When the backoff of its last failure is over. */
  restsUntilMs: number;
  failed: number;
  lost: number;
  lastAttempt: number;
  readonly refusedBy: Set<string>;
  held: Held[];
  /** Since when nobody who is there may have it, while it is queued; and whether that was told. */
  orphanedAtMs: number | undefined;
  isOrphanTold: boolean;
  outcome: string | undefined;
}

/** Nothing else happens at such a quarter: what is told of a task that expires at the same moment is left open. */
export const limits = { maxDeliveries: 2, unmatchedAfter: 400.25, maxTasks: 10 };

/** Backoffs of 20, 40 and then 50 ms, with chance standing at a half. */
export const backoff: BackoffOptions = { base: 40, factor: 2, cap: 100 };
export const chance = 0.5;
const backoffMs = (failures: number): number => Math.min(50, 20 * 2 ** (failures - 1));

export class Model {
  readonly tasks: Expected[] = [];
  readonly over: Held[] = [];
  /** What holders must have been told. */
  readonly revoked: string[] = [];
  /** What listeners must have been told, in order. */
  readonly told: string[] = [];
  readonly runtimes: number[] = [];
  readonly counts = { failures: 0, losses: 0, rejections: 0, speculated: 0, speculatedFirst: 0 };
  holders: Holder[] = [];
  /** Who waits, and for how many. */
  readonly waiting = new Map<Holder, { readonly max: number; readonly isIdle: boolean }>();
  nowMs = 0;

  get held(): Held[] {
    return this.tasks.flatMap(({ held }) => held);
  }

  get sharers(): Sharer[] {
    return this.tasks.flatMap(({ sharers }) => sharers);
  }

  get unsettled(): Expected[] {
    return this.tasks.filter(({ state }) => state !== 'settled');
  }

  /** What a holder may have, in the order in which it must come. */
  queueOf(holder: Holder): Expected[] {
    return this.tasks
      .filter((task) => task.state === 'queued' && suits(task, holder))
      .sort((a, b) => b.priority - a.priority || a.n - b.n);
  }

  /** The unsettled task of this idempotency key. */
  named(key: string | undefined): Expected | undefined {
    return key === undefined ? undefined : this.tasks.find((task) => task.key === key && task.state !== 'settled');
  }

  queue(task: Expected, readyAtMs: number): void {
    task.readyAtMs = readyAtMs;
    task.state = readyAtMs > this.nowMs ? 'delayed' : 'queued';
    task.orphanedAtMs = undefined;
  }

  /** A holder has got a lease. */
  grant(holder: Holder, lease: Lease<Task>): void {
    const expected = this.tasks[lease.task.n];
    if (expected === undefined) throw new Error(`There is no task ${lease.task.n}`);
    expect(lease.isLive, 'it is live').toBe(true);
    expect(lease.attempt, 'the number of the attempt').toBe(
      Math.max(expected.lastAttempt, ...expected.held.map((held) => held.lease.attempt)) + 1,
    );
    expect(suits(expected, holder), 'the holder may have it').toBe(true);
    expect(expected.failed < expected.maxAttempts && expected.lost < limits.maxDeliveries, 'attempts are left').toBe(
      true,
    );
    if (lease.isSpeculative) this.#grantSecond(expected, holder);
    else expect(expected.state, 'where it was').toBe('queued');
    expected.state = 'leased';
    expected.held.push({ lease, holder, expected, startedAtMs: undefined });
  }

  end(held: Held, how: 'complete' | 'fail' | 'returned' | 'rejected' | 'lost' | 'discard'): void {
    const { expected, holder, lease } = held;
    this.#drop(held);
    switch (how) {
      case 'complete':
        if (held.startedAtMs !== undefined) this.runtimes.push(this.nowMs - held.startedAtMs);
        // Unless the other one is over: then it was not a matter of who is first.
        if (lease.isSpeculative && expected.held.length > 0) this.counts.speculatedFirst += 1;
        this.settle(expected, 'done');
        return;
      case 'discard':
        this.settle(expected, 'unsendable');
        return;
      case 'fail':
        this.counts.failures += 1;
        expected.failed += 1;
        expected.lastAttempt = Math.max(expected.lastAttempt, lease.attempt);
        expected.restsUntilMs = this.nowMs + backoffMs(expected.failed);
        break;
      case 'lost':
        this.counts.losses += 1;
        expected.lost += 1;
        expected.lastAttempt = Math.max(expected.lastAttempt, lease.attempt);
        break;
      case 'rejected':
        this.counts.rejections += 1;
        expected.refusedBy.add(holder.id);
        break;
      default:
    }
    if (expected.held.length > 0) return;
    if (expected.failed >= expected.maxAttempts || expected.lost >= limits.maxDeliveries) {
      this.settle(expected, 'deadLetter');
      return;
    }
    if (how === 'fail') this.told.push(`retrying ${expected.n} after ${lease.attempt}`);
    this.queue(expected, Math.max(this.nowMs, expected.restsUntilMs));
  }

  /** Whoever has this signal waits no longer. */
  abort(controller: AbortController, reason: string): void {
    for (const sharer of this.sharers) if (sharer.controller === controller) this.#leave(sharer, 'aborted', reason);
  }

  /** `reason`: with what those settle who still wait for it. */
  settle(task: Expected, outcome: string, reason = outcome): void {
    for (const held of [...task.held]) {
      this.#drop(held);
      // Who holds something when the master stops is told otherwise.
      if (outcome === 'stopped') continue;
      const { holder, lease } = held;
      this.revoked.push(`${holder.id} ${lease.key} ${lease.attempt} ${outcome === 'done' ? 'superseded' : 'aborted'}`);
    }
    task.state = 'settled';
    task.outcome = outcome;
    for (const sharer of sharing(task)) sharer.outcome = reason;
    this.told.push(`settled ${task.n} ${reason}`);
  }

  join(holder: Holder): void {
    this.holders.push(holder);
    this.#noteOrphans();
  }

  leave(holder: Holder): void {
    this.holders = this.holders.filter((each) => each !== holder);
    for (const { refusedBy } of this.tasks) refusedBy.delete(holder.id);
  }

  /** Time has gone by, to a moment at which something may be due. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    for (const sharer of this.sharers) if (sharer.expiresAtMs <= nowMs) this.#leave(sharer, 'expired', 'expired');
    for (const task of this.tasks) if (task.state === 'delayed' && task.readyAtMs <= nowMs) this.queue(task, nowMs);
  }

  /** Nobody waits who could have what there is, and everybody has what comes first. */
  checkServed(served: readonly Held[]): void {
    for (const holder of this.waiting.keys()) expect(this.queueOf(holder), 'what somebody waits for').toEqual([]);
    for (const { holder, expected, lease } of served) {
      const [first] = lease.isSpeculative ? [] : this.queueOf(holder);
      if (first === undefined) continue;
      const isBehind =
        first.priority < expected.priority || (first.priority === expected.priority && first.n > expected.n);
      expect(isBehind, `${expected.n} came before ${first.n}`).toBe(true);
    }
  }

  /** Nobody is idle who could help with what has run for longer than any threshold. */
  checkStragglers(): void {
    const longestMs = Math.max(1000, 1.6 * Math.max(0, ...this.runtimes));
    for (const { expected, startedAtMs = Number.POSITIVE_INFINITY, holder } of this.held) {
      if (!expected.speculate || expected.held.length > 1 || this.nowMs - startedAtMs < longestMs) continue;
      if (expected.failed >= expected.maxAttempts || expected.lost >= limits.maxDeliveries) continue;
      if (this.nowMs < expected.restsUntilMs) continue;
      for (const [each, { isIdle }] of this.waiting) {
        if (isIdle && each !== holder && suits(expected, each) && !this.#waitsElsewhere(each))
          expect.unreachable(`${each.id} could help with ${expected.n}`);
      }
    }
  }

  /** What must be told now of tasks that nobody may have. */
  noteUnmatched(): void {
    this.#noteOrphans();
    for (const task of this.tasks) {
      if (task.orphanedAtMs === undefined || task.isOrphanTold) continue;
      if (task.orphanedAtMs + limits.unmatchedAfter > this.nowMs) continue;
      task.isOrphanTold = true;
      const reason = task.refusedBy.size > 0 ? 'rejected' : this.holders.length === 0 ? 'noWorkers' : 'notAccepted';
      this.told.push(`unmatched ${task.n} ${reason}`);
    }
  }

  get orphans(): number {
    return this.tasks.filter(({ orphanedAtMs }) => orphanedAtMs !== undefined).length;
  }

  #noteOrphans(): void {
    for (const task of this.tasks) {
      if (task.state !== 'queued' || this.holders.some((holder) => suits(task, holder))) {
        task.orphanedAtMs = undefined;
      } else if (task.orphanedAtMs === undefined) {
        task.orphanedAtMs = this.nowMs;
        task.isOrphanTold = false;
      }
    }
  }

  #grantSecond(expected: Expected, holder: Holder): void {
    expect(expected.speculate, 'it may be speculated').toBe(true);
    expect(expected.held, 'it runs once').toHaveLength(1);
    const [first] = expected.held;
    expect(first?.holder, 'it runs elsewhere').not.toBe(holder);
    expect(this.nowMs - (first?.startedAtMs ?? this.nowMs), 'it takes long').toBeGreaterThanOrEqual(100);
    expect(this.nowMs, 'it does not rest').toBeGreaterThanOrEqual(expected.restsUntilMs);
    expect(this.queueOf(holder), 'nothing is queued for the holder').toEqual([]);
    expect(this.#waitsElsewhere(holder), 'nothing waits elsewhere for the holder').toBe(false);
    this.counts.speculated += 1;
    this.told.push(`speculated ${expected.n} ${holder.name} ${first?.holder.name}`);
  }

  /** Whether another holder has a task that has not started, and that this one may have. */
  #waitsElsewhere(holder: Holder): boolean {
    return this.tasks.some(
      (task) =>
        task.held.length > 0 && task.held.every(({ startedAtMs }) => startedAtMs === undefined) && suits(task, holder),
    );
  }

  /** The task goes on for the others, or is over with the last. */
  #leave(sharer: Sharer, outcome: 'aborted' | 'expired', reason: string): void {
    if (sharer.outcome !== undefined) return;
    if (sharing(sharer.task).length === 1) this.settle(sharer.task, outcome, reason);
    else sharer.outcome = reason;
  }

  #drop(held: Held): void {
    held.expected.held = held.expected.held.filter((each) => each !== held);
    this.over.push(held);
  }
}

/** Those who have not left, in the order in which they came. */
export function sharing({ sharers }: Expected): Sharer[] {
  return sharers.filter(({ outcome }) => outcome === undefined);
}

function suits({ refusedBy, type, requires }: Expected, { id, accepts, labels }: Holder): boolean {
  if (refusedBy.has(id) || !matches(labels, requires)) return false;
  return accepts === undefined || (type !== undefined && accepts.has(type));
}
