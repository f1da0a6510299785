import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { TestHolder } from '../../support/holders.ts';
import { integerBelow, pick, seededRandom } from '../../support/random.ts';
import { TestScheduler } from '../../support/scheduler.ts';

interface Task {
  readonly n: number;
  readonly type: string;
}

/** What must be true of one task at any time. */
interface Expected {
  readonly n: number;
  readonly type: string;
  state: 'queued' | 'leased' | 'settled';
  failed: number;
  lost: number;
  readonly refusedBy: Set<string>;
  /** How its put must have settled; and how it did. */
  outcome: string | undefined;
  readonly settlements: string[];
  readonly controller: AbortController;
}

interface Held {
  readonly lease: Lease<Task>;
  readonly holder: TestHolder<Task, number>;
  readonly expected: Expected;
}

const maxAttempts = 3;
const maxDeliveries = 2;

/** A scheduler beside a model so simple that it can be read at a glance: a sorted list, searched from the start. */
class Comparison {
  readonly scheduler = new TestScheduler<Task, number>({ maxAttempts, maxDeliveries });
  readonly all: Expected[] = [];
  readonly over: Lease<Task>[] = [];
  held: Held[] = [];
  holders: TestHolder<Task, number>[] = [];
  #nextHolder = 0;

  addHolder(accepts?: readonly string[]): void {
    this.#nextHolder += 1;
    this.holders.push(new TestHolder(this.scheduler, `h${this.#nextHolder}`, accepts));
  }

  put(type: string): void {
    const controller = new AbortController();
    const n = this.all.length;
    const expected: Expected = {
      n,
      type,
      state: 'queued',
      failed: 0,
      lost: 0,
      refusedBy: new Set(),
      outcome: undefined,
      settlements: [],
      controller,
    };
    this.all.push(expected);
    this.scheduler.put({ n, type }, { signal: controller.signal }).then(
      (result) => expected.settlements.push(`done ${result}`),
      (reason) => expected.settlements.push(reason instanceof Error ? reason.message : String(reason)),
    );
  }

  async take(holder: TestHolder<Task, number>, max: number): Promise<void> {
    const due = this.all.filter(
      ({ state, type, refusedBy }) =>
        state === 'queued' && !refusedBy.has(holder.id) && (holder.accepts === undefined || holder.accepts.has(type)),
    );
    const leases = await holder.takeNow(max);
    expect(leases.map(({ task }) => task.n)).toEqual(due.slice(0, max).map(({ n }) => n));
    for (const lease of leases) {
      const expected = this.all[lease.task.n] as Expected;
      expect(lease.attempt).toBe(expected.failed + expected.lost + 1);
      expected.state = 'leased';
      this.held.push({ lease, holder, expected });
    }
  }

