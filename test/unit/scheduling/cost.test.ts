// What it costs that many wait, for tasks, for workers, or for somebody to be told: counted, not timed.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '../../../src/events.ts';
import { Heap } from '../../../src/heap.ts';
import { Backlog } from '../../../src/scheduling/backlog.ts';
import { type SchedulerEvent, schedulerEventTypes } from '../../../src/scheduling/events.ts';
import { Profile } from '../../../src/scheduling/profile.ts';
import { defaultTerms } from '../../../src/scheduling/task-options.ts';
import { TaskRecord } from '../../../src/scheduling/task-record.ts';
import { UnmatchedWatch } from '../../../src/scheduling/unmatched.ts';
import { Verification } from '../../../src/scheduling/verification.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { TimerQueue } from '../../../src/timer-queue.ts';
import { openScheduler } from '../../support/scheduler.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

function recordOf(sequence: number, task: unknown = sequence): TaskRecord<unknown, unknown> {
  return new TaskRecord<unknown, unknown>(sequence, task, defaultTerms, () => {});
}

describe('serving a few tasks', () => {
  /** How often it is looked for a first task while 50 are put and served, and so many of so many kinds wait. */
  async function looksFor(holders: number, kinds: number, tasks = 50): Promise<number> {
    const { scheduler, holder } = openScheduler();
    for (let index = 0; index < holders; index += 1) {
      void holder(`h${index}`, { labels: { kind: index % kinds } }).take();
    }
    const first = vi.spyOn(Profile.prototype, 'first');
    for (let n = 0; n < tasks; n += 1) void scheduler.put(n);
    await scheduler.clock.settle();
    expect(scheduler.leased).toBe(tasks);
    const looks = first.mock.calls.length;
    first.mockRestore();
    return looks;
  }

  it('costs the same, however many workers of each kind wait', async () => {
    expect(await looksFor(5000, 5)).toBe(await looksFor(100, 5));
  });

  /** How often somebody is looked at, or a lane, while tasks of these types are put in one turn and served. */
  async function looksAmong(kinds: number, accepts: (index: number) => readonly string[], types: readonly string[]) {
    const { scheduler, holder } = openScheduler();
    for (let index = 0; index < kinds; index += 1) {
      void holder(`h${index}`, { accepts: accepts(index), labels: { kind: index } }).take();
    }
    for (const type of types) void scheduler.put({ type });
    const peek = vi.spyOn(Heap.prototype, 'peek');
    await scheduler.clock.settle();
    const looks = peek.mock.calls.length;
    peek.mockRestore();
    return { looks, leased: scheduler.leased };
  }

  it('costs no look at the kinds of workers that do not take them, however many wait', async () => {
    const types = ['mine', 'mine', 'yours'];
    const looks = (kinds: number) => looksAmong(kinds, (index) => (index < 5 ? ['mine'] : [`other ${index}`]), types);
    expect(await looks(1000)).toEqual(await looks(10));
  });

  it('costs the same for each task, however many kinds of workers are served together', async () => {
    const looks = async (kinds: number): Promise<number> => {
      const types = Array.from({ length: kinds }, (_, index) => `type ${index}`);
      const { looks, leased } = await looksAmong(kinds, (index) => [`type ${index}`], types);
      expect(leased).toBe(kinds);
      return looks / kinds;
    };
    expect(await looks(1000)).toBeLessThan(1.1 * (await looks(100)));
  });

  it('costs a look at each kind of workers that takes them, once for all tasks of a turn', async () => {
    const few = await looksAmong(1000, () => ['mine'], Array(2).fill('mine'));
    const many = await looksAmong(1000, () => ['mine'], Array(102).fill('mine'));
    expect([few.leased, many.leased]).toEqual([2, 102]);
    expect(many.looks - few.looks).toBeLessThan(10 * 100);
  });

  it('costs no look at those who wait for what does not come', async () => {
    const { scheduler, holder } = openScheduler();
    for (let index = 0; index < 1000; index += 1) void holder(`h${index}`, ['none']).take();
    const suits = vi.spyOn(TaskRecord.prototype, 'suits');
    for (let n = 0; n < 1000; n += 1) void scheduler.put({ type: 'some' });
    await scheduler.clock.settle();
    expect([scheduler.queued, suits.mock.calls.length]).toEqual([1000, 0]);
  });
});

describe('a rejection', () => {
  /** How often it is looked who may have a lane, while one worker rejects 100 tasks that another then does. */
  async function looks(kinds: number): Promise<{ lanes: number; others: number }> {
    const { scheduler, holder } = openScheduler();
    const [picky, other] = [holder('picky'), holder('other')];
    const add = vi.spyOn(Backlog.prototype, 'add');
    for (let index = 0; index < kinds; index += 1) void scheduler.put({ type: `kind ${index}` }, { priority: -1 });
    let others = 0;
    for (const [{ lane }] of add.mock.calls) {
      if (lane === undefined) throw new Error('It is not queued');
      const { places } = lane;
      Object.defineProperty(lane, 'places', {
        get() {
          others += 1;
          return places;
        },
      });
    }
    const consider = vi.spyOn(Profile.prototype, 'consider');
    for (let n = 0; n < 100; n += 1) {
      for (const type of ['odd', 'even']) void scheduler.put({ type });
      scheduler.release(await picky.takeOne(), { kind: 'rejected' });
      const taken = [await picky.takeOne(), await other.takeOne()];
      expect(taken.map(({ task }) => task)).toEqual([{ type: 'even' }, { type: 'odd' }]);
      for (const lease of taken) scheduler.complete(lease, n);
    }
    expect(scheduler.queued).toBe(kinds);
    const lanes = consider.mock.calls.length;
    vi.restoreAllMocks();
    return { lanes, others };
  }

  it('looks at none of the other kinds of tasks that wait, however many they are', async () => {
    expect(await looks(1000)).toEqual(await looks(10));
    expect((await looks(10)).others).toBe(0);
  });
});

