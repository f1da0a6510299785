import { describe, expect, it } from 'vitest';
import { DeadLetterError, TaskdistError } from '../../../src/errors.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import type { FifoSchedulerOptions } from '../../../src/scheduling/scheduler-options.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow, TestHolder } from '../../support/holders.ts';
import { leaseOf } from '../../support/leases.ts';
import { TestScheduler } from '../../support/scheduler.ts';

const lost = new TaskdistError('TASKDIST_WORKER_LOST', 'gone');

function setUp(options?: FifoSchedulerOptions) {
  const scheduler = new TestScheduler<unknown, unknown>(options);
  scheduler.open();
  return { scheduler, holder: new TestHolder(scheduler) };
}

describe('FifoScheduler', () => {
  it('resolves a put to the result', async () => {
    const { scheduler, holder } = setUp();
    const result = scheduler.put('task');
    expect(scheduler.complete(await holder.takeOne(), 42)).toBe(true);
    expect(await result).toBe(42);
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  it('counts the attempts of a task from 1', async () => {
    const { scheduler, holder } = setUp();
    void scheduler.put('task');
    const attempts: number[] = [];
    for (const end of ['fail', 'lost', 'returned', 'rejected'] as const) {
      const other = new TestHolder(scheduler, `${end} holder`);
      const lease = await other.takeOne();
      attempts.push(lease.attempt);
      if (end === 'fail') scheduler.fail(lease, new Error('no'));
      else scheduler.release(lease, end === 'lost' ? { kind: 'lost', error: lost } : { kind: end });
    }
    // What was given back in good order, or declined, was no attempt.
    expect([...attempts, (await holder.takeOne()).attempt]).toEqual([1, 2, 3, 3, 3]);
  });

  it('gives a task up when its attempts are used up, and lists them all', async () => {
    const { scheduler } = setUp({ maxAttempts: 3 });
    const outcome = follow(scheduler.put('task'));
    const errors = ['one', 'two', 'three'].map((message) => new Error(message));
    for (const [index, error] of errors.entries()) {
      expect(outcome().status).toBe('pending');
      expect(scheduler.fail(await new TestHolder(scheduler, `h${index}`).takeOne(), error)).toBe(true);
    }
    await nextTurn();
    const { reason } = outcome() as { reason: DeadLetterError };
    expect(reason).toBeInstanceOf(DeadLetterError);
    expect(reason.code).toBe('TASKDIST_DEAD_LETTER');
    expect(reason.attempts).toEqual(
      errors.map((error, index) => ({ attempt: index + 1, worker: `holder h${index}`, workerId: `h${index}`, error })),
    );
    expect(reason.cause).toBe(errors[2]);
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  it('tries a task five times by default', async () => {
    const { scheduler, holder } = setUp();
    const outcome = follow(scheduler.put('task'));
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(outcome().status).toBe('pending');
      scheduler.fail(await holder.takeOne(), new Error('no'));
    }
    await nextTurn();
    expect(outcome()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_DEAD_LETTER' } });
  });

  it('tries a task as often as its put says', async () => {
    const { scheduler, holder } = setUp({ maxAttempts: 3 });
    const once = follow(scheduler.put('task', { maxAttempts: 1 }));
    scheduler.fail(await holder.takeOne(), new Error('no'));
    await nextTurn();
    expect(once()).toMatchObject({ reason: { attempts: { length: 1 } } });

    const always = follow(scheduler.put('task', { maxAttempts: Number.POSITIVE_INFINITY }));
    for (let attempt = 1; attempt <= 50; attempt += 1) scheduler.fail(await holder.takeOne(), new Error('no'));
    scheduler.complete(await holder.takeOne(), 'at last');
    await nextTurn();
    expect(always()).toEqual({ status: 'fulfilled', value: 'at last' });
  });

  it('lists the last 32 attempts of more, and says how many there were', async () => {
    const { scheduler, holder } = setUp({ maxAttempts: 50 });
    const outcome = follow(scheduler.put('task'));
    for (let attempt = 1; attempt <= 50; attempt += 1) scheduler.fail(await holder.takeOne(), new Error(`${attempt}`));
    await nextTurn();
    const { reason } = outcome() as { reason: DeadLetterError };
    expect(reason.message).toBe('The task is given up after 50 attempts; the last: 50');
    expect(reason.attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 32 }, (_, index) => index + 19));
  });

  it('gives up a task that its workers are lost with too often, whatever its attempts', async () => {
    const { scheduler, holder } = setUp({ maxAttempts: 1, maxDeliveries: 3 });
    const outcome = follow(scheduler.put('killer'));
    for (let delivery = 1; delivery <= 3; delivery += 1) {
      // Neither of these counts.
      scheduler.release(await holder.takeOne(), { kind: 'returned' });
      expect(outcome().status).toBe('pending');
      scheduler.release(await holder.takeOne(), { kind: 'lost', error: lost });
    }
    await nextTurn();
    const { reason } = outcome() as { reason: DeadLetterError };
    expect(reason.attempts).toEqual(
      [1, 2, 3].map((attempt) => ({ attempt, worker: 'holder h1', workerId: 'h1', error: lost })),
    );
  });

  it('endures twenty losses by default', async () => {
    const { scheduler, holder } = setUp({ maxAttempts: Number.POSITIVE_INFINITY });
    const outcome = follow(scheduler.put('killer'));
    for (let delivery = 1; delivery <= 20; delivery += 1) {
      expect(outcome().status).toBe('pending');
      scheduler.release(await holder.takeOne(), { kind: 'lost', error: lost });
    }
    await nextTurn();
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_DEAD_LETTER', attempts: { length: 20 } } });
  });

  it('lists failures and losses in their order', async () => {
    const { scheduler, holder } = setUp({ maxAttempts: 2 });
    const outcome = follow(scheduler.put('task'));
    const [first, last] = [new Error('first'), new Error('last')];
    scheduler.fail(await holder.takeOne(), first);
    scheduler.release(await holder.takeOne(), { kind: 'lost', error: lost });
    scheduler.fail(await holder.takeOne(), last);
    await nextTurn();
    const { reason } = outcome() as { reason: DeadLetterError };
    expect(reason.attempts.map(({ attempt, error }) => [attempt, error])).toEqual([
      [1, first],
      [2, lost],
      [3, last],
    ]);
  });

  it('discards a task that nobody can run, at the first attempt', async () => {
    const { scheduler, holder } = setUp();
    const outcome = follow(scheduler.put('task'));
    const error = new TaskdistError('TASKDIST_TOO_LARGE', 'too large');
    expect(scheduler.discard(await holder.takeOne(), error)).toBe(true);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: error });
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  type End = readonly [string, (scheduler: TestScheduler<unknown, unknown>, lease: Lease<unknown>) => boolean];
  const ends: readonly End[] = [
    ['complete', (scheduler, lease) => scheduler.complete(lease, 'late')],
    ['fail', (scheduler, lease) => scheduler.fail(lease, new Error('late'))],
    ['discard', (scheduler, lease) => scheduler.discard(lease, new Error('late'))],
    ['release returned', (scheduler, lease) => scheduler.release(lease, { kind: 'returned' })],
    ['release lost', (scheduler, lease) => scheduler.release(lease, { kind: 'lost', error: lost })],
    ['release rejected', (scheduler, lease) => scheduler.release(lease, { kind: 'rejected' })],
  ];

  it.each(ends)('knows that it is too late: %s', async (_, end) => {
    const { scheduler, holder } = setUp({ maxAttempts: 2, maxDeliveries: 1 });
    const outcome = follow(scheduler.put('task'));
    const over = await holder.takeOne();
    scheduler.fail(over, new Error('no'));
    expect(end(scheduler, over), 'while the task is queued').toBe(false);
    expect([scheduler.queued, scheduler.leased]).toEqual([1, 0]);
    const now = await holder.takeOne();
    expect(end(scheduler, over), 'while another has it').toBe(false);
    expect([scheduler.queued, scheduler.leased, now.attempt]).toEqual([0, 1, 2]);
    expect(scheduler.complete(now, 'right')).toBe(true);
    for (const lease of [over, now]) expect(end(scheduler, lease), 'when it is settled').toBe(false);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'right' });
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  it.each(ends)('knows a lease that it never made: %s', async (_, end) => {
    const { scheduler, holder } = setUp();
    void scheduler.put('task');
    const lease = await holder.takeOne();
    const copy = leaseOf('task', { key: lease.key });
    expect(end(scheduler, copy)).toBe(false);
    expect(scheduler.leased).toBe(1);
  });
});

describe('a FifoScheduler that is closed', () => {
  const stopped = new TaskdistError('TASKDIST_STOPPED', 'stopped');

  it('settles all that is queued or leased', async () => {
    const { scheduler, holder } = setUp();
    const outcomes = [1, 2, 3, 4].map((task) => follow(scheduler.put(task)));
    const [first, second] = await holder.takeNow(2);
    scheduler.release(second as Lease<unknown>, { kind: 'rejected' });
    scheduler.close(stopped);
    await nextTurn();
    expect(outcomes.map((outcome) => outcome())).toEqual(Array(4).fill({ status: 'rejected', reason: stopped }));
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
    expect(scheduler.complete(first as Lease<unknown>, 'late')).toBe(false);
    expect(await holder.takeNow()).toEqual([]);
  });

  it('rejects every put until it is opened again', async () => {
    const { scheduler, holder } = setUp();
    scheduler.close(stopped);
    await expect(scheduler.put(1)).rejects.toBe(stopped);
    scheduler.open();
    const result = scheduler.put(2);
    scheduler.complete(await holder.takeOne(), 'done');
    expect(await result).toBe('done');
  });

  it('may be closed again', async () => {
    const { scheduler } = setUp();
    scheduler.close(stopped);
    const again = new TaskdistError('TASKDIST_STOPPED', 'again');
    scheduler.close(again);
    await expect(scheduler.put(1)).rejects.toBe(again);
  });

  it('serves one master at a time', () => {
    const { scheduler } = setUp();
    expect(() => scheduler.open()).toThrow(expect.objectContaining({ code: 'TASKDIST_INVALID_STATE' }));
    scheduler.close(stopped);
    expect(() => scheduler.open()).not.toThrow();
  });
});

describe('the options of a FifoScheduler', () => {
  it.each([
    [null, 'Expected `options` to be an object, got null'],
    [
      { maxAttempt: 1 },
      'Unknown option `maxAttempt` for FifoScheduler; the options are priority, delay, timeout, timeoutFrom, maxAttempts, backoff, deadline, requires, speculate, verify, signal, onProgress, maxDeliveries, unmatchedAfter, maxTasks',
    ],
    [{ maxAttempts: 0 }, 'Expected `maxAttempts` to be an integer ≥ 1 or Infinity, got 0'],
    [{ maxAttempts: '5' }, 'Expected `maxAttempts` to be an integer ≥ 1 or Infinity, got "5"'],
    [{ maxTasks: 0 }, 'Expected `maxTasks` to be an integer ≥ 1 or Infinity, got 0'],
    [{ maxDeliveries: 1.5 }, 'Expected `maxDeliveries` to be an integer ≥ 1 or Infinity, got 1.5'],
  ])('are checked: %j', (options, message) => {
    expect(() => new TestScheduler(options as never)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
  });

  it.each([
    [null, 'Expected `options` to be an object, got null'],
    [
      { maxAttemps: 1 },
      'Unknown option `maxAttemps` for put; the options are priority, delay, timeout, timeoutFrom, maxAttempts, backoff, deadline, requires, speculate, verify, signal, onProgress, idempotencyKey',
    ],
    [{ maxAttempts: -1 }, 'Expected `maxAttempts` to be an integer ≥ 1 or Infinity, got -1'],
    [{ signal: {} }, 'Expected `signal` to be an AbortSignal, got an object'],
  ])('of put are checked, by a rejection: %j', async (options, message) => {
    const { scheduler } = setUp();
    await expect(scheduler.put(1, options as never)).rejects.toMatchObject({
      code: 'TASKDIST_INVALID_OPTION',
      message,
    });
    expect(scheduler.queued).toBe(0);
  });
});
