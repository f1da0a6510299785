import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

const options = { idempotencyKey: 'work' };

describe('a put with an idempotency key', () => {
  it('is the same promise as that of the first of its name', async () => {
    const { scheduler, holder } = openScheduler();
    const first = scheduler.put('first', options);
    const second = scheduler.put('second', options);
    expect(second).toBe(first);
    expect(scheduler.queued).toBe(1);
    expect(scheduler.stats().total.put).toBe(1);
    const lease = await holder('h').takeOne();
    expect(lease.task).toBe('first');
    expect(scheduler.put('third', options)).toBe(first);
    scheduler.complete(lease, 'result');
    expect(await second).toBe('result');
  });

  it('has nothing to do with another name, or with none', () => {
    const { scheduler } = openScheduler();
    const puts = [options, { idempotencyKey: 'other' }, {}, {}].map((each) => scheduler.put('task', each));
    expect(new Set(puts).size).toBe(4);
    expect(scheduler.queued).toBe(4);
  });

  it.each(['delayed', 'failed', 'rejected'])('is shared while the task is %s', async (state) => {
    const { scheduler, holder } = openScheduler({ backoff: { base: 100 } }, () => 0.5);
    const first = scheduler.put('task', { ...options, delay: state === 'delayed' ? 100 : 0 });
    if (state === 'failed') scheduler.fail(await holder('h').takeOne(), new Error('no'));
    if (state === 'rejected') scheduler.release(await holder('h').takeOne(), { kind: 'rejected' });
    expect(scheduler.put('task', options)).toBe(first);
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

  it('ends one wait alone by the signal of a later one', async () => {
    const { scheduler, holder } = openScheduler();
    const controller = new AbortController();
    const [first, second, third] = [{}, { signal: controller.signal }, {}].map((each) =>
      follow(scheduler.put('task', { ...options, ...each })),
    );
    controller.abort('enough');
    await nextTurn();
    expect([first?.(), second?.(), third?.()]).toEqual([
      { status: 'pending' },
      { status: 'rejected', reason: 'enough' },
      { status: 'pending' },
    ]);
    scheduler.complete(await holder('h').takeOne(), 'result');
    await nextTurn();
    expect([first?.(), third?.()]).toEqual(Array(2).fill({ status: 'fulfilled', value: 'result' }));
  });

  it('ends one wait that its signal has ended before', async () => {
    const { scheduler } = openScheduler();
    const first = follow(scheduler.put('task', options));
    await expect(scheduler.put('task', { ...options, signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expect([first().status, scheduler.queued]).toEqual(['pending', 1]);
  });

  it('ends all waits by the signal of the first', async () => {
    const { scheduler } = openScheduler();
    const controller = new AbortController();
    const outcomes = [{ signal: controller.signal }, {}].map((each) =>
      follow(scheduler.put('task', { ...options, ...each })),
    );
    controller.abort('all');
    await nextTurn();
    expect(outcomes.map((outcome) => outcome())).toEqual(Array(2).fill({ status: 'rejected', reason: 'all' }));
  });

  it('needs one listener on the signal of later ones, however many, and leaves none', async () => {
    const { scheduler, holder } = openScheduler();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...parameters: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, parameters);
    };
    void scheduler.put('task', options);
    const later = [1, 2, 3].map(() => scheduler.put('task', { ...options, signal }));
    expect(listeners).toBe(1);
    scheduler.complete(await holder('h').takeOne(), 'result');
    expect(await Promise.all(later)).toEqual(Array(3).fill('result'));
    await nextTurn();
    expect(listeners).toBe(0);
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
    expect(again[0]).not.toBe(first);
    expect(scheduler.put(3, options)).toBe(again[0]);
    scheduler.complete(await worker.takeOne(), 'two');
    expect(await Promise.all([first, ...again])).toEqual(['one', 'two']);
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
      expect(scheduler.put(1, { idempotencyKey })).toBe(scheduler.put(2, { idempotencyKey }));
    }
    expect(scheduler.queued).toBe(3);
  });
});