describe('who has a part in verifying tasks of many kinds', () => {
  /** How many lanes are looked at while it is given ten tasks, and it waits with those of so many kinds for another one. */
  async function looks(kinds: number): Promise<number> {
    const { scheduler, holder } = openScheduler({ verify: { trust: false } });
    const voter = holder('voter');
    for (let n = 0; n < kinds; n += 1) void scheduler.put({ type: `kind ${n}` }, { priority: 1 });
    for (const lease of await voter.takeNow()) scheduler.complete(lease, 1);
    expect(scheduler.stats()).toMatchObject({ queued: kinds, unmatched: kinds });
    for (let n = 0; n < 10; n += 1) void scheduler.put(n, { verify: false });
    const find = vi.spyOn(Heap.prototype, 'find');
    const peek = vi.spyOn(Heap.prototype, 'peek');
    expect(await voter.takeNow()).toHaveLength(10);
    const count = find.mock.calls.length + peek.mock.calls.length;
    vi.restoreAllMocks();
    return count;
  }

  it('passes over none of them when it takes, however many they are', async () => {
    expect(await looks(1000)).toBe(await looks(100));
    expect(await looks(1000)).toBeLessThan(200);
  });
});

describe('to be caught', () => {
  it('costs a look at those tasks that have a result which counted, and none at those that have lost it already, or run', async () => {
    const { scheduler, holder } = openScheduler({ verify: { trust: false } });
    const [liar, b, c] = [holder('liar'), holder('b'), holder('c')];
    for (let n = 0; n < 100; n += 1) void scheduler.put(n);
    const leases = await liar.takeNow();
    for (const lease of leases.slice(50)) scheduler.complete(lease, 'lie');
    const distrust = vi.spyOn(Verification.prototype, 'distrust');
    for (const looks of [50, 50]) {
      void scheduler.put('caught', { priority: 1 });
      for (const [each, result] of [
        [liar, 'lie'],
        [b, 'truth'],
        [c, 'truth'],
      ] as const) {
        scheduler.complete(await each.takeOne(), result);
      }
      expect(distrust).toHaveBeenCalledTimes(looks);
    }
    expect(scheduler.stats().total).toMatchObject({ distrusted: 2, discarded: 50 });
  });
});

describe('a queued task', () => {
  it('needs no timer, and no copy of the options, unless it has its own', () => {
    const { scheduler, clock } = openScheduler({ unmatchedAfter: Number.POSITIVE_INFINITY, timeout: 100 });
    const add = vi.spyOn(Backlog.prototype, 'add');
    for (let n = 0; n < 1000; n += 1) void scheduler.put(n);
    const records = add.mock.calls.map(([record]) => record);
    expect([clock.pendingTimers, records.length, new Set(records.map(({ terms }) => terms)).size]).toEqual([
      0, 1000, 1,
    ]);
    expect(new Set(records.map(({ refusedBy }) => refusedBy)).size).toBe(1);
  });
});

describe('UnmatchedWatch', () => {
  function setUp(afterMs: number) {
    const clock = new VirtualClock(0);
    const told: number[] = [];
    const events = new Emitter<SchedulerEvent<unknown>>(schedulerEventTypes);
    events.on('unmatched', ({ key }) => told.push(Number.parseInt(key, 36)));
    const watch = new UnmatchedWatch<unknown, unknown>(
      clock,
      new TimerQueue(clock),
      afterMs,
      events,
      () => 'noWorkers',
    );
    return {
      clock,
      told,
      watch,
      backlog: new Backlog<unknown, unknown>(watch, { moved() {}, firstChanged() {}, laneDropped() {} }),
    };
  }

  it('keeps no more in mind than twice what is queued, and a little, however much comes and goes', async () => {
    const { clock, told, watch, backlog } = setUp(1e9);
    const waiting = [0, 1, 2].map((sequence) => recordOf(sequence));
    for (const record of waiting) backlog.add(record);
    for (let sequence = 3; sequence < 20_000; sequence += 1) {
      const record = recordOf(sequence, { type: `type ${sequence % 7}` });
      backlog.add(record);
      backlog.remove(record);
      expect(watch.size).toBeLessThanOrEqual(1024);
    }
    await clock.advance(1e9);
    expect(told).toEqual([0, 1, 2]);
    expect([watch.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('keeps all that are queued in mind, and looks at each a few times only', async () => {
    const { clock, told, watch, backlog } = setUp(1000);
    let looks = 0;
    for (let sequence = 0; sequence < 20_000; sequence += 1) {
      const record = recordOf(sequence);
      let lane = record.lane;
      Object.defineProperty(record, 'lane', {
        get: () => {
          looks += 1;
          return lane;
        },
        set: (value: typeof lane) => {
          lane = value;
        },
      });
      backlog.add(record);
    }
    expect(watch.size).toBe(20_000);
    await clock.advance(1000);
    expect(told).toHaveLength(20_000);
    expect(looks).toBeLessThan(8 * 20_000);
  });
});
