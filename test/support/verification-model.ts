// What the verifying of tasks must be like, so simple that it can be read at a glance.
import { expect } from 'vitest';
import type { Lease } from '../../src/scheduling/scheduler.ts';
import type { TestHolder } from './holders.ts';

export interface Task {
  readonly n: number;
  readonly type: string;
}

export type Holder = TestHolder<Task, string>;

/** How a task is verified. */
export interface Verify {
  readonly quorum: number;
  readonly maxReplicas: number;
  /** Undefined: nobody is trusted. */
  readonly after: number | undefined;
}

export type Role = 'one of several' | 'alone' | 'always';

export interface Held {
  readonly lease: Lease<Task>;
  readonly holder: Holder;
  readonly task: Expected;
  role: Role;
  startedAtMs: number | undefined;
}

/** One task, and all that must be true of it. */
export interface Expected {
  readonly n: number;
  readonly type: string;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly verify: Verify | undefined;
  readonly controller: AbortController;
  held: Held[];
  /** The results that count, and whose they are. */
  votes: { readonly holder: Holder; readonly result: string }[];
  /** Who has given a result, whether or not it counts. */
  readonly heard: Set<string>;
  readonly failedBy: Map<string, number>;
  readonly refusedBy: Set<string>;
  failed: number;
  lost: number;
  /** The number of the last attempt that failed or was lost. */
  lastAttempt: number;
  restsUntilMs: number;
  outcome: string | undefined;
  /** How its promise did settle. */
  readonly settlements: string[];
}

export const limits = { maxDeliveries: 3 };

/** A draw of one who is trusted with three results or more is one that lets it pass; with two, one that does not. */
export const chance = 0.4;

export function principalOf({ id, principal }: Holder): string {
  return principal === undefined ? `only ${id}` : `named ${principal}`;
}

export class VerificationModel {
  readonly tasks: Expected[] = [];
  readonly over: Held[] = [];
  readonly trust = new Map<string, number>();
  /** Whose result of which task was drawn last to be checked, and how often it had proved right then. */
  readonly checks = new Map<string, { readonly task: Expected; readonly valid: number }>();
  readonly counts = { trusted: 0, disputed: 0, distrusted: 0, discarded: 0, failures: 0, losses: 0, rejections: 0 };
  holders: Holder[] = [];
  nowMs = 0;

  get held(): Held[] {
    return this.tasks.flatMap(({ held }) => held);
  }

  stateOf(task: Expected): 'queued' | 'delayed' | 'leased' | 'settled' {
    if (task.outcome !== undefined) return 'settled';
    if (!this.wants(task)) return 'leased';
    return task.restsUntilMs > this.nowMs ? 'delayed' : 'queued';
  }

  count(state: ReturnType<VerificationModel['stateOf']>): number {
    return this.tasks.filter((task) => this.stateOf(task) === state).length;
  }

  /** How many queued tasks nobody may have who is there. */
  get orphans(): number {
    return this.tasks.filter((task) => this.isOrphan(task)).length;
  }

  isOrphan(task: Expected): boolean {
    return this.stateOf(task) === 'queued' && !this.holders.some((holder) => suits(task, holder));
  }

  /** What a holder may have, in the order in which it must come. */
  queueOf(holder: Holder): Expected[] {
    return this.tasks
      .filter((task) => this.stateOf(task) === 'queued' && suits(task, holder))
      .sort((a, b) => b.priority - a.priority || a.n - b.n);
  }

  wants(task: Expected): boolean {
    const { verify, held, votes } = task;
    if (isUsedUp(task)) return false;
    if (verify === undefined) return held.length === 0;
    if (held.some(({ role }) => role !== 'one of several')) return false;
    return Math.min(verify.quorum - most(task), verify.maxReplicas - votes.length) > held.length;
  }

  /** What a lease would be worth that a holder gets now. */
  roleOf(task: Expected, holder: Holder): Role {
    const after = task.verify?.after;
    if (after === undefined) return 'one of several';
    if (holder.isTrusted) return 'always';
    const isUntouched = task.held.length === 0 && task.votes.length === 0;
    return isUntouched && this.validOf(holder) >= after ? 'alone' : 'one of several';
  }

  grant(holder: Holder, lease: Lease<Task>): void {
    const task = this.tasks[lease.task.n];
    if (task === undefined) throw new Error(`There is no task ${lease.task.n}`);
    expect(lease.isLive && !lease.isSpeculative, 'it is live, and the only one there').toBe(true);
    expect(suits(task, holder), 'the holder may have it').toBe(true);
    expect(this.wants(task) && task.restsUntilMs <= this.nowMs, 'it wants a lease').toBe(true);
    const own = 1 + (task.failedBy.get(principalOf(holder)) ?? 0);
    expect(lease.attempt, 'the number of the attempt').toBe(task.verify === undefined ? task.lastAttempt + 1 : own);
    task.held.push({ lease, holder, task, role: this.roleOf(task, holder), startedAtMs: undefined });
  }

