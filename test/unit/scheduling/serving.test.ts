// Who of the waiting gets which task, beside a model that looks at everybody and everything for each task.
import { describe, expect, it } from 'vitest';
import { type Labels, matches, type Requirements } from '../../../src/labels.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { integerBelow, pick, seededRandom } from '../../../src/testing/seeded-random.ts';
import { TestHolder } from '../../support/holders.ts';
import { TestScheduler } from '../../support/scheduler.ts';

interface Task {
  readonly n: number;
  readonly type: string;
}

interface Queued {
  readonly task: Task;
  readonly priority: number;
  readonly requires: Requirements | undefined;
  /** The ids of those who have rejected it. */
  readonly refusedBy: Set<string>;
}

type Holder = TestHolder<Task, number>;

interface Waiter {
  readonly holder: Holder;
  readonly controller: AbortController;
  ticket: number;
  max: number;
  idleSlots: number;
  /** What it is to get. */
  readonly due: number[];
  /** What it got. */
  taken: readonly Lease<Task>[] | undefined;
}

/** The scheduler and its model. */
class Comparison {
  readonly scheduler = new TestScheduler<Task, number>();
  readonly holders: Holder[] = [];
  readonly held: { readonly lease: Lease<Task>; readonly queued: Queued; readonly holder: Holder }[] = [];
  #queue: Queued[] = [];
  readonly #waiters = new Map<Holder, Waiter>();
  #isAboutToServe = false;
  #nextTicket = 0;
  #nextTask = 0;
  #joined = 0;
  /** Of those that were queued or are held, by number. */
  readonly #known = new Map<number, Queued>();
  /** How often somebody was served when more than one kind waited. */
  contested = 0;
  /** How often somebody came to wait when others were about to be served, and something was there for that one. */
  late = 0;

  constructor() {
    this.scheduler.open();
  }

  isWaiting(holder: Holder): boolean {
    return this.#waiters.has(holder);
  }

  join(accepts: readonly string[] | undefined, labels: Labels | undefined): void {
    this.#joined += 1;
    const options = { ...(accepts === undefined ? {} : { accepts }), ...(labels === undefined ? {} : { labels }) };
    const holder = new TestHolder<Task, number>(this.scheduler, `h${this.#joined}`, options);
    holder.idleSlots = 1;
    this.holders.push(holder);
  }

