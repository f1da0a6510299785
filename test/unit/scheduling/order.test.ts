import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { TestHolder } from '../../support/holders.ts';
import { TestScheduler } from '../../support/scheduler.ts';

const lost = new TaskdistError('TASKDIST_WORKER_LOST', 'gone');

function setUp(tasks: readonly unknown[] = []) {
  const scheduler = new TestScheduler<unknown, unknown>();
  scheduler.open();
  for (const task of tasks) void scheduler.put(task);
  const holder = (id: string, accepts?: readonly string[]) => new TestHolder(scheduler, id, accepts);
  const tasksOf = async (id: string, accepts?: readonly string[]): Promise<unknown[]> =>
    (await holder(id, accepts).takeNow()).map(({ task }) => task);
  return { scheduler, holder, tasksOf };
}

describe('FifoScheduler', () => {
  it('hands out tasks in the order in which they were put', async () => {
    const { tasksOf } = setUp([1, 2, 3, 4]);
    expect(await tasksOf('h')).toEqual([1, 2, 3, 4]);
  });

  it('keeps tasks that were put before a master came', async () => {
    const scheduler = new TestScheduler<number, number>();
    void scheduler.put(1);
    scheduler.open();
    const { task, attempt } = await new TestHolder(scheduler).takeOne();
    expect([task, attempt]).toEqual([1, 1]);
  });

  it('hands out no more than it is asked for', async () => {
    const { scheduler, holder } = setUp([1, 2, 3]);
    expect(await holder('h').takeNow(2)).toHaveLength(2);
    expect([scheduler.queued, scheduler.leased]).toEqual([1, 2]);
  });

  it('gives each task a key of its own, the same in every attempt', async () => {
    const { scheduler, holder } = setUp(Array.from({ length: 100 }));
    const leases = await holder('h').takeNow();
    const keys = leases.map(({ key }) => key);
    expect(new Set(keys).size).toBe(100);
    for (const lease of leases) scheduler.fail(lease, new Error('no'));
    const again = await holder('h').takeNow();
    expect(again.map(({ key }) => key)).toEqual(keys);
    expect(new Set(again.map(({ attempt }) => attempt))).toEqual(new Set([2]));
  });

  it.each<[string, (scheduler: TestScheduler<unknown, unknown>, lease: never) => boolean]>([
    ['was lost', (scheduler, lease) => scheduler.release(lease, { kind: 'lost', error: lost })],
    ['was returned', (scheduler, lease) => scheduler.release(lease, { kind: 'returned' })],
    ['was rejected', (scheduler, lease) => scheduler.release(lease, { kind: 'rejected' })],
    ['failed', (scheduler, lease) => scheduler.fail(lease, new Error('no'))],
  ])('returns a task that %s to its original place', async (_, giveBack) => {
    const { scheduler, holder, tasksOf } = setUp([1, 2, 3, 4, 5]);
    const leases = await holder('gone').takeNow(4);
    // Whichever comes back first.
    for (const index of [3, 0, 1]) expect(giveBack(scheduler, leases[index] as never)).toBe(true);
    expect(await tasksOf('other')).toEqual([1, 2, 4, 5]);
  });

  it('keeps a task at its place however often it comes back', async () => {
    const { scheduler, holder, tasksOf } = setUp([1, 2]);
    for (let round = 0; round < 4; round += 1) {
      const lease = await holder(`h${round}`).takeOne();
      expect(lease.task).toBe(1);
      void scheduler.put(`later ${round}`);
      scheduler.release(lease, { kind: 'lost', error: lost });
    }
    expect((await tasksOf('h')).slice(0, 3)).toEqual([1, 2, 'later 0']);
  });

  it('offers a rejected task to everybody but the one who rejected it', async () => {
    const { scheduler, holder, tasksOf } = setUp([1, 2]);
    const picky = holder('picky');
    scheduler.release(await picky.takeOne(), { kind: 'rejected' });
    expect((await picky.takeNow()).map(({ task }) => task)).toEqual([2]);
    expect(await picky.takeNow()).toEqual([]);
    expect(await tasksOf('other')).toEqual([1]);
  });

  it('remembers everybody who rejected a task', async () => {
    const { scheduler, holder, tasksOf } = setUp([1]);
    const holders = ['a', 'b', 'c'].map((id) => holder(id));
    for (const each of holders) scheduler.release(await each.takeOne(), { kind: 'rejected' });
    for (const each of holders) expect(await each.takeNow()).toEqual([]);
    expect(scheduler.queued).toBe(1);
    expect(await tasksOf('d')).toEqual([1]);
  });

  it('keeps rejected tasks and others in one order', async () => {
    const { scheduler, holder, tasksOf } = setUp([1, 2, 3, 4]);
    const leases = await holder('picky').takeNow(3);
    scheduler.release(leases[2] as never, { kind: 'rejected' });
    scheduler.release(leases[0] as never, { kind: 'rejected' });
    scheduler.release(leases[1] as never, { kind: 'returned' });
    expect(await tasksOf('other')).toEqual([1, 2, 3, 4]);
  });

  it('forgets who rejected a task once they have left', async () => {
    const { scheduler, holder, tasksOf } = setUp([1, 2]);
    const [picky, pickier] = [holder('picky'), holder('pickier')];
    scheduler.release(await picky.takeOne(), { kind: 'rejected' });
    scheduler.release(await pickier.takeOne(), { kind: 'rejected' });
    scheduler.leave(picky);
    // By the same id, to see what it has forgotten.
    expect(await tasksOf('pickier')).toEqual([2]);
    expect(await tasksOf('picky')).toEqual([1]);
  });

  it('forgets it of a task that somebody else holds, too', async () => {
    const { scheduler, holder } = setUp([1, 2]);
    const [picky, other] = [holder('picky'), holder('other')];
    scheduler.release(await picky.takeOne(), { kind: 'rejected' });
    const lease = await other.takeOne();
    scheduler.leave(picky);
    scheduler.release(lease, { kind: 'returned' });
    // By the same id, to see what it has forgotten.
    scheduler.join(picky);
    expect((await picky.takeNow()).map(({ task }) => task)).toEqual([1, 2]);
  });

  it('merges what a leaver rejected back in order', async () => {
    const { scheduler, holder, tasksOf } = setUp([1, 2, 3, 4, 5, 6]);
    const picky = holder('picky');
    const leases = await picky.takeNow(5);
    for (const index of [4, 0, 2]) scheduler.release(leases[index] as never, { kind: 'rejected' });
    for (const index of [3, 1]) scheduler.release(leases[index] as never, { kind: 'returned' });
    scheduler.leave(picky);
    expect(scheduler.queued).toBe(6);
    expect(await tasksOf('picky')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('gives a holder that chooses what it accepts, in order', async () => {
    const tasks = [{ type: 'a', n: 1 }, { type: 'b', n: 2 }, 3, { type: 'a', n: 4 }, { n: 5 }, { type: 6, n: 6 }, null];
    const { tasksOf } = setUp(tasks);
    expect(await tasksOf('none', [])).toEqual([]);
    expect(await tasksOf('c', ['c', 'undefined', '6'])).toEqual([]);
    expect(await tasksOf('b', ['b', 'c'])).toEqual([tasks[1]]);
    expect(await tasksOf('all')).toEqual(tasks.filter((_, index) => index !== 1));
  });

  it('gives a holder of several types the oldest of them all', async () => {
    const tasks = ['a', 'b', 'c', 'b', 'a'].map((type, n) => ({ type, n }));
    const { tasksOf } = setUp(tasks);
    expect(await tasksOf('ab', ['b', 'a'])).toEqual([tasks[0], tasks[1], tasks[3], tasks[4]]);
  });

  it('lets nobody wait while there is something for them', async () => {
    const { scheduler, holder } = setUp();
    const chooser = holder('chooser', ['b']).take();
    const any = holder('any').take();
    void scheduler.put({ type: 'a' });
    expect(await any).toHaveLength(1);
    void scheduler.put({ type: 'b' });
    expect(await chooser).toHaveLength(1);
  });

  it('brings tasks that were put in one turn as one batch', async () => {
    const { scheduler, holder } = setUp();
    const taking = holder('h').take(10);
    await nextTurn();
    for (let n = 0; n < 12; n += 1) void scheduler.put(n);
    expect((await taking).map(({ task }) => task)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([scheduler.queued, scheduler.leased]).toEqual([2, 10]);
  });

  it('spreads a few tasks over all who wait, the longest waiting first', async () => {
    const { scheduler, holder } = setUp();
    const taking = ['a', 'b', 'c'].map((id) => holder(id).take(10));
    for (let n = 0; n < 7; n += 1) void scheduler.put(n);
    const taken = await Promise.all(taking);
    expect(taken.map((leases) => leases.map(({ task }) => task))).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
  });

  it('gives the tasks of one turn to those who waited longest, if there are too few', async () => {
    const { scheduler, holder } = setUp();
    const first = holder('a').take(5);
    const second = holder('b');
    const controller = new AbortController();
    const waiting = second.take(5, controller.signal);
    void scheduler.put(1);
    expect(await first).toHaveLength(1);
    controller.abort();
    expect(await waiting).toEqual([]);
  });

  it('lets a holder stop waiting, and gives the task to the next', async () => {
    const { scheduler, holder, tasksOf } = setUp();
    const controller = new AbortController();
    const taking = holder('impatient').take(1, controller.signal);
    controller.abort();
    void scheduler.put(1);
    expect(await taking).toEqual([]);
    expect(await tasksOf('next')).toEqual([1]);
  });

  it('gives nothing to a holder that has stopped before it asked', async () => {
    const { scheduler, holder } = setUp([1]);
    expect(await holder('h').take(1, AbortSignal.abort())).toEqual([]);
    expect([scheduler.queued, scheduler.leased]).toEqual([1, 0]);
  });

  it('leaves no listener on the signal of a take that was served', async () => {
    const { scheduler, holder } = setUp();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...parameters: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, parameters);
    };
    const taking = holder('h').take(1, signal);
    expect(listeners).toBe(1);
    void scheduler.put(1);
    await taking;
    expect(listeners).toBe(0);
  });
});
