import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

const none = { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };
const of = (ms: number) => ({ count: 1, mean: ms, min: ms, max: ms, p50: ms, p90: ms, p99: ms });
const noTotals = {
  put: 0,
  done: 0,
  deadLetter: 0,
  aborted: 0,
  expired: 0,
  unsendable: 0,
  noQuorum: 0,
  stopped: 0,
  failures: 0,
  losses: 0,
  rejections: 0,
  recalled: 0,
  speculated: 0,
  speculatedFirst: 0,
  trusted: 0,
  disputed: 0,
  distrusted: 0,
  discarded: 0,
};
const empty = { queued: 0, delayed: 0, leased: 0, held: 0, running: 0, unmatched: 0, oldestWait: 0, rate: 0 };

describe('the statistics of a scheduler', () => {
  it('are nothing in the beginning', () => {
    expect(openScheduler().scheduler.stats()).toEqual({ ...empty, total: noTotals, waitTime: none, runTime: none });
  });

  it('follow the life of a task', async () => {
    const { scheduler, clock, holder } = openScheduler({ backoff: { base: 100 } }, () => 0.5);
    const worker = holder('h');
    const look = () => {
      const { total: _, ...rest } = scheduler.stats();
      return { ...rest, rate: Math.round(rest.rate) };
    };
    void scheduler.put('task', { delay: 100 });
    expect(look()).toEqual({ ...empty, delayed: 1, waitTime: none, runTime: none });
    await clock.advance(130);
    expect(look()).toEqual({ ...empty, queued: 1, oldestWait: 30, waitTime: none, runTime: none });
    const first = await worker.takeOne();
    expect(look()).toEqual({ ...empty, leased: 1, waitTime: none, runTime: none });
    await clock.advance(10);
    scheduler.started(first);
    scheduler.started(first);
    expect(look()).toEqual({ ...empty, leased: 1, running: 1, waitTime: of(40), runTime: none });
    await clock.advance(70);
    scheduler.fail(first, new Error('no'));
    expect(look()).toEqual({ ...empty, delayed: 1, waitTime: of(40), runTime: none });
    await clock.advance(50);
    const second = await worker.takeOne();
    await clock.advance(40);
    scheduler.started(second);
    await clock.advance(200);
    scheduler.complete(second, 'done');
    // One task in the first tenth of the ten seconds over which the rate is averaged.
    expect(look()).toEqual({ ...empty, rate: 1, waitTime: { ...of(40), count: 2 }, runTime: of(200) });
    expect(scheduler.stats().total).toEqual({ ...noTotals, put: 1, done: 1, failures: 1 });
  });

  it('count how each task ended, and what became of each attempt', async () => {
    const { scheduler, clock, holder } = openScheduler({ maxAttempts: 1 });
    const worker = holder('h');
    const controller = new AbortController();
    const { signal } = controller;
    for (const options of [
      {},
      {},
      {},
      { signal },
      { deadline: 10 },
      { idempotencyKey: 'x' },
      { idempotencyKey: 'x' },
    ]) {
      scheduler.put('task', options).catch(() => {});
    }
    const [a, b, c, ...rest] = await worker.takeNow();
    scheduler.complete(a as Lease<unknown>, 'done');
    scheduler.fail(b as Lease<unknown>, new Error('no'));
    scheduler.discard(c as Lease<unknown>, new Error('no'));
    controller.abort();
    await clock.advance(10);
    scheduler.release(rest.at(-1) as Lease<unknown>, lost);
    scheduler.release(await worker.takeOne(), { kind: 'returned' });
    scheduler.release(await worker.takeOne(), { kind: 'recalled' });
    scheduler.release(await worker.takeOne(), { kind: 'rejected' });
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    expect(scheduler.stats().total).toEqual({
      ...noTotals,
      ...{ put: 6, done: 1, deadLetter: 1, unsendable: 1, aborted: 1, expired: 1, stopped: 1 },
      ...{ failures: 1, losses: 1, rejections: 1, recalled: 1 },
    });
  });

  it.each(['complete', 'fail', 'discard', 'returned', 'rejected', 'lost', 'abort', 'close'])(
    'count an attempt as running until it ends: %s',
    async (end) => {
      const { scheduler, holder } = openScheduler();
      const controller = new AbortController();
      for (let n = 0; n < 2; n += 1) scheduler.put(n, { signal: controller.signal }).catch(() => {});
      const [lease, waits] = await holder('h').takeNow();
      if (lease === undefined || waits === undefined) throw new Error('Nothing to take');
      scheduler.started(lease);
      expect(scheduler.stats()).toMatchObject({ leased: 2, running: 1 });
      scheduler.release(waits, { kind: 'returned' });
      expect(scheduler.stats()).toMatchObject({ leased: 1, running: 1 });
      if (end === 'complete') scheduler.complete(lease, 1);
      else if (end === 'fail' || end === 'discard') scheduler[end](lease, new Error('no'));
      else if (end === 'returned' || end === 'rejected') scheduler.release(lease, { kind: end });
      else if (end === 'lost') scheduler.release(lease, lost);
      else if (end === 'abort') controller.abort();
      else scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
      expect(scheduler.stats()).toMatchObject({ leased: 0, running: 0 });
    },
  );

  it('tell of the wait of the task that has waited longest, whatever its priority', async () => {
    const { scheduler, clock, holder } = openScheduler();
    void scheduler.put('low');
    await clock.advance(100);
    void scheduler.put('high', { priority: 1 });
    await clock.advance(20);
    expect(scheduler.stats().oldestWait).toBe(120);
    const [high, low] = [await holder('h').takeOne(), await holder('i').takeOne()];
    expect([high.task, low.task, scheduler.stats().oldestWait]).toEqual(['high', 'low', 0]);
  });

  it.each(['returned', 'recalled'] as const)(
    'count the wait of a task from its put if its lease is %s unstarted',
    async (kind) => {
      const { scheduler, clock, holder } = openScheduler();
      void scheduler.put('task');
      await clock.advance(100);
      const lease = await holder('h').takeOne();
      await clock.advance(5);
      scheduler.release(lease, { kind });
      expect(scheduler.stats().oldestWait).toBe(105);
      scheduler.started(await holder('i').takeOne());
      expect(scheduler.stats().waitTime).toMatchObject({ count: 1, max: 105 });
    },
  );

  it('tell of the wait of the first task to be put if it came back unstarted, whatever was put since', async () => {
    const { scheduler, clock, holder } = openScheduler();
    void scheduler.put('first');
    await clock.advance(10);
    void scheduler.put('second');
    const [first, second] = await holder('h').takeNow(2);
    void scheduler.put('third');
    expect(scheduler.stats().oldestWait).toBe(0);
    for (const lease of [second, first]) if (lease !== undefined) scheduler.release(lease, { kind: 'recalled' });
    await clock.advance(5);
    expect(scheduler.stats().oldestWait).toBe(15);
    expect((await holder('i').takeOne()).task).toBe('first');
    expect(scheduler.stats().oldestWait).toBe(5);
  });

  it('count the wait of a task anew if it ran and came back', async () => {
    const { scheduler, clock, holder } = openScheduler();
    void scheduler.put('task');
    const lease = await holder('h').takeOne();
    scheduler.started(lease);
    await clock.advance(50);
    scheduler.release(lease, { kind: 'returned' });
    await clock.advance(7);
    expect(scheduler.stats().oldestWait).toBe(7);
  });

  it('measure attempts that started only, and no wait of a second one', async () => {
    const { scheduler, clock, holder } = openScheduler();
    void scheduler.put('task', { speculate: true });
    const first = await holder('first').takeOne();
    scheduler.started(first);
    await clock.advance(1000);
    const copy = await holder('second').takeOne();
    scheduler.started(copy);
    expect(scheduler.stats()).toMatchObject({ running: 2, waitTime: of(0) });
    await clock.advance(30);
    scheduler.complete(copy, 'done');
    expect(scheduler.stats()).toMatchObject({ running: 0, runTime: of(30) });
    void scheduler.put('never started');
    scheduler.complete(await holder('third').takeOne(), 'done');
    expect(scheduler.stats().runTime.count).toBe(1);
  });

  it('do not change once they were given', () => {
    const { scheduler } = openScheduler();
    const before = scheduler.stats();
    void scheduler.put('task');
    expect([before.queued, before.total.put]).toEqual([0, 0]);
  });
});