  complete(held: Held, result: string): void {
    const { task, holder, role } = held;
    this.#drop(held);
    const { verify } = task;
    if (verify === undefined) {
      this.settle(task, `done: ${result}`);
      return;
    }
    const principal = principalOf(holder);
    const valid = this.validOf(holder);
    const mayPass =
      role === 'alone' && valid >= (verify.after ?? Number.NaN) && !this.isBeingChecked(holder, verify.after);
    const passes = mayPass && chance >= 1 / valid;
    if (role === 'always' || passes) {
      this.counts.trusted += 1;
      this.#judge(task, result);
      this.settle(task, `done: ${result}`);
      return;
    }
    if (task.votes.length > 0 && task.votes.every((vote) => vote.result !== result)) this.counts.disputed += 1;
    task.votes.push({ holder, result });
    task.heard.add(principal);
    if (mayPass) this.checks.set(principal, { task, valid });
    if (task.votes.filter((vote) => vote.result === result).length >= verify.quorum) {
      this.#judge(task, result);
      this.settle(task, `done: ${result}`);
    } else if (verify.quorum - most(task) > verify.maxReplicas - task.votes.length) {
      this.settle(task, 'noQuorum');
    } else {
      this.#giveUp(task);
    }
  }

  fail(held: Held): void {
    this.counts.failures += 1;
    held.task.failed += 1;
    // Half of it, by chance; see `chance`.
    held.task.restsUntilMs = this.nowMs + chance * Math.min(100, 40 * 2 ** (held.task.failed - 1));
    this.#noteFailure(held);
  }

  release(held: Held, how: 'returned' | 'rejected' | 'lost'): void {
    const { task, holder } = held;
    if (how === 'rejected') {
      this.counts.rejections += 1;
      task.refusedBy.add(holder.id);
    }
    if (how === 'lost') {
      this.counts.losses += 1;
      task.lost += 1;
      this.#noteFailure(held);
    } else {
      this.#drop(held);
      this.#giveUp(task);
    }
  }

  settle(task: Expected, outcome: string): void {
    for (const held of [...task.held]) this.#drop(held);
    task.outcome = outcome;
  }

  leave(holder: Holder): void {
    this.holders = this.holders.filter((each) => each !== holder);
    for (const { refusedBy } of this.tasks) refusedBy.delete(holder.id);
    if (holder.principal === undefined) this.trust.delete(principalOf(holder));
  }

  isBeingChecked(holder: Holder, after = Number.NaN): boolean {
    const check = this.checks.get(principalOf(holder));
    if (check === undefined || check.task.outcome !== undefined) return false;
    return !this.isOrphan(check.task) || this.validOf(holder) < check.valid + after;
  }

  validOf(holder: Holder): number {
    return this.trust.get(principalOf(holder)) ?? 0;
  }

  #noteFailure(held: Held): void {
    const { task, holder, lease } = held;
    const principal = principalOf(holder);
    task.failedBy.set(principal, 1 + (task.failedBy.get(principal) ?? 0));
    task.lastAttempt = Math.max(task.lastAttempt, lease.attempt);
    this.#drop(held);
    this.#giveUp(task);
  }

  #giveUp(task: Expected): void {
    if (isUsedUp(task) && task.held.length === 0) this.settle(task, 'deadLetter');
  }

  #judge(task: Expected, right: string): void {
    for (const { holder, result } of task.votes) {
      if (result === right) this.trust.set(principalOf(holder), this.validOf(holder) + 1);
      else this.#distrust(holder, task);
    }
  }

  #distrust(holder: Holder, at: Expected): void {
    const principal = principalOf(holder);
    this.trust.delete(principal);
    this.checks.delete(principal);
    this.counts.distrusted += 1;
    for (const task of this.tasks) {
      if (task === at || task.outcome !== undefined) continue;
      const kept = task.votes.filter((vote) => principalOf(vote.holder) !== principal);
      this.counts.discarded += task.votes.length - kept.length;
      task.votes = kept;
      for (const held of task.held) {
        if (held.role === 'alone' && principalOf(held.holder) === principal) held.role = 'one of several';
      }
    }
  }

  #drop(held: Held): void {
    held.task.held = held.task.held.filter((each) => each !== held);
    this.over.push(held);
  }
}

/** How many agree on what most agree on. */
function most({ votes }: Expected): number {
  return Math.max(0, ...votes.map(({ result }) => votes.filter((vote) => vote.result === result).length));
}

function isUsedUp({ failed, lost, maxAttempts }: Expected): boolean {
  return failed >= maxAttempts || lost >= limits.maxDeliveries;
}

export function suits({ verify, refusedBy, type, held, heard }: Expected, holder: Holder): boolean {
  if (refusedBy.has(holder.id) || holder.accepts?.has(type) === false) return false;
  if (verify === undefined) return true;
  const principal = principalOf(holder);
  return !heard.has(principal) && !held.some((each) => principalOf(each.holder) === principal);
}