  leave(holder: Holder): void {
    this.stopWaiting(holder);
    for (const held of this.held.filter((each) => each.holder === holder)) this.giveBack(held, 'returned');
    this.holders.splice(this.holders.indexOf(holder), 1);
    this.scheduler.leave(holder);
    for (const { refusedBy } of this.#known.values()) refusedBy.delete(holder.id);
  }

  put(type: string, priority: number, requires: Requirements | undefined): void {
    const task = { n: this.#nextTask, type };
    this.#nextTask += 1;
    const queued = { task, priority, requires, refusedBy: new Set<string>() };
    this.#known.set(task.n, queued);
    const options = requires === undefined ? { priority } : { priority, requires };
    void this.scheduler.put(task, options).catch(() => {});
    this.#enqueue(queued);
  }

  take(holder: Holder, max: number, idleSlots: number): void {
    holder.idleSlots = idleSlots;
    const controller = new AbortController();
    const due: number[] = [];
    if (!this.#isAboutToServe) {
      for (const queued of this.#queue.filter((each) => mayHave(holder, each)).slice(0, max)) {
        this.#dequeue(queued);
        due.push(queued.task.n);
      }
    } else if (this.#queue.some((each) => mayHave(holder, each))) this.late += 1;
    const taken = this.scheduler.take(holder, max, controller.signal);
    if (Array.isArray(taken)) {
      expect(taken.map(({ task }) => task.n)).toEqual(due);
      this.#hold(holder, taken);
      return;
    }
    expect(due).toEqual([]);
    this.#nextTicket += 1;
    const ticket = this.#nextTicket;
    const waiter: Waiter = { holder, controller, ticket, max, idleSlots, due, taken: undefined };
    this.#waiters.set(holder, waiter);
    void taken.then((leases) => {
      waiter.taken = leases;
    });
  }

  stopWaiting(holder: Holder): void {
    this.#waiters.get(holder)?.controller.abort();
    this.#waiters.delete(holder);
  }

  loadChanged(holder: Holder, max: number, idleSlots: number): void {
    holder.idleSlots = idleSlots;
    this.scheduler.loadChanged(holder, max);
    const waiter = this.#waiters.get(holder);
    if (waiter !== undefined) Object.assign(waiter, { max, idleSlots });
  }

  giveBack(held: (typeof this.held)[number], how: 'returned' | 'rejected' | 'done'): void {
    const { lease, queued, holder } = held;
    this.held.splice(this.held.indexOf(held), 1);
    if (how === 'done') {
      this.#known.delete(queued.task.n);
      this.scheduler.complete(lease, 0);
      return;
    }
    if (how === 'rejected') queued.refusedBy.add(holder.id);
    this.scheduler.release(lease, { kind: how });
    this.#enqueue(queued);
  }

  /** Everybody is served who can be, and that must be as in the model. */
  async serve(): Promise<void> {
    if (this.#isAboutToServe) for (const isIdle of [true, false]) this.#serveGroup(isIdle);
    this.#isAboutToServe = false;
    await this.scheduler.clock.settle();
    for (const waiter of [...this.#waiters.values()]) {
      const { holder, taken, due } = waiter;
      expect(taken?.map(({ task }) => task.n) ?? [], `for ${holder.id}`).toEqual(due);
      if (taken === undefined) continue;
      this.#waiters.delete(holder);
      this.#hold(holder, taken);
    }
  }

  #serveGroup(isIdle: boolean): void {
    for (;;) {
      let best: { readonly waiter: Waiter; readonly index: number } | undefined;
      const group = [...this.#waiters.values()].filter(
        ({ due, max, idleSlots }) => due.length < max && idleSlots > due.length === isIdle,
      );
      for (const waiter of group) {
        const index = this.#queue.findIndex((each) => mayHave(waiter.holder, each));
        if (index < 0) continue;
        const isBetter =
          best === undefined || index < best.index || (index === best.index && waiter.ticket < best.waiter.ticket);
        if (isBetter) best = { waiter, index };
      }
      const queued = best === undefined ? undefined : this.#queue[best.index];
      if (best === undefined || queued === undefined) return;
      if (new Set(group.map(({ holder }) => String(holder.accepts?.size))).size > 1) this.contested += 1;
      this.#dequeue(queued);
      best.waiter.due.push(queued.task.n);
      this.#nextTicket += 1;
      best.waiter.ticket = this.#nextTicket;
    }
  }

  #enqueue(queued: Queued): void {
    this.#queue.push(queued);
    this.#queue.sort((a, b) => b.priority - a.priority || a.task.n - b.task.n);
    if (this.#waiters.size > 0) this.#isAboutToServe = true;
  }

  #dequeue(queued: Queued): void {
    this.#queue.splice(this.#queue.indexOf(queued), 1);
  }

  #hold(holder: Holder, leases: readonly Lease<Task>[]): void {
    for (const lease of leases) {
      const queued = this.#known.get(lease.task.n);
      if (queued !== undefined) this.held.push({ lease, queued, holder });
    }
  }
}

function mayHave(holder: Holder, { task, requires, refusedBy }: Queued): boolean {
  if (refusedBy.has(holder.id) || holder.accepts?.has(task.type) === false) return false;
  return requires === undefined || matches(holder.labels, requires);
}

describe('serving those who wait', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'gives each task to whom a look at all of them would have given it (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const comparison = new Comparison();
      const { holders, held } = comparison;
      const types = ['a', 'b', 'c', 'd'];
      const accepted = [undefined, undefined, ['a'], ['b'], ['a', 'b'], ['a', 'b', 'c', 'd'], []];
      // Of some seeds, most tasks are rejected: there are views, and profiles of one holder.
      const rejections = pick(random, [0.1, 0.5, 0.9]);
      const crowd = pick(random, [4, 8, 20]);
      for (let step = 0; step < 3000; step += 1) {
        if (holders.length === 0 || (holders.length < crowd && random() < 0.1)) {
          comparison.join(pick(random, accepted), pick(random, [undefined, { gpu: true }, { memory: 8 }]));
        }
        const holder = pick(random, holders);
        switch (integerBelow(random, 9)) {
          case 0:
          case 1:
          case 2:
            for (let count = pick(random, [1, 1, 2, 5]); count > 0; count -= 1) {
              const requires = pick(random, [undefined, undefined, { gpu: true }, { memory: { min: 4 } }]);
              comparison.put(pick(random, types), pick(random, [0, 0, 0, 1, -1]), requires);
            }
            break;
          case 3:
          case 4:
          case 5:
            if (comparison.isWaiting(holder)) break;
            comparison.take(holder, pick(random, [1, 2, 4]), pick(random, [0, 1, 3]));
            break;
          case 6:
            for (let count = pick(random, [1, 3, 9]); count > 0 && held.length > 0; count -= 1) {
              const how = random() < rejections ? 'rejected' : pick(random, ['returned', 'done', 'done'] as const);
              comparison.giveBack(pick(random, held), how);
            }
            break;
          case 7:
            if (comparison.isWaiting(holder)) {
              comparison.loadChanged(holder, pick(random, [1, 2, 4]), pick(random, [0, 1, 3]));
            }
            break;
          default:
            if (random() < 0.2) comparison.stopWaiting(holder);
            else if (random() < 0.1) comparison.leave(holder);
        }
        if (random() < 0.4) await comparison.serve();
      }
      await comparison.serve();
      expect(comparison.contested).toBeGreaterThan(20);
      expect(comparison.late).toBeGreaterThan(20);
    },
  );
});
