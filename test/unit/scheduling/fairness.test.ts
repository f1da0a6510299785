import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { openScheduler } from '../../support/scheduler.ts';

const tasksOf = (leases: readonly Lease<unknown>[]): unknown[] => leases.map(({ task }) => task);

describe('a FifoScheduler that several holders wait for', () => {
  it('spreads a few tasks over all of them, whatever their labels and what they accept', async () => {
    const { scheduler, holder } = openScheduler();
    const taking = [
      holder('plain').take(10),
      holder('labelled', { labels: { gpu: true } }).take(10),
      holder('choosing', ['a']).take(10),
    ];
    for (let n = 0; n < 7; n += 1) void scheduler.put({ type: 'a', n });
    const taken = await Promise.all(taking);
    expect(taken.map((leases) => leases.map(({ task }) => (task as { n: number }).n))).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
  });

  it('spreads them over one who has rejected something, too', async () => {
    const { scheduler, holder } = openScheduler();
    const [picky, other] = [holder('picky'), holder('other')];
    void scheduler.put('rejected');
    scheduler.release(await picky.takeOne(), { kind: 'rejected' });
    expect((await other.takeOne()).task).toBe('rejected');
    const taking = [picky.take(10), other.take(10)];
    for (let n = 0; n < 4; n += 1) void scheduler.put(n);
    expect((await Promise.all(taking)).map(tasksOf)).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });

  it('gives a task to who waits and could start it, though a busy one asks before it is served', async () => {
    const { scheduler, holder } = openScheduler();
    const [idle, busy] = [holder('idle'), holder('busy')];
    busy.idleSlots = 0;
    const forIdle = idle.take();
    void scheduler.put('task');
    const forBusy = busy.take();
    expect(tasksOf(await forIdle)).toEqual(['task']);
    void scheduler.put('next');
    expect(tasksOf(await forBusy)).toEqual(['next']);
  });

  it('serves those who could start at once before those who only stock up, whoever has waited longer', async () => {
    const { scheduler, holder } = openScheduler();
    const [stocking, idle, labelled] = [
      holder('stocking'),
      holder('idle'),
      holder('labelled', { labels: { gpu: true } }),
    ];
    stocking.idleSlots = 0;
    idle.idleSlots = 1;
    labelled.idleSlots = 2;
    const taking = [stocking, idle, labelled].map((each) => each.take(3));
    for (let n = 0; n < 7; n += 1) void scheduler.put(n);
    // Three slots are idle; then all stock up in rounds.
    expect((await Promise.all(taking)).map(tasksOf)).toEqual([
      [3, 6],
      [0, 4],
      [1, 2, 5],
    ]);
  });

  it('leaves nobody with more than they asked for', async () => {
    const { scheduler, holder } = openScheduler();
    const taking = [holder('a').take(1), holder('b').take(2)];
    for (let n = 0; n < 9; n += 1) void scheduler.put(n);
    expect((await Promise.all(taking)).map(tasksOf)).toEqual([[0], [1, 2]]);
    expect([scheduler.queued, scheduler.leased]).toEqual([6, 3]);
  });

  it('serves those who come when others are about to be served from all that there is', async () => {
    const { scheduler, holder } = openScheduler();
    for (const type of ['x', 'y', 'z', 'x', 'x']) void scheduler.put({ type });
    const waiting = holder('waiting', ['w']).take();
    void scheduler.put({ type: 'w' });
    const late = [holder('late', ['x']).take(2), holder('later', ['y', 'x']).take(2)];
    expect((await Promise.all([waiting, ...late])).map((leases) => leases.map(({ key }) => key))).toEqual([
      ['5'],
      ['0', '3'],
      ['1', '4'],
    ]);
  });

  it('serves who has waited longest, also if what set that one apart is settled meanwhile', async () => {
    const { scheduler, holder } = openScheduler();
    const [picky, busy, late] = [holder('picky'), holder('busy'), holder('late')];
    void scheduler.put('odd');
    scheduler.release(await picky.takeOne(), { kind: 'rejected' });
    const lease = await busy.takeOne();
    const taking = [picky.take(), late.take()];
    scheduler.complete(lease, 'done');
    void scheduler.put('first');
    void scheduler.put('second');
    expect((await Promise.all(taking)).map(tasksOf)).toEqual([['first'], ['second']]);
  });

  it('goes on to serve one who was moved as they rejected a task while they waited', async () => {
    const { scheduler, holder } = openScheduler();
    const picky = holder('picky');
    void scheduler.put('odd');
    const lease = await picky.takeOne();
    const taking = picky.take(5);
    scheduler.release(lease, { kind: 'rejected' });
    void scheduler.put('even');
    expect(tasksOf(await taking)).toEqual(['even']);
    expect(tasksOf(await holder('other').takeNow())).toEqual(['odd']);
  });

  it('gives one who has come to idle while they waited what they ask for now, before others stock up', async () => {
    const { scheduler, holder } = openScheduler();
    const [first, second] = [holder('first'), holder('second')];
    for (const each of [first, second]) each.idleSlots = 0;
    const taking = [first.take(4), second.take(1)];
    second.idleSlots = 3;
    scheduler.loadChanged(second, 3);
    for (let n = 0; n < 4; n += 1) void scheduler.put(n);
    expect((await Promise.all(taking)).map(tasksOf)).toEqual([[3], [0, 1, 2]]);
  });

  it('lets one who has come to be busy while they waited stock up behind who is idle', async () => {
    const { scheduler, holder } = openScheduler();
    const [first, second] = [holder('first'), holder('second')];
    const taking = [first.take(2), second.take(2)];
    first.idleSlots = 0;
    scheduler.loadChanged(first, 2);
    for (let n = 0; n < 3; n += 1) void scheduler.put(n);
    expect((await Promise.all(taking)).map(tasksOf)).toEqual([[2], [0, 1]]);
  });
});
