// What a scheduler keeps alive of tasks that are settled, and of those who do not wait for one any more: nothing.
import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { countAlive } from '../../support/garbage.ts';
import type { TestHolder } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

type Scheduler = ReturnType<typeof openScheduler>['scheduler'];

/** Puts so many tasks, and forgets them. */
function put(scheduler: Scheduler, count: number): WeakRef<object>[] {
  return Array.from({ length: count }, (_, n) => {
    const task = { type: 'common', n };
    scheduler.put(task).catch(() => {});
    return new WeakRef(task);
  });
}

/** Puts so many tasks, each once for each signal, and forgets them. */
function putShared(scheduler: Scheduler, count: number, signals: readonly AbortSignal[]): WeakRef<object>[] {
  return Array.from({ length: count }, (_, n) => {
    const task = { n };
    const options = { idempotencyKey: `key ${n}`, deadline: 1000, onProgress: () => void task };
    for (const signal of signals) scheduler.put(task, { ...options, signal }).catch(() => {});
    return new WeakRef(task);
  });
}

/** Puts so many tasks whose progress is listened to, and forgets them. */
function putReported(scheduler: Scheduler, count: number): WeakRef<object>[] {
  return Array.from({ length: count }, () => {
    const task = { type: 'common' };
    void scheduler.put(task, { onProgress: () => void task });
    return new WeakRef(task);
  });
}

async function completeAll(
  scheduler: Scheduler,
  holder: TestHolder<unknown, unknown>,
  result: unknown = 'done',
): Promise<void> {
  for (const lease of await holder.takeNow()) scheduler.complete(lease, result);
}

async function returnAll(scheduler: Scheduler, holder: TestHolder<unknown, unknown>): Promise<void> {
  for (const lease of await holder.takeNow()) scheduler.release(lease, { kind: 'returned' });
}

describe('a settled task', () => {
  it('is not kept alive, though nothing is put after it', async () => {
    const { scheduler, holder, events } = openScheduler();
    const worker = holder('h', ['common']);
    const tasks = put(scheduler, 3000);
    await completeAll(scheduler, worker);
    events.length = 0;
    expect(await countAlive(tasks)).toBe(0);
    expect(scheduler.stats().total.done).toBe(3000);
  });

  it('is not kept alive for long behind one that nobody takes', async () => {
    const { scheduler, holder, events } = openScheduler();
    const worker = holder('h', ['common']);
    void scheduler.put({ type: 'rare' });
    const tasks = put(scheduler, 10_000);
    await completeAll(scheduler, worker);
    events.length = 0;
    expect(await countAlive(tasks)).toBeLessThanOrEqual(1024);
    expect(scheduler.queued).toBe(1);
  });

  it('is not kept alive by its idempotency key, nor by the signal of somebody who shared it', async () => {
    const { scheduler, holder, events } = openScheduler();
    const worker = holder('h');
    const { signal } = new AbortController();
    const leaving = new AbortController();
    const tasks = putShared(scheduler, 300, [signal, leaving.signal]);
    leaving.abort();
    await completeAll(scheduler, worker);
    events.length = 0;
    expect(await countAlive(tasks)).toBe(0);
    expect(scheduler.stats().total.done).toBe(300);
  });

  it('is not kept alive by what was asked for it, though others of its kind come after it', async () => {
    const { scheduler, holder, events } = openScheduler();
    const worker = holder('h', ['common']);
    const tasks = putReported(scheduler, 3);
    await completeAll(scheduler, worker);
    events.length = 0;
    expect(await countAlive(tasks)).toBe(0);
    expect(scheduler.stats().total.done).toBe(3);
  });

  it('is not kept alive by those who have verified it, or were to', async () => {
    const { scheduler, holder, events } = openScheduler({ verify: { trust: false } });
    const tasks = put(scheduler, 300);
    await returnAll(scheduler, holder('z'));
    await completeAll(scheduler, holder('a'), 'wrong');
    for (const id of ['b', 'c']) await completeAll(scheduler, holder(id), 'right');
    events.length = 0;
    expect(scheduler.stats().total).toMatchObject({ done: 300 });
    expect(await countAlive(tasks)).toBe(0);
  });

  it('is not kept alive after the master has stopped', async () => {
    const { scheduler, events } = openScheduler();
    const tasks = put(scheduler, 3000);
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'over'));
    events.length = 0;
    expect(await countAlive(tasks)).toBe(0);
    expect(scheduler.queued).toBe(0);
  });
});

/** Puts the same task three times, leaves it twice, and forgets what is left. */
function shareAndLeave(scheduler: Scheduler): WeakRef<object>[] {
  const leaving = [1, 2].map(() => new AbortController());
  const listeners = leaving.map(({ signal }) => {
    const onProgress = (): void => {};
    scheduler.put('task', { idempotencyKey: 'key', deadline: 1000, signal, onProgress }).catch(() => {});
    return onProgress;
  });
  void scheduler.put('task', { idempotencyKey: 'key' });
  for (const controller of leaving) controller.abort();
  return [...leaving.map(({ signal }) => signal), ...listeners].map((each) => new WeakRef(each));
}

describe('a shared task', () => {
  it('keeps nothing alive of those who have left it, be it the first', async () => {
    const { scheduler } = openScheduler();
    expect(await countAlive(shareAndLeave(scheduler))).toBe(0);
    expect(scheduler.queued).toBe(1);
  });
});
