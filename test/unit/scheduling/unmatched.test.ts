import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import type { FifoSchedulerOptions } from '../../../src/scheduling/scheduler-options.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

/** What was told, as `key: reason at time`. */
function setUp(options: FifoSchedulerOptions = { unmatchedAfter: 1000 }) {
  const opened = openScheduler(options);
  const told: string[] = [];
  opened.scheduler.on('unmatched', ({ task, reason }) => told.push(`${task}: ${reason} at ${opened.clock.now()}`));
  return { ...opened, told };
}

const typed = (type: string) => ({ type, toString: () => type });

describe('the event `unmatched`', () => {
  it('tells of a task, its key and why, when nobody has been there for `unmatchedAfter`', async () => {
    const { scheduler, clock, events } = setUp();
    void scheduler.put('first');
    await clock.advance(500);
    void scheduler.put('second');
    await clock.advance(499);
    expect(events).toEqual([]);
    await clock.advance(1);
    expect(events).toEqual([{ type: 'unmatched', key: '0', task: 'first', reason: 'noWorkers' }]);
    await clock.advance(500);
    expect(events.slice(1)).toEqual([{ type: 'unmatched', key: '1', task: 'second', reason: 'noWorkers' }]);
    expect([scheduler.queued, scheduler.stats().unmatched]).toEqual([2, 2]);
  });

  it('comes after ten seconds by default', async () => {
    const { scheduler, clock, told } = setUp({});
    void scheduler.put(1);
    await clock.advance(9_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['1: noWorkers at 10000']);
  });

  it('never comes with Infinity, which sets no timer', async () => {
    const { scheduler, clock, told } = setUp({ unmatchedAfter: Number.POSITIVE_INFINITY });
    void scheduler.put(1);
    expect([clock.pendingTimers, scheduler.stats().unmatched]).toEqual([0, 1]);
    await clock.advance(1e9);
    expect(told).toEqual([]);
  });

  it('comes at once with 0, but not before those are there who come now', async () => {
    const { scheduler, clock, holder, told } = setUp({ unmatchedAfter: 0 });
    void scheduler.put('for nobody');
    await clock.settle();
    expect(told).toEqual(['for nobody: noWorkers at 0']);
    holder('h', ['a']);
    void scheduler.put(typed('a'));
    await clock.settle();
    expect(told).toHaveLength(1);
  });

  it.each([
    ['a type that none accepts', {}, { accepts: ['b'] }],
    ['labels that none has', { requires: { gpu: true } }, { labels: { gpu: false } }],
  ])('says that nobody takes it: %s', async (_, put, options) => {
    const { scheduler, clock, holder, told } = setUp();
    holder('h', options);
    void scheduler.put(typed('a'), put);
    await clock.advance(1000);
    expect(told).toEqual(['a: notAccepted at 1000']);
  });

  it('says that all who could have rejected it', async () => {
    const { scheduler, clock, holder, told } = setUp();
    const holders = ['first', 'second'].map((id) => holder(id));
    holder('another', ['b']);
    void scheduler.put('odd');
    for (const each of holders) {
      await clock.advance(100);
      scheduler.release(await each.takeOne(), { kind: 'rejected' });
    }
    // It counts from when the last one did.
    await clock.advance(999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['odd: rejected at 1200']);
  });

  it('does not come if somebody came in time, if only for a moment', async () => {
    const { scheduler, clock, holder, told } = setUp();
    void scheduler.put(1);
    await clock.advance(999);
    const passing = holder('passing');
    scheduler.leave(passing);
    await clock.advance(999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['1: noWorkers at 1999']);
  });

  it('does not come if somebody is there who is busy', async () => {
    const { scheduler, clock, holder, told } = setUp();
    holder('busy');
    void scheduler.put(1);
    await clock.advance(5000);
    expect(told).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('comes once for each time that the last one has left', async () => {
    const { scheduler, clock, holder, told } = setUp();
    void scheduler.put(1);
    await clock.advance(1000);
    await clock.advance(5000);
    expect(told).toEqual(['1: noWorkers at 1000']);
    const passing = holder('passing');
    await clock.advance(5000);
    expect(told).toHaveLength(1);
    scheduler.leave(passing);
    await clock.advance(5000);
    expect(told.slice(1)).toEqual(['1: noWorkers at 12000']);
  });

  describe.each([1, 40])('for %i that somebody has rejected', (count) => {
    async function setUpRejected() {
      const opened = setUp();
      const picky = opened.holder('picky');
      for (let n = 0; n < count; n += 1) void opened.scheduler.put('odd');
      for (let n = 0; n < count; n += 1) opened.scheduler.release(await picky.takeOne(), { kind: 'rejected' });
      return { ...opened, picky, all: (what: string) => Array<string>(count).fill(what) };
    }

    it('counts from when the last one leaves who might have had them', async () => {
      const { scheduler, clock, holder, told, all } = await setUpRejected();
      const [alike, other] = [holder('alike'), holder('other', { labels: { gpu: true } })];
      holder('choosing', ['a']);
      await clock.advance(600);
      scheduler.leave(alike);
      await clock.advance(1200);
      expect([told, scheduler.stats().unmatched]).toEqual([[], 0]);
      scheduler.leave(other);
      expect(scheduler.stats().unmatched).toBe(count);
      await clock.advance(1000);
      expect(told).toEqual(all('odd: rejected at 2800'));
    });

    it('begins anew when one is there, if only for a moment, who may have them', async () => {
      const { scheduler, clock, holder, told, all } = await setUpRejected();
      await clock.advance(600);
      const alike = holder('alike');
      expect(scheduler.stats().unmatched).toBe(0);
      scheduler.leave(alike);
      expect(scheduler.stats().unmatched).toBe(count);
      await clock.advance(600);
      expect(told).toEqual([]);
      await clock.advance(400);
      expect(told).toEqual(all('odd: rejected at 1600'));
    });

    it('does not come while one is there who came later and may have them', async () => {
      const { clock, holder, told } = await setUpRejected();
      await clock.advance(600);
      holder('alike');
      await clock.advance(5000);
      expect(told).toEqual([]);
    });

    it('does not come when who rejected them leaves, and one stays who has not', async () => {
      const { scheduler, clock, holder, told, picky } = await setUpRejected();
      holder('alike');
      scheduler.leave(picky);
      await clock.advance(5000);
      expect([told, scheduler.stats().unmatched]).toEqual([[], 0]);
    });

    it('comes once, when who rejected them stays, and when it leaves', async () => {
      const { scheduler, clock, told, picky, all } = await setUpRejected();
      await clock.advance(5000);
      scheduler.leave(picky);
      await clock.advance(5000);
      expect(told).toEqual(all('odd: rejected at 1000'));
    });
  });

  it('comes once, whoever of those leaves that rejected it', async () => {
    const { scheduler, clock, holder, told } = setUp();
    const holders = ['a', 'b', 'c'].map((id) => holder(id));
    void scheduler.put('odd');
    for (const each of holders) scheduler.release(await each.takeOne(), { kind: 'rejected' });
    await clock.advance(1500);
    for (const each of holders) {
      scheduler.leave(each);
      await clock.advance(1500);
    }
    expect(told).toEqual(['odd: rejected at 1000']);
  });

  it('comes in time, whoever of those leaves that rejected it', async () => {
    const { scheduler, clock, holder, told } = setUp();
    const holders = ['a', 'b'].map((id) => holder(id));
    void scheduler.put('odd');
    for (const each of holders) scheduler.release(await each.takeOne(), { kind: 'rejected' });
    await clock.advance(400);
    for (const each of holders) scheduler.leave(each);
    await clock.advance(600);
    expect(told).toEqual(['odd: noWorkers at 1000']);
  });

  it('comes for each task in its time, if tasks that were rejected by different ones come together', async () => {
    const { scheduler, clock, holder, told } = setUp();
    const [a, b] = [holder('a'), holder('b')];
    void scheduler.put('both');
    for (const each of [a, b]) scheduler.release(await each.takeOne(), { kind: 'rejected' });
    await clock.advance(400);
    void scheduler.put('one');
    scheduler.release(await b.takeOne(), { kind: 'rejected' });
    await clock.advance(100);
    scheduler.leave(a);
    await clock.advance(5000);
    expect(told).toEqual(['both: rejected at 1000', 'one: rejected at 1500']);
  });

  it('comes for a task that comes back when nobody is there any more', async () => {
    const { scheduler, clock, holder, told } = setUp();
    const worker = holder('h');
    void scheduler.put(1);
    const lease = await worker.takeOne();
    await clock.advance(5000);
    scheduler.release(lease, lost);
    scheduler.leave(worker);
    await clock.advance(1000);
    expect(told).toEqual(['1: noWorkers at 6000']);
  });

  it('does not come earlier for a task that comes to others for which nobody is there any more', async () => {
    const { scheduler, clock, holder, told } = setUp();
    const passing = holder('passing');
    void scheduler.put('early');
    void scheduler.put('late', { delay: 300 });
    scheduler.leave(passing);
    await clock.advance(5000);
    expect(told).toEqual(['early: noWorkers at 1000', 'late: noWorkers at 1300']);
  });

  it('counts from the end of a delay', async () => {
    const { scheduler, clock, told } = setUp();
    void scheduler.put(1, { delay: 700 });
    await clock.advance(1699);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['1: noWorkers at 1700']);
  });

  it('comes for each of many tasks, and for no other', async () => {
    const { scheduler, clock, holder, told } = setUp();
    const workers = ['a', 'b', 'c'].map((type) => holder(type, [type]));
    for (let n = 0; n < 300; n += 1) void scheduler.put({ n, toString: () => `${n}`, type: 'abc'[n % 3] });
    scheduler.leave(workers[1] as (typeof workers)[0]);
    expect(scheduler.stats().unmatched).toBe(100);
    await clock.advance(1000);
    expect(told).toEqual(Array.from({ length: 100 }, (_, index) => `${3 * index + 1}: notAccepted at 1000`));
    await clock.advance(5000);
    expect(told).toHaveLength(100);
  });

  it('does not come for a task that was settled', async () => {
    const { scheduler, clock, told } = setUp();
    const controller = new AbortController();
    scheduler.put('aborted', { signal: controller.signal }).catch(() => {});
    void scheduler.put('waits');
    await clock.advance(500);
    controller.abort();
    await clock.advance(500);
    expect(told).toEqual(['waits: noWorkers at 1000']);
  });

  it('keeps no timer for tasks that are gone', async () => {
    const { scheduler, clock, holder } = setUp();
    const controller = new AbortController();
    scheduler.put('aborted', { signal: controller.signal }).catch(() => {});
    expect(clock.pendingTimers).toBe(1);
    controller.abort();
    expect(clock.pendingTimers).toBe(0);
    void scheduler.put('taken');
    expect(clock.pendingTimers).toBe(1);
    await holder('h').takeOne();
    expect(clock.pendingTimers).toBe(0);
  });

  it('comes again for tasks that are put after the queue was empty', async () => {
    const { scheduler, clock, told } = setUp();
    const controller = new AbortController();
    scheduler.put('aborted', { signal: controller.signal }).catch(() => {});
    await clock.advance(900);
    controller.abort();
    void scheduler.put('next');
    await clock.advance(999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['next: noWorkers at 1900']);
  });

  it('does not come once the scheduler is closed', async () => {
    const { scheduler, clock, told } = setUp();
    scheduler.put(1).catch(() => {});
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(5000);
    expect(told).toEqual([]);
  });

  it('does not come earlier for a jump of the clock, and comes after it', async () => {
    const { scheduler, clock, told } = setUp();
    void scheduler.put(1);
    clock.jump(60_000);
    await clock.advance(100);
    expect(told).toEqual(['1: noWorkers at 60100']);
  });
});