  end(held: Held, how: 'complete' | 'fail' | 'returned' | 'rejected' | 'lost' | 'discard'): void {
    const { lease, holder, expected } = held;
    this.held = this.held.filter((each) => each !== held);
    this.over.push(lease);
    const ended = ((): boolean => {
      switch (how) {
        case 'complete':
          return this.scheduler.complete(lease, expected.n);
        case 'fail':
          expected.failed += 1;
          return this.scheduler.fail(lease, new Error('failed'));
        case 'discard':
          return this.scheduler.discard(lease, new Error('discarded'));
        case 'lost':
          expected.lost += 1;
          return this.scheduler.release(lease, { kind: how, error: new TaskdistError('TASKDIST_WORKER_LOST', 'lost') });
        case 'rejected':
          expected.refusedBy.add(holder.id);
          return this.scheduler.release(lease, { kind: how });
        default:
          return this.scheduler.release(lease, { kind: how });
      }
    })();
    expect(ended).toBe(true);
    if (how === 'complete') this.#settle(expected, `done ${expected.n}`);
    else if (how === 'discard') this.#settle(expected, 'discarded');
    else if (expected.failed >= maxAttempts || expected.lost >= maxDeliveries) {
      const count = expected.failed + expected.lost;
      this.#settle(
        expected,
        `The task is given up after ${count} attempt${count === 1 ? '' : 's'}; the last: ${how === 'lost' ? how : 'failed'}`,
      );
    } else expected.state = 'queued';
  }

  abort(expected: Expected): void {
    const held = this.held.find((each) => each.expected === expected);
    expected.controller.abort(`aborted ${expected.n}`);
    if (held !== undefined) {
      expect(held.holder.revoked).toContain(held.lease);
      this.held = this.held.filter((each) => each !== held);
      this.over.push(held.lease);
    }
    if (expected.state !== 'settled') this.#settle(expected, `aborted ${expected.n}`);
  }

  leave(holder: TestHolder<Task, number>, how: 'lost' | 'returned'): void {
    for (const held of this.held) if (held.holder === holder) this.end(held, how);
    this.scheduler.leave(holder);
    this.holders = this.holders.filter((each) => each !== holder);
  }

  /** Nothing that is over can be ended once more. */
  tryLate(lease: Lease<Task>, choice: number): void {
    const late = [
      () => this.scheduler.complete(lease, -1),
      () => this.scheduler.fail(lease, new Error('late')),
      () => this.scheduler.discard(lease, new Error('late')),
      () => this.scheduler.release(lease, { kind: 'returned' }),
    ];
    expect(late[choice % late.length]?.()).toBe(false);
  }

  check(): void {
    const count = (state: Expected['state']): number => this.all.filter((each) => each.state === state).length;
    expect([this.scheduler.queued, this.scheduler.leased]).toEqual([count('queued'), count('leased')]);
    expect(new Set(this.held.map(({ expected }) => expected)).size).toBe(count('leased'));
    for (const { outcome, settlements, n } of this.all) {
      if (settlements.length > 1 || settlements[0] !== outcome)
        expect.unreachable(`task ${n}: ${settlements}, not ${outcome}`);
    }
  }

  #settle(expected: Expected, outcome: string): void {
    expected.state = 'settled';
    expected.outcome = outcome;
  }
}

describe('FifoScheduler', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'loses nothing and doubles nothing, whatever happens in whatever order (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const comparison = new Comparison();
      comparison.scheduler.open();
      for (let step = 0; step < 700; step += 1) {
        const { holders, held, over, all } = comparison;
        if (holders.length < 2) comparison.addHolder(pick(random, [undefined, ['a'], ['a', 'b']]));
        switch (integerBelow(random, 10)) {
          case 0:
          case 1:
          case 2:
            comparison.put(pick(random, ['a', 'b', 'c']));
            break;
          case 3:
          case 4:
            await comparison.take(pick(random, comparison.holders), 1 + integerBelow(random, 4));
            break;
          case 5:
          case 6:
          case 7:
            if (held.length > 0) {
              comparison.end(
                pick(random, held),
                pick(random, ['complete', 'complete', 'fail', 'returned', 'rejected', 'lost', 'discard']),
              );
            }
            break;
          case 8:
            if (over.length > 0) comparison.tryLate(pick(random, over), step);
            if (random() < 0.3 && all.length > 0) comparison.abort(pick(random, all));
            break;
          default:
            if (random() < 0.3) comparison.leave(pick(random, comparison.holders), pick(random, ['lost', 'returned']));
            else if (holders.length < 6) comparison.addHolder(pick(random, [undefined, ['a'], ['b', 'c']]));
        }
        await nextTurn();
        comparison.check();
      }

      // In the end, somebody who takes everything does what is left.
      for (const holder of comparison.holders) comparison.leave(holder, 'returned');
      comparison.addHolder();
      await comparison.take(comparison.holders[0] as TestHolder<Task, number>, Number.POSITIVE_INFINITY);
      for (const held of comparison.held) comparison.end(held, 'complete');
      await nextTurn();
      comparison.check();
      expect(comparison.all.every(({ state, settlements }) => state === 'settled' && settlements.length === 1)).toBe(
        true,
      );
      expect(comparison.all.length).toBeGreaterThan(150);
    },
  );
});
