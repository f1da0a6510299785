import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

const options = { idempotencyKey: 'work' };

describe('a put with an idempotency key', () => {
  it('waits for the task of the first of its name, with a promise of its own', async () => {
    const { scheduler, holder } = openScheduler();
    const first = scheduler.put('first', options);
    const second = scheduler.put('second', options);
    expect(second).not.toBe(first);
    expect(scheduler.queued).toBe(1);
    expect(scheduler.stats().total.put).toBe(1);
    const lease = await holder('h').takeOne();
    expect(lease.task).toBe('first');
    const third = scheduler.put('third', options);
    expect(scheduler.queued).toBe(0);
    scheduler.complete(lease, 'result');
    expect(await Promise.all([first, second, third])).toEqual(['result', 'result', 'result']);
  });

  it('has nothing to do with another name, or with none', () => {
    const { scheduler } = openScheduler();
    for (const each of [options, { idempotencyKey: 'other' }, {}, {}]) void scheduler.put('task', each);
    expect(scheduler.queued).toBe(4);
  });

  it.each(['delayed', 'failed', 'rejected'])('shares the task while it is %s', async (state) => {
    const { scheduler, clock, holder } = openScheduler({ backoff: { base: 100 } }, () => 0.5);
    const first = scheduler.put('task', { ...options, delay: state === 'delayed' ? 100 : 0 });
    if (state === 'failed') scheduler.fail(await holder('h').takeOne(), new Error('no'));
    if (state === 'rejected') scheduler.release(await holder('h').takeOne(), { kind: 'rejected' });
    const second = scheduler.put('task', options);
    await clock.advance(100);
    expect(scheduler.stats()).toMatchObject({ queued: 1, delayed: 0, total: { put: 1 } });
    scheduler.complete(await holder('other').takeOne(), 'result');
    expect(await Promise.all([first, second])).toEqual(['result', 'result']);
  });

  it('starts anew once the first is settled: done', async () => {
    const { scheduler, holder } = openScheduler();
    const worker = holder('h');
    const first = scheduler.put(1, options);
    scheduler.complete(await worker.takeOne(), 'one');
    const second = scheduler.put(2, options);
    expect(second).not.toBe(first);
    scheduler.complete(await worker.takeOne(), 'two');
    expect(await Promise.all([first, second])).toEqual(['one', 'two']);
  });

  it.each(['dead letter', 'aborted', 'expired', 'unsendable', 'stopped'])('starts anew: %s', async (how) => {
    const { scheduler, clock, holder } = openScheduler();
    const controller = new AbortController();
    const { signal } = controller;
    const first = follow(scheduler.put('task', { ...options, maxAttempts: 1, deadline: 100, signal }));
    const lease = await holder('h').takeOne();
    if (how === 'dead letter') scheduler.fail(lease, new Error('no'));
    else if (how === 'aborted') controller.abort();
    else if (how === 'expired') await clock.advance(100);
    else if (how === 'unsendable') scheduler.discard(lease, new Error('no'));
    else {
      scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
      scheduler.open();
    }
    const second = follow(scheduler.put('again', options));
    await nextTurn();
    expect([first().status, second().status, scheduler.queued]).toEqual(['rejected', 'pending', 1]);
  });

  it('rejects for all who share it, and for nobody who does not listen', async () => {
    const { scheduler, holder } = openScheduler({ maxAttempts: 1 });
    const { signal } = new AbortController();
    // An unhandled rejection would fail the run.
    const outcomes = [options, options, { ...options, signal }].map((each) => follow(scheduler.put('task', each)));
    scheduler.fail(await holder('h').takeOne(), new Error('no'));
    await nextTurn();
    for (const outcome of outcomes) expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_DEAD_LETTER' } });
  });

  it.each<[string, (scheduler: ReturnType<typeof openScheduler>['scheduler']) => Promise<unknown>]>([
    ['its signal had aborted', (scheduler) => scheduler.put(1, { ...options, signal: AbortSignal.abort('before') })],
    ['its deadline had passed', (scheduler) => scheduler.put(1, { ...options, deadline: new Date(0) })],
    ['an option was wrong', (scheduler) => scheduler.put(1, { ...options, maxAttempts: 0 })],
    [
      'the scheduler was closed',
      async (scheduler) => {
        scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
        const refused = scheduler.put(1, options);
        scheduler.open();
        await refused;
      },
    ],
  ])('is not bound to a first one that was refused, as %s', async (_, putRefused) => {
    const { scheduler, holder } = openScheduler();
    await expect(putRefused(scheduler)).rejects.toBeDefined();
    const result = scheduler.put(2, options);
    const lease = await holder('h').takeOne();
    expect(lease.task).toBe(2);
    scheduler.complete(lease, 'two');
    expect(await result).toBe('two');
  });

  it('can be put again from a listener that is told that it is settled', async () => {
    const { scheduler, holder } = openScheduler();
    const again: Promise<unknown>[] = [];
    scheduler.on('settled', ({ task }) => {
      if (task === 1) again.push(scheduler.put(2, options));
    });
    const worker = holder('h');
    const first = scheduler.put(1, options);
    scheduler.complete(await worker.takeOne(), 'one');
    again.push(scheduler.put(3, options));
    const lease = await worker.takeOne();
    expect(lease.task).toBe(2);
    scheduler.complete(lease, 'two');
    expect(await Promise.all([first, ...again])).toEqual(['one', 'two', 'two']);
  });

  it.each([
    ['', '""'],
    ['x'.repeat(1025), `"${'x'.repeat(1025)}"`],
    [7, '7'],
    [null, 'null'],
  ])('is refused if it is no name: %.5s', async (idempotencyKey, shown) => {
    const { scheduler } = openScheduler();
    await expect(scheduler.put(1, { idempotencyKey } as never)).rejects.toMatchObject({
      code: 'TASKDIST_INVALID_OPTION',
      message: `Expected \`idempotencyKey\` to be a string of 1 to 1024 characters, got ${shown}`,
    });
    expect(scheduler.queued).toBe(0);
  });

  it('may have 1024 characters, and mean something to an object', () => {
    const { scheduler } = openScheduler();
    for (const idempotencyKey of ['x'.repeat(1024), '__proto__', 'constructor']) {
      for (const task of [1, 2]) void scheduler.put(task, { idempotencyKey });
    }
    expect(scheduler.queued).toBe(3);
  });
});
