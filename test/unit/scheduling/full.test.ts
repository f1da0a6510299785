// What happens when there are as many tasks as a scheduler may have.
import { describe, expect, it, vi } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { Queue } from '../../../src/queue.ts';
import { follow } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

const full = { code: 'TASKDIST_FULL', message: 'There are 2 tasks already (`maxTasks`)' };

describe('a scheduler with `maxTasks`', () => {
  it('refuses a put when there are as many, queued, delayed or leased', async () => {
    const { scheduler, holder } = openScheduler({ maxTasks: 2 });
    void scheduler.put('queued');
    const lease = await holder('h').takeOne();
    void scheduler.put('delayed', { delay: 1000 });
    await expect(scheduler.put('third')).rejects.toMatchObject(full);
    expect(scheduler.stats()).toMatchObject({ delayed: 1, leased: 1, queued: 0, held: 0, total: { put: 2 } });
    scheduler.complete(lease, 'result');
    void scheduler.put('third');
    expect(scheduler.queued).toBe(1);
  });

  it('shares a promise by its key all the same', async () => {
    const { scheduler, holder } = openScheduler({ maxTasks: 1 });
    const first = scheduler.put('task', { idempotencyKey: 'key' });
    const second = scheduler.put('task', { idempotencyKey: 'key' });
    await expect(scheduler.put('task', { idempotencyKey: 'other' })).rejects.toMatchObject({ code: 'TASKDIST_FULL' });
    scheduler.complete(await holder('h').takeOne(), 'result');
    expect(await Promise.all([first, second])).toEqual(['result', 'result']);
    // The refusal is not shared.
    void scheduler.put('task', { idempotencyKey: 'other' });
    expect(scheduler.queued).toBe(1);
  });

  it('lets a map wait for room, in order, and comes to its end', async () => {
    const { scheduler, holder } = openScheduler({ maxTasks: 3 });
    const results: number[] = [];
    const through = (async () => {
      for await (const { index } of scheduler.map([0, 1, 2, 3, 4], { window: 4 })) results.push(index);
    })();
    await scheduler.clock.settle();
    expect(scheduler.stats()).toMatchObject({ queued: 2, held: 2 });
    const worker = holder('h');
    const taken: unknown[] = [];
    for (let n = 0; n < 5; n += 1) {
      const lease = await worker.takeOne();
      taken.push(lease.task);
      scheduler.complete(lease, undefined);
      await scheduler.clock.settle();
      expect(scheduler.queued + scheduler.leased).toBeLessThanOrEqual(2);
    }
    await through;
    expect([taken, results]).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ]);
    expect(scheduler.stats()).toMatchObject({ queued: 0, held: 0, total: { put: 5, done: 5 } });
  });

  it('lets nobody overtake those who wait for room, and refuses a put while they do', async () => {
    const { scheduler } = openScheduler({ maxTasks: 1 });
    const controller = new AbortController();
    void scheduler.put('first', { signal: controller.signal }).catch(() => {});
    void scheduler.map(['mapped'])[Symbol.asyncIterator]().next();
    await scheduler.clock.settle();
    controller.abort();
    expect(scheduler.stats()).toMatchObject({ queued: 1, held: 0 });
    await expect(scheduler.put('late')).rejects.toMatchObject({ code: 'TASKDIST_FULL' });
  });

  it('drops the tasks that wait for room when their map ends, expire at their deadline, or the master stops', async () => {
    const { scheduler, clock } = openScheduler({ maxTasks: 1 });
    void scheduler.put('first').catch(() => {});
    const left = scheduler.map(['left']);
    void left.next();
    const expiring = follow(scheduler.map(['expiring'], { deadline: 100 }).next());
    const stopped = follow(scheduler.map(['stopped']).next());
    await clock.settle();
    expect(scheduler.held).toBe(3);
    await left.return?.();
    expect(scheduler.held).toBe(2);
    await clock.advance(100);
    expect([scheduler.held, expiring()]).toMatchObject([
      1,
      { status: 'rejected', reason: { code: 'TASKDIST_DEADLINE' } },
    ]);
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    await clock.settle();
    expect(stopped()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_STOPPED' } });
    expect(scheduler.stats()).toMatchObject({ queued: 0, held: 0 });
  });

  it('counts a delay from when the task was put, not from when there was room', async () => {
    const { scheduler, clock, holder } = openScheduler({ maxTasks: 1 });
    void scheduler.put('first');
    void scheduler.map(['later'], { delay: 100 }).next();
    await clock.advance(70);
    const worker = holder('h');
    scheduler.complete(await worker.takeOne(), undefined);
    expect(scheduler.stats()).toMatchObject({ delayed: 1, held: 0 });
    await clock.advance(30);
    expect(scheduler.stats()).toMatchObject({ delayed: 0, queued: 1 });
  });

  it('keeps a tenth of the room for those who put one, however long a map is', async () => {
    const { scheduler, clock, holder } = openScheduler({ maxTasks: 20 });
    void scheduler
      .map(
        Array.from({ length: 100 }, (_, n) => n),
        { window: 50 },
      )
      .next();
    await clock.settle();
    expect(scheduler.stats()).toMatchObject({ queued: 18, held: 32 });
    for (const task of ['first', 'second']) void scheduler.put(task, { priority: 1 });
    await expect(scheduler.put('third')).rejects.toMatchObject({ code: 'TASKDIST_FULL' });
    const worker = holder('h');
    expect((await worker.takeNow(2)).map(({ task }) => task)).toEqual(['first', 'second']);
    for (const lease of await worker.takeNow(3)) scheduler.complete(lease, undefined);
    await clock.settle();
    expect(scheduler.stats()).toMatchObject({ queued: 18, leased: 2 });
  });

  it('lets a map get on beside those who put another task whenever one is done', async () => {
    const { scheduler, clock, holder } = openScheduler({ maxTasks: 10 });
    for (let n = 0; n < 10; n += 1) void scheduler.put(n);
    void scheduler.map(['mapped'], { priority: 1 }).next();
    await clock.settle();
    expect(scheduler.stats()).toMatchObject({ queued: 10, held: 1 });
    const worker = holder('h');
    scheduler.complete(await worker.takeOne(), 'result');
    await expect(scheduler.put('another')).rejects.toMatchObject({ code: 'TASKDIST_FULL' });
    expect((await worker.takeOne()).task).toBe('mapped');
  });

  it('holds many, and forgets those that drop out, in a time that does not grow with their number', async () => {
    /** How often an entry is looked at while so many held ones are aborted, or let in one by one. */
    const looks = async (count: number, isAborted: boolean): Promise<number> => {
      const { scheduler, clock, holder } = openScheduler({ maxTasks: 2 });
      const shift = vi.spyOn(Queue.prototype, 'shift');
      const inputs = Array.from({ length: count }, (_, n) => n);
      const mapped = scheduler.map(inputs, { window: count, ordered: false });
      void mapped.next();
      await clock.settle();
      if (isAborted) await mapped.return?.();
      const worker = holder('h');
      for (let n = 0; n < count && !isAborted; n += 1) scheduler.complete(await worker.takeOne(), undefined);
      expect(scheduler.stats()).toMatchObject({ held: 0, queued: 0 });
      const { length } = shift.mock.calls;
      shift.mockRestore();
      return length;
    };
    for (const isAborted of [true, false]) {
      expect(await looks(2000, isAborted)).toBeLessThan(2.5 * (await looks(1000, isAborted)));
    }
  });
});
