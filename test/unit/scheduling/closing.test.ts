import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

const stopped = new TaskdistError('TASKDIST_STOPPED', 'stopped');
const rejected = { status: 'rejected', reason: stopped };

describe('a FifoScheduler that is closed', () => {
  it('settles what is delayed, waits out a backoff, is queued, leased or made twice, and keeps no timer', async () => {
    const { scheduler, clock, holder } = openScheduler({ backoff: { base: 1000 } }, () => 0.5);
    const [a, b] = [holder('a'), holder('b')];
    const outcomes = [follow(scheduler.put('twice', { speculate: true, deadline: 1e6 }))];
    scheduler.started(await a.takeOne());
    await clock.advance(1000);
    expect((await b.takeOne()).isSpeculative).toBe(true);
    outcomes.push(follow(scheduler.put('failed', { deadline: 1e6 })));
    scheduler.fail(await a.takeOne(), new Error('no'));
    outcomes.push(follow(scheduler.put('leased')));
    await a.takeOne();
    outcomes.push(follow(scheduler.put('unmatched', { requires: { gpu: true } })));
    outcomes.push(follow(scheduler.put('delayed', { delay: 1e6 })));
    outcomes.push(follow(scheduler.put('queued')));
    expect([scheduler.delayed, scheduler.queued, scheduler.leased]).toEqual([2, 2, 2]);
    scheduler.close(stopped);
    expect([scheduler.delayed, scheduler.queued, scheduler.leased, clock.pendingTimers]).toEqual([0, 0, 0, 0]);
    await nextTurn();
    expect(outcomes.map((outcome) => outcome())).toEqual(Array(6).fill(rejected));
    // Why it was not done before.
    const causes = outcomes.map((outcome) => (outcome() as { readonly reason: Error }).reason.cause);
    expect(causes).toMatchObject([undefined, { message: 'no' }, ...Array(4).fill(undefined)]);
    // Who holds something says goodbye, and is not told again.
    expect([a.revoked, b.revoked]).toEqual([[], []]);
    expect(scheduler.stats()).toMatchObject({ running: 0, unmatched: 0, total: { put: 6, stopped: 6 } });
  });

  it('refuses whatever comes, and does not hold it against later ones', async () => {
    const { scheduler, clock } = openScheduler();
    scheduler.close(stopped);
    await expect(scheduler.put(1, { delay: 10, deadline: 20, idempotencyKey: 'x' })).rejects.toBe(stopped);
    await expect(scheduler.map([1]).next()).rejects.toBe(stopped);
    expect([clock.pendingTimers, scheduler.stats().total.put]).toEqual([0, 0]);
  });

  it('leaves those waiting who wait, for when it is opened again', async () => {
    const { scheduler, holder } = openScheduler();
    const taking = holder('h').take();
    scheduler.put(1).catch(() => {});
    scheduler.close(stopped);
    scheduler.open();
    void scheduler.put(2);
    expect((await taking).map(({ task }) => task)).toEqual([2]);
  });

  it('settles each task once if a listener aborts others', async () => {
    const { scheduler, holder, events } = openScheduler();
    const controller = new AbortController();
    const { signal } = controller;
    const first = follow(scheduler.put('first'));
    await holder('h').takeNow();
    const rest = [{ signal }, { signal, delay: 10 }].map((options) => follow(scheduler.put('rest', options)));
    scheduler.on('settled', () => controller.abort('too'));
    scheduler.close(stopped);
    await nextTurn();
    expect(first()).toEqual(rejected);
    expect(rest.map((outcome) => outcome())).toEqual(Array(2).fill({ status: 'rejected', reason: 'too' }));
    expect(events).toHaveLength(3);
    expect(scheduler.stats().total).toMatchObject({ put: 3, stopped: 1, aborted: 2 });
  });

  it('settles each task once if a listener gives the leases back', async () => {
    const { scheduler, clock, holder, events } = openScheduler();
    const outcomes = [1, 2, 3].map((task) => follow(scheduler.put(task)));
    const leases = await holder('h').takeNow(2);
    scheduler.on('settled', () => {
      for (const lease of leases) scheduler.release(lease, lost);
    });
    scheduler.close(stopped);
    await nextTurn();
    expect(outcomes.map((outcome) => outcome())).toEqual(Array(3).fill(rejected));
    expect([events.length, scheduler.queued, scheduler.leased, clock.pendingTimers]).toEqual([3, 0, 0, 0]);
  });
});
