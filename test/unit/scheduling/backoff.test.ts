import { describe, expect, it } from 'vitest';
import { backoffMs, checkBackoff } from '../../../src/backoff.ts';
import type { PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

const unmatchedAfter = Number.POSITIVE_INFINITY;
const almostOne = 1 - 2 ** -53;

describe('the time before something is tried again', () => {
  const backoff = { base: 100, factor: 2, cap: 1000 };

  it.each([
    [0, [0, 0, 0, 0, 0]],
    [0.5, [50, 100, 200, 400, 500, 500]],
    [almostOne, [100, 200, 400, 800, 1000, 1000]],
  ])('is that part of the bound, which grows up to the cap: %d', (random, times) => {
    expect(times.map((_, index) => Math.round(backoffMs(backoff, index + 1, () => random)))).toEqual(times);
  });

  it('never reaches the bound, and is never less than nothing', () => {
    for (const failures of [1, 5, 100]) expect(backoffMs(backoff, failures, () => almostOne)).toBeLessThan(1000);
  });

  it.each([
    ['the factor is 1', { base: 100, factor: 1, cap: 1000 }, 50, 50],
    ['the base is above the cap', { base: 5000, factor: 2, cap: 1000 }, 50, 500],
    ['the base is 0', { base: 0, factor: 1000, cap: 1000 }, 500, 0],
    ['there were so many failures that the bound is infinite', { base: 1, factor: 1000, cap: 1000 }, 5000, 500],
    ['the cap is 0', { base: 100, factor: 2, cap: 0 }, 3, 0],
  ])('is right if %s', (_, options, failures, ms) => {
    expect(backoffMs(options, failures, () => 0.5)).toBe(ms);
  });

  it('asks for chance once', () => {
    let asked = 0;
    backoffMs(backoff, 3, () => {
      asked += 1;
      return 0.5;
    });
    expect(asked).toBe(1);
  });

  it.each<[object | null | number, string]>([
    [null, 'Expected `name` to be an object, got null'],
    [{ min: 1 }, 'Unknown option `min` for name; the options are base, factor, cap'],
    [{ base: 9 }, 'Expected `name.base` to be a number of milliseconds ≥ 10, got 9'],
    [{ base: Number.POSITIVE_INFINITY }, 'Expected `name.base` to be a number of milliseconds ≥ 10, got Infinity'],
    [{ cap: Number.NaN }, 'Expected `name.cap` to be a number of milliseconds ≥ 10, got NaN'],
    [{ cap: '10' }, 'Expected `name.cap` to be a number of milliseconds ≥ 10, got "10"'],
    [{ factor: 0.5 }, 'Expected `name.factor` to be a number from 1 to 1000, got 0.5'],
    [{ factor: 1001 }, 'Expected `name.factor` to be a number from 1 to 1000, got 1001'],
    [{ factor: Number.NaN }, 'Expected `name.factor` to be a number from 1 to 1000, got NaN'],
  ])('is checked: %j', (options, message) => {
    expect(() => checkBackoff('name', options as never, backoff, 10)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
  });

  it('is completed from the defaults', () => {
    expect(checkBackoff('name', { cap: 500 }, backoff, 0)).toEqual({ base: 100, factor: 2, cap: 500 });
    expect(checkBackoff('name', { base: 0, factor: 1 }, backoff, 0)).toEqual({ base: 0, factor: 1, cap: 1000 });
  });
});

describe('a task that failed', () => {
  /** How long a task waits after each of its failures. */
  async function waitsOf(options: PutOptions, random: number, failures: number): Promise<number[]> {
    const { scheduler, clock, holder, events } = openScheduler({ unmatchedAfter, maxAttempts: 99 }, () => random);
    void scheduler.put('task', options);
    const worker = holder('h');
    const waits: number[] = [];
    for (let n = 0; n < failures; n += 1) {
      scheduler.fail(await worker.takeOne(), new Error('no'));
      const failedAtMs = clock.now();
      await clock.advanceUntil(() => scheduler.queued === 1, 'the task is back');
      waits.push(Math.round(clock.now() - failedAtMs));
    }
    expect(events.map((event) => event.type === 'retrying' && Math.round(event.delay))).toEqual(waits);
    expect(clock.pendingTimers).toBe(0);
    return waits;
  }

  it('waits for up to 100 ms, then twice as long each time, and 30 s at most, by default', async () => {
    expect(await waitsOf({}, almostOne, 11)).toEqual([
      100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it('waits for as long as its put says, and otherwise as usual', async () => {
    expect(await waitsOf({ backoff: { base: 10, factor: 3 } }, 0.5, 4)).toEqual([5, 15, 45, 135]);
    expect(await waitsOf({ backoff: { cap: 150 } }, 0.5, 3)).toEqual([50, 75, 75]);
  });

  it('does not wait if chance has it so, or the base is 0', async () => {
    expect(await waitsOf({}, 0, 3)).toEqual([0, 0, 0]);
    expect(await waitsOf({ backoff: { base: 0 } }, almostOne, 3)).toEqual([0, 0, 0]);
  });

  it('comes back to its place when it has waited', async () => {
    const { scheduler, clock, holder } = openScheduler({ unmatchedAfter, backoff: { base: 100 } }, () => 0.5);
    for (const task of [1, 2, 3]) void scheduler.put(task);
    const worker = holder('h');
    for (const lease of await worker.takeNow(2)) scheduler.fail(lease, new Error('no'));
    expect([scheduler.delayed, scheduler.queued, scheduler.leased]).toEqual([2, 1, 0]);
    expect((await worker.takeNow()).map(({ task }) => task)).toEqual([3]);
    void scheduler.put(4);
    await clock.advance(50);
    expect((await worker.takeNow()).map(({ task }) => task)).toEqual([1, 2, 4]);
  });

  it('waits alone: losses, rejections and what is given back come back at once', async () => {
    const { scheduler, holder } = openScheduler({ backoff: { base: 100 } }, () => 0.5);
    void scheduler.put('task');
    for (const kind of ['returned', 'rejected'] as const) scheduler.release(await holder(kind).takeOne(), { kind });
    expect([scheduler.delayed, scheduler.queued]).toEqual([0, 1]);
  });

  it('counts failures, not losses, for how long it waits', async () => {
    const { scheduler, holder, events } = openScheduler({ backoff: { base: 100 } }, () => 0.5);
    void scheduler.put('task');
    const worker = holder('h');
    for (let n = 0; n < 3; n += 1) scheduler.release(await worker.takeOne(), lost);
    scheduler.fail(await worker.takeOne(), new Error('no'));
    expect(events).toMatchObject([{ type: 'retrying', attempt: 4, delay: 50 }]);
  });

  it('comes back after a jump of the clock', async () => {
    const { scheduler, clock, holder } = openScheduler({ unmatchedAfter, backoff: { base: 1000 } }, () => 0.5);
    void scheduler.put('task');
    scheduler.fail(await holder('h').takeOne(), new Error('no'));
    clock.jump(86_400_000);
    await clock.advance(100);
    expect([scheduler.delayed, scheduler.queued]).toEqual([0, 1]);
  });
});
