import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { countingController } from '../../support/counting-controller.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow, TestHolder } from '../../support/holders.ts';
import { TestScheduler } from '../../support/scheduler.ts';

function setUp() {
  const scheduler = new TestScheduler<unknown, unknown>();
  scheduler.open();
  return { scheduler, holder: new TestHolder(scheduler) };
}

describe('a put with a signal', () => {
  it('rejects with the reason when the task is queued', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const outcome = follow(scheduler.put(1, { signal: controller.signal }));
    void scheduler.put(2);
    controller.abort('not needed');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'not needed' });
    expect(scheduler.queued).toBe(1);
    expect((await holder.takeNow()).map(({ task }) => task)).toEqual([2]);
    expect(holder.revoked).toEqual([]);
  });

  it('rejects, and revokes the lease, when the task is leased', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const outcome = follow(scheduler.put(1, { signal: controller.signal }));
    const lease = await holder.takeOne();
    controller.abort('not needed');
    expect(holder.revoked).toEqual([lease]);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'not needed' });
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
    expect(scheduler.complete(lease, 'late')).toBe(false);
  });

  it('rejects when a task that was rejected waits for somebody else', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const outcome = follow(scheduler.put(1, { signal: controller.signal }));
    scheduler.release(await holder.takeOne(), { kind: 'rejected' });
    controller.abort('not needed');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'not needed' });
    expect(scheduler.queued).toBe(0);
  });

  it('rejects at once if the signal has aborted before', async () => {
    const { scheduler } = setUp();
    await expect(scheduler.put(1, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expect(scheduler.queued).toBe(0);
  });

  it('rejects with an AbortError where no reason was given', async () => {
    const { scheduler } = setUp();
    const controller = new AbortController();
    const outcome = follow(scheduler.put(1, { signal: controller.signal }));
    controller.abort();
    await nextTurn();
    expect(outcome()).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
  });

  it('does not mind an abort after it is settled', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const result = scheduler.put(1, { signal: controller.signal });
    scheduler.complete(await holder.takeOne(), 'done');
    controller.abort();
    expect(await result).toBe('done');
    expect(holder.revoked).toEqual([]);
  });

  it('takes its task out of the hands of a batch that is not handed out yet', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const taking = holder.take(10);
    const outcome = follow(scheduler.put(1, { signal: controller.signal }));
    void scheduler.put(2);
    controller.abort('changed my mind');
    expect((await taking).map(({ task }) => task)).toEqual([2]);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'changed my mind' });
  });
});

describe('many tasks with one signal', () => {
  it('have one listener on it, which is gone when they are settled', async () => {
    const { scheduler, holder } = setUp();
    const { signal, listeners } = countingController();
    for (let task = 0; task < 1000; task += 1) follow(scheduler.put(task, { signal, maxAttempts: 1 }));
    expect(listeners.size).toBe(1);
    const leases = await holder.takeNow();
    for (const [index, lease] of leases.entries()) {
      if (index % 3 === 0) scheduler.complete(lease, 'done');
      else if (index % 3 === 1) scheduler.fail(lease, new Error('no'));
      else scheduler.discard(lease, new Error('no'));
    }
    expect(listeners.size).toBe(0);
  });

  it('have no listener on it once the scheduler is closed', () => {
    const { scheduler } = setUp();
    const { signal, listeners } = countingController();
    for (let task = 0; task < 10; task += 1) follow(scheduler.put(task, { signal }));
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    expect(listeners.size).toBe(0);
  });

  it('have a listener on it again when tasks come again', async () => {
    const { scheduler, holder } = setUp();
    const { controller, signal, listeners } = countingController();
    follow(scheduler.put(1, { signal }));
    scheduler.complete(await holder.takeOne(), 'done');
    const outcome = follow(scheduler.put(2, { signal }));
    expect(listeners.size).toBe(1);
    controller.abort('why');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'why' });
  });

  it('are all aborted together, queued or leased', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const outcomes = [1, 2, 3, 4].map((task) => follow(scheduler.put(task, { signal: controller.signal })));
    const other = follow(scheduler.put('other'));
    const leases = await holder.takeNow(2);
    controller.abort('all');
    await nextTurn();
    expect(outcomes.map((outcome) => outcome())).toEqual(Array(4).fill({ status: 'rejected', reason: 'all' }));
    expect(holder.revoked).toEqual(leases);
    expect(other().status).toBe('pending');
    expect([scheduler.queued, scheduler.leased]).toEqual([1, 0]);
  });
});
