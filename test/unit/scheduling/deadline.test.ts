import { describe, expect, it } from 'vitest';
import { TaskDeadlineError } from '../../../src/errors.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

const expired = (attempts: number) => ({
  status: 'rejected',
  reason: { code: 'TASKDIST_DEADLINE', name: 'TaskDeadlineError', attempts },
});

describe('a put with a deadline', () => {
  it('rejects so many milliseconds later, and says that nobody had started the task', async () => {
    const { scheduler, clock, events } = openScheduler({ unmatchedAfter: Number.POSITIVE_INFINITY });
    const outcome = follow(scheduler.put('task', { deadline: 500 }));
    await clock.advance(499);
    expect(outcome().status).toBe('pending');
    await clock.advance(1);
    const { reason } = outcome() as { reason: TaskDeadlineError };
    expect(reason).toBeInstanceOf(TaskDeadlineError);
    expect(reason).toMatchObject({
      code: 'TASKDIST_DEADLINE',
      attempts: 0,
      message: 'The task was not done within 500 ms (`deadline`), and no worker had started it',
    });
    expect([scheduler.queued, clock.pendingTimers]).toEqual([0, 0]);
    expect(events).toEqual([{ type: 'settled', key: '0', task: 'task', outcome: 'expired', error: reason }]);
  });

  it('rejects at that Date, whatever the clock that only counts says', async () => {
    const { scheduler, clock } = openScheduler({ unmatchedAfter: Number.POSITIVE_INFINITY });
    await clock.advance(1234);
    const outcome = follow(scheduler.put('task', { deadline: new Date(clock.epochNow() + 250) }));
    await clock.advance(249);
    expect(outcome().status).toBe('pending');
    await clock.advance(1);
    expect(outcome()).toMatchObject(expired(0));
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([0, -1, -3_600_000])('rejects at once if the Date is %i ms from now, and is given to nobody', async (ms) => {
    const { scheduler, clock, holder } = openScheduler();
    const taking = holder('waiting').take();
    const outcome = follow(scheduler.put('task', { deadline: new Date(clock.epochNow() + ms) }));
    void scheduler.put('other');
    await nextTurn();
    expect(outcome()).toMatchObject(expired(0));
    expect(outcome()).toMatchObject({ reason: { message: expect.stringContaining('within 0 ms') } });
    expect((await taking).map(({ task }) => task)).toEqual(['other']);
    expect([scheduler.queued, scheduler.leased, clock.pendingTimers]).toEqual([0, 1, 0]);
    // It was never a task of the scheduler.
    expect(scheduler.stats().total).toMatchObject({ put: 1, expired: 0 });
  });

  it('rejects while the task waits for its delay', async () => {
    const { scheduler, clock } = openScheduler();
    const outcome = follow(scheduler.put('task', { deadline: 100, delay: 200 }));
    await clock.advance(99);
    expect([outcome().status, scheduler.delayed]).toEqual(['pending', 1]);
    await clock.advance(1);
    expect(outcome()).toMatchObject(expired(0));
    expect([scheduler.delayed, scheduler.queued, clock.pendingTimers]).toEqual([0, 0, 0]);
  });

  it('rejects while the task waits out a backoff, and counts its attempts', async () => {
    const { scheduler, clock, holder } = openScheduler({ backoff: { base: 1000 } }, () => 0.5);
    const outcome = follow(scheduler.put('task', { deadline: 100 }));
    scheduler.fail(await holder('h').takeOne(), new Error('no'));
    expect(scheduler.delayed).toBe(1);
    await clock.advance(100);
    expect(outcome()).toMatchObject(expired(1));
    expect(outcome()).toMatchObject({ reason: { message: 'The task was not done within 100 ms (`deadline`)' } });
    expect([scheduler.delayed, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('tells why attempts failed before, and the last of them as its cause', async () => {
    const { scheduler, clock, holder } = openScheduler({ backoff: { base: 0 } });
    const outcome = follow(scheduler.put('task', { deadline: 100 }));
    const errors = ['one', 'two'].map((message) => new Error(message));
    for (const error of errors) scheduler.fail(await holder(error.message).takeOne(), error);
    await clock.advance(100);
    expect(outcome()).toMatchObject({
      reason: {
        attempts: 2,
        cause: errors[1],
        failures: [
          { attempt: 1, workerId: 'one', error: errors[0] },
          { attempt: 2, workerId: 'two', error: errors[1] },
        ],
      },
    });
  });

  it('does not count an attempt that has not started', async () => {
    const { scheduler, clock, holder } = openScheduler();
    const outcome = follow(scheduler.put('task', { deadline: 100 }));
    await holder('h').takeOne();
    await clock.advance(100);
    expect(outcome()).toMatchObject(expired(0));
    expect(outcome()).toMatchObject({ reason: { message: expect.stringContaining('no worker had started it') } });
  });

  it('takes the lease back from who holds it', async () => {
    const { scheduler, clock, holder } = openScheduler();
    const outcome = follow(scheduler.put('task', { deadline: 100 }));
    const worker = holder('h');
    const lease = await worker.takeOne();
    scheduler.started(lease);
    await clock.advance(100);
    expect(outcome()).toMatchObject(expired(1));
    expect([worker.revoked, worker.reasons]).toEqual([[lease], ['aborted']]);
    expect([lease.isLive, scheduler.leased, scheduler.stats().running, clock.pendingTimers]).toEqual([false, 0, 0, 0]);
    expect(scheduler.complete(lease, 'late')).toBe(false);
  });

  it('takes both leases back if a second attempt is made', async () => {
    const { scheduler, clock, holder } = openScheduler();
    const outcome = follow(scheduler.put('task', { deadline: 2000, speculate: true }));
    const [slow, other] = [holder('slow'), holder('other')];
    scheduler.started(await slow.takeOne());
    const taking = other.take();
    await clock.advance(1000);
    const [copy] = await taking;
    if (copy === undefined) return expect.unreachable();
    expect(copy.isSpeculative).toBe(true);
    scheduler.started(copy);
    await clock.advance(1000);
    expect(outcome()).toMatchObject(expired(2));
    expect([slow.reasons, other.reasons]).toEqual([['aborted'], ['aborted']]);
    expect([scheduler.leased, scheduler.stats().running, clock.pendingTimers]).toEqual([0, 0, 0]);
  });

  it.each(['complete', 'fail', 'discard'] as const)('leaves no timer behind when it is settled: %s', async (end) => {
    const { scheduler, clock, holder } = openScheduler();
    const outcome = follow(scheduler.put('task', { deadline: 1000, maxAttempts: 1 }));
    const lease = await holder('h').takeOne();
    if (end === 'complete') scheduler.complete(lease, 'done');
    else scheduler[end](lease, new Error('no'));
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(2000);
    expect(outcome()).not.toMatchObject(expired(1));
    expect(outcome().status).not.toBe('pending');
  });

  it('leaves no timer behind when its signal aborts', async () => {
    const { scheduler, clock } = openScheduler();
    const controller = new AbortController();
    const outcome = follow(scheduler.put('task', { deadline: 1000, delay: 500, signal: controller.signal }));
    expect(clock.pendingTimers).toBe(1);
    controller.abort('why');
    expect(clock.pendingTimers).toBe(0);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'why' });
  });

  it('sets no timer for Infinity, which goes before the default of the scheduler', async () => {
    const { scheduler, clock, holder } = openScheduler({ deadline: 100 });
    const forever = follow(scheduler.put('forever', { deadline: Number.POSITIVE_INFINITY }));
    await holder('h').takeOne();
    expect(clock.pendingTimers).toBe(0);
    const usual = follow(scheduler.put('usual'));
    await clock.advance(100);
    expect([forever().status, usual().status]).toEqual(['pending', 'rejected']);
  });

  it('is judged a moment later if the process stood still, when what came in meanwhile is read', async () => {
    const { scheduler, clock, holder } = openScheduler();
    const [inTime, late] = [1, 2].map((task) => follow(scheduler.put(task, { deadline: 100 })));
    const [lease] = await holder('h').takeNow();
    clock.jump(3_600_000);
    await clock.settle();
    if (lease !== undefined) scheduler.complete(lease, 'in time');
    await clock.advance(100);
    expect([inTime?.().status, late?.()]).toMatchObject(['fulfilled', expired(0)]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('holds a Date as it was when it was given', async () => {
    const { scheduler, clock } = openScheduler();
    const deadline = new Date(clock.epochNow() + 100);
    const mapped = scheduler.map(['task'], { deadline });
    deadline.setTime(Number.NaN);
    const outcome = follow(mapped.next());
    await clock.advance(100);
    expect(outcome()).toMatchObject(expired(0));
  });

  it('fails a task of a map that was put too late, and not the map', async () => {
    const { scheduler } = openScheduler();
    const mapped = scheduler.map(['task'], { deadline: new Date(0), failures: 'yield' });
    expect(await mapped.next()).toMatchObject({ value: { status: 'failed', error: { code: 'TASKDIST_DEADLINE' } } });
    expect(await mapped.next()).toMatchObject({ done: true });
  });
});
