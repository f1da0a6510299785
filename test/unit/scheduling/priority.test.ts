import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

const tasksOf = (leases: readonly Lease<unknown>[]): unknown[] => leases.map(({ task }) => task);

describe('the priority of a task', () => {
  it('brings it before all of a lower one, and behind those of the same that were put before', async () => {
    const { scheduler, holder } = openScheduler();
    const puts = [
      ['normal', 0],
      ['low', -1],
      ['high', 1],
      ['high too', 1],
      ['between', 0.5],
      ['normal too', 0],
      ['highest', Number.MAX_VALUE],
      ['lowest', -Number.MAX_VALUE],
    ] as const;
    for (const [task, priority] of puts) void scheduler.put(task, { priority });
    const order = ['highest', 'high', 'high too', 'between', 'normal', 'normal too', 'low', 'lowest'];
    expect(tasksOf(await holder('h').takeNow())).toEqual(order);
  });

  it('is 0 by default', async () => {
    const { scheduler, holder } = openScheduler();
    void scheduler.put('default');
    for (const priority of [-1, 0, 1]) void scheduler.put(priority, { priority });
    expect(tasksOf(await holder('h').takeNow())).toEqual([1, 'default', 0, -1]);
  });

  it('counts among all types, requirements and refusals that a holder may have', async () => {
    const { scheduler, holder } = openScheduler();
    const labels = { gpu: true };
    const picky = holder('picky', { labels });
    void scheduler.put('refused', { priority: 2 });
    scheduler.release(await picky.takeOne(), { kind: 'rejected' });
    const tasks = [{ type: 'a' }, { type: 'b' }, { type: 'a' }, 'untyped'];
    for (const [index, task] of tasks.entries()) void scheduler.put(task, { priority: index });
    void scheduler.put('gpu', { priority: 2.5, requires: labels });
    expect(tasksOf(await picky.takeNow())).toEqual([tasks[3], 'gpu', tasks[2], tasks[1], tasks[0]]);
    expect(tasksOf(await holder('other').takeNow())).toEqual(['refused']);
  });

  it.each(['fails', 'is lost', 'is returned', 'is rejected'])('is kept by a task that %s', async (how) => {
    const { scheduler, holder } = openScheduler();
    for (const priority of [0, 2, 1, 1]) void scheduler.put(`${priority}`, { priority });
    const [first, second] = await holder('h').takeNow(2);
    for (const lease of [second, first] as Lease<unknown>[]) {
      if (how === 'fails') scheduler.fail(lease, new Error('no'));
      else
        scheduler.release(lease, how === 'is lost' ? lost : { kind: how === 'is returned' ? 'returned' : 'rejected' });
    }
    expect((await holder('other').takeNow()).map(({ task, key }) => [task, key])).toEqual([
      ['2', '1'],
      ['1', '2'],
      ['1', '3'],
      ['0', '0'],
    ]);
  });

  it('does not take away what a holder has already', async () => {
    const { scheduler, holder } = openScheduler();
    void scheduler.put('low');
    const worker = holder('h');
    const lease = await worker.takeOne();
    void scheduler.put('high', { priority: 9 });
    expect([lease.isLive, worker.revoked]).toEqual([true, []]);
  });

  it('decides who of those who wait gets what: the first task goes to who may have it', async () => {
    const { scheduler, holder } = openScheduler();
    const [any, choosing] = [holder('any').take(), holder('choosing', ['low']).take()];
    void scheduler.put({ type: 'low' }, { priority: -1 });
    void scheduler.put({ type: 'high' }, { priority: 1 });
    expect(tasksOf(await any)).toEqual([{ type: 'high' }]);
    expect(tasksOf(await choosing)).toEqual([{ type: 'low' }]);
  });
});
