import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { openScheduler } from '../../support/scheduler.ts';

const tasksOf = (leases: readonly Lease<unknown>[]): unknown[] => leases.map(({ task }) => task);
const unmatchedAfter = Number.POSITIVE_INFINITY;

describe('a task with a delay', () => {
  it('is handed out when that is over, not before', async () => {
    const { scheduler, clock, holder } = openScheduler();
    const taking = holder('h').take();
    void scheduler.put('task', { delay: 100 });
    expect([scheduler.delayed, scheduler.queued]).toEqual([1, 0]);
    await clock.advance(99);
    expect([scheduler.delayed, scheduler.leased]).toEqual([1, 0]);
    await clock.advance(1);
    expect([scheduler.delayed, scheduler.leased]).toEqual([0, 1]);
    expect(tasksOf(await taking)).toEqual(['task']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('has its place by when it was put, once it is ready', async () => {
    const { scheduler, clock, holder } = openScheduler({ unmatchedAfter });
    void scheduler.put('first', { delay: 100 });
    void scheduler.put('second');
    await clock.advance(100);
    expect(tasksOf(await holder('h').takeNow())).toEqual(['first', 'second']);
  });

  it('does not hold up others', async () => {
    const { scheduler, holder } = openScheduler();
    void scheduler.put('first', { delay: 100, priority: 9 });
    void scheduler.put('second');
    expect(tasksOf(await holder('h').takeNow())).toEqual(['second']);
  });

  it('brings those that become ready at one moment in their order', async () => {
    const { scheduler, clock, holder } = openScheduler();
    const taking = holder('h').take(3);
    for (const [task, delay] of [
      ['c', 30],
      ['a', 50],
      ['b', 40],
    ] as const)
      void scheduler.put(task, { delay });
    void scheduler.put('urgent', { delay: 30, priority: 1 });
    await clock.advance(30);
    expect(tasksOf(await taking)).toEqual(['urgent', 'c']);
  });

  it('is queued after a jump of the clock, whatever its length', async () => {
    const { scheduler, clock } = openScheduler({ unmatchedAfter });
    void scheduler.put('task', { delay: 1000 });
    clock.jump(3_600_000);
    await clock.advance(100);
    expect([scheduler.delayed, scheduler.queued, clock.pendingTimers]).toEqual([0, 1, 0]);
  });

  it('waits from then on, not from its put, in the figures', async () => {
    const { scheduler, clock } = openScheduler({ unmatchedAfter });
    void scheduler.put('task', { delay: 1000 });
    await clock.advance(1500);
    expect(scheduler.stats().oldestWait).toBe(500);
  });

  it('needs one timer, however many there are', () => {
    const { scheduler, clock } = openScheduler();
    for (let n = 0; n < 1000; n += 1) void scheduler.put(n, { delay: 1000 - n });
    expect([clock.pendingTimers, scheduler.delayed]).toEqual([1, 1000]);
  });

  it('leaves no timer behind when it is aborted', () => {
    const { scheduler, clock } = openScheduler();
    const controller = new AbortController();
    scheduler.put('task', { delay: 1000, signal: controller.signal }).catch(() => {});
    controller.abort();
    expect([clock.pendingTimers, scheduler.delayed]).toEqual([0, 0]);
  });
});
