import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

const stopped = new TaskdistError('TASKDIST_STOPPED', 'stopped');

describe('the event `settled`', () => {
  it('tells of a result, without the result', async () => {
    const { scheduler, holder, events } = openScheduler();
    const task = { n: 1 };
    void scheduler.put(task);
    scheduler.complete(await holder('h').takeOne(), 'result');
    expect(events).toEqual([{ type: 'settled', key: '0', task, outcome: 'done' }]);
    expect(events[0]?.task).toBe(task);
  });

  it.each(['deadLetter', 'aborted', 'expired', 'unsendable', 'stopped'] as const)(
    'tells once, with what the promise rejects with: %s',
    async (outcome) => {
      const { scheduler, clock, holder, events } = openScheduler({ maxAttempts: 1 });
      const controller = new AbortController();
      const put = follow(scheduler.put('task', { deadline: 100, signal: controller.signal }));
      const lease = await holder('h').takeOne();
      if (outcome === 'deadLetter') scheduler.fail(lease, new Error('no'));
      else if (outcome === 'aborted') controller.abort('why');
      else if (outcome === 'expired') await clock.advance(100);
      else if (outcome === 'unsendable') scheduler.discard(lease, new Error('no'));
      else scheduler.close(stopped);
      await clock.advance(1000);
      const { reason } = put() as { readonly reason: unknown };
      expect(events).toEqual([{ type: 'settled', key: '0', task: 'task', outcome, error: reason }]);
    },
  );

  it('is not told of a put that was refused', async () => {
    const { scheduler, events } = openScheduler();
    await expect(scheduler.put('task', { signal: AbortSignal.abort() })).rejects.toThrow();
    await expect(scheduler.put('task', { deadline: new Date(0) })).rejects.toThrow();
    expect(events).toEqual([]);
  });

  it('may lead to another put', async () => {
    const { scheduler, holder } = openScheduler();
    const worker = holder('h');
    scheduler.on('settled', ({ task }) => {
      if (typeof task === 'number' && task < 3) void scheduler.put(task + 1);
    });
    void scheduler.put(1);
    const tasks: unknown[] = [];
    for (let n = 0; n < 3; n += 1) {
      const lease = await worker.takeOne();
      tasks.push(lease.task);
      scheduler.complete(lease, 'done');
    }
    expect([tasks, scheduler.queued]).toEqual([[1, 2, 3], 0]);
  });
});

describe('the event `retrying`', () => {
  it('tells of each failure that another attempt follows, and of nothing else', async () => {
    const { scheduler, holder, events } = openScheduler({ maxAttempts: 2, backoff: { base: 0 } });
    scheduler.put('task').catch(() => {});
    const worker = holder('h');
    const error = new Error('no');
    scheduler.release(await worker.takeOne(), { kind: 'returned' });
    scheduler.release(await worker.takeOne(), lost);
    scheduler.fail(await worker.takeOne(), error);
    expect(events).toEqual([{ type: 'retrying', key: '0', task: 'task', attempt: 2, error, delay: 0 }]);
    scheduler.fail(await worker.takeOne(), error);
    expect(events.slice(1)).toMatchObject([{ type: 'settled', outcome: 'deadLetter' }]);
  });

  it('comes when the task waits already, so that a listener may abort it', async () => {
    const { scheduler, clock, holder, events } = openScheduler({ backoff: { base: 100 } }, () => 0.5);
    const controller = new AbortController();
    scheduler.on('retrying', () => {
      expect(scheduler.delayed).toBe(1);
      controller.abort('enough');
    });
    const outcome = follow(scheduler.put('task', { signal: controller.signal }));
    scheduler.fail(await holder('h').takeOne(), new Error('no'));
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'enough' });
    expect([scheduler.delayed, clock.pendingTimers]).toEqual([0, 0]);
    expect(events.map(({ type }) => type).sort()).toEqual(['retrying', 'settled']);
  });
});

describe('the events of a scheduler as a stream', () => {
  it('are the same, in their order, and end when the scheduler is closed', async () => {
    const { scheduler, holder, events } = openScheduler();
    const stream = scheduler.events();
    const outcomes = [1, 2].map((task) => follow(scheduler.put(task)));
    const worker = holder('h');
    scheduler.fail(await worker.takeOne(), new Error('no'));
    scheduler.complete(await worker.takeOne(), 'done');
    scheduler.close(stopped);
    const streamed = [];
    for await (const event of stream) streamed.push(event);
    expect(streamed).toEqual(events);
    expect(streamed.map(({ type }) => type)).toEqual(['retrying', 'settled', 'settled']);
    expect(outcomes.map((outcome) => outcome().status)).toEqual(['fulfilled', 'rejected']);
  });

  it('are those of the types that are wanted', async () => {
    const { scheduler, holder } = openScheduler();
    const stream = scheduler.events({ types: ['retrying'] });
    void scheduler.put(1);
    const worker = holder('h');
    scheduler.fail(await worker.takeOne(), new Error('no'));
    scheduler.complete(await worker.takeOne(), 'done');
    scheduler.close(stopped);
    const types = [];
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual(['retrying']);
  });

  it('work again when it is opened again', async () => {
    const { scheduler, holder } = openScheduler();
    scheduler.close(stopped);
    scheduler.open();
    const next = scheduler.events().next();
    void scheduler.put(1);
    scheduler.complete(await holder('h').takeOne(), 'done');
    expect(await next).toMatchObject({ done: false, value: { type: 'settled', outcome: 'done' } });
  });
});
