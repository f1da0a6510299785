import { describe, expect, it } from 'vitest';
import { openScheduler, TestScheduler } from '../../support/scheduler.ts';

const wrong: readonly (readonly [object, string])[] = [
  [{ priority: Number.NaN }, 'Expected `priority` to be a finite number, got NaN'],
  [{ priority: Number.POSITIVE_INFINITY }, 'Expected `priority` to be a finite number, got Infinity'],
  [{ priority: '1' }, 'Expected `priority` to be a finite number, got "1"'],
  [{ priority: null }, 'Expected `priority` to be a finite number, got null'],
  [{ delay: -1 }, 'Expected `delay` to be a number of milliseconds ≥ 0, got -1'],
  [{ delay: Number.POSITIVE_INFINITY }, 'Expected `delay` to be a number of milliseconds ≥ 0, got Infinity'],
  [{ delay: new Date(0) }, 'Expected `delay` to be a number of milliseconds ≥ 0, got an object'],
  [{ timeout: 0 }, 'Expected `timeout` to be a number of milliseconds ≥ 1 or Infinity, got 0'],
  [{ timeout: Number.NaN }, 'Expected `timeout` to be a number of milliseconds ≥ 1 or Infinity, got NaN'],
  [{ timeoutFrom: 'end' }, "Expected `timeoutFrom` to be 'start' or 'progress', got \"end\""],
  [{ maxAttempts: 0 }, 'Expected `maxAttempts` to be an integer ≥ 1 or Infinity, got 0'],
  [{ maxAttempts: 1.5 }, 'Expected `maxAttempts` to be an integer ≥ 1 or Infinity, got 1.5'],
  [{ backoff: 100 }, 'Expected `backoff` to be an object, got 100'],
  [{ backoff: { base: -1 } }, 'Expected `backoff.base` to be a number of milliseconds ≥ 0, got -1'],
  [{ backoff: { jitter: 1 } }, 'Unknown option `jitter` for backoff; the options are base, factor, cap'],
  [{ deadline: 0 }, 'Expected `deadline` to be a number of milliseconds ≥ 1 from now, Infinity, or a Date, got 0'],
  [
    { deadline: Number.NaN },
    'Expected `deadline` to be a number of milliseconds ≥ 1 from now, Infinity, or a Date, got NaN',
  ],
  // Milliseconds since 1970, and no Date.
  [
    { deadline: 1_893_456_000_000 },
    'Expected `deadline` to be a number of milliseconds ≥ 1 from now, Infinity, or a Date, got 1893456000000',
  ],
  [
    { deadline: new Date(Number.NaN) },
    'Expected `deadline` to be a number of milliseconds ≥ 1 from now, Infinity, or a Date, got an object',
  ],
  [{ requires: [] }, 'Expected `requires` to be a plain object, got an array'],
  [{ requires: { memory: { min: 2, max: 1 } } }, 'Expected `requires.memory.min` to be at most 1, got 2'],
  [{ speculate: 1 }, 'Expected `speculate` to be true or false, got 1'],
  [{ verify: true }, 'Expected `verify` to be an object or false, got true'],
  [{ verify: null }, 'Expected `verify` to be an object or false, got null'],
  [
    { verify: { quorums: 2 } },
    'Unknown option `quorums` for verify; the options are quorum, maxReplicas, equals, trust',
  ],
  [{ verify: { quorum: 1 } }, 'Expected `verify.quorum` to be an integer ≥ 2, got 1'],
  [{ verify: { quorum: Number.POSITIVE_INFINITY } }, 'Expected `verify.quorum` to be an integer ≥ 2, got Infinity'],
  [{ verify: { quorum: 3, maxReplicas: 2 } }, 'Expected `verify.maxReplicas` to be an integer ≥ 3 or Infinity, got 2'],
  [{ verify: { equals: 'deep' } }, 'Expected `verify.equals` to be a function, got "deep"'],
  [{ verify: { trust: true } }, 'Expected `verify.trust` to be an object or false, got true'],
  [{ verify: { trust: { after: 0 } } }, 'Expected `verify.trust.after` to be an integer ≥ 1 or Infinity, got 0'],
  [{ verify: { trust: { rate: 1 } } }, 'Unknown option `rate` for verify.trust; the options are after'],
  [{ signal: new AbortController() }, 'Expected `signal` to be an AbortSignal, got an object'],
  [{ onProgress: true }, 'Expected `onProgress` to be a function, got true'],
];

describe('a wrong option', () => {
  it.each(wrong)('is refused by put, by a rejection: %j', async (options, message) => {
    const { scheduler, clock } = openScheduler();
    await expect(scheduler.put('task', options as never)).rejects.toMatchObject({
      code: 'TASKDIST_INVALID_OPTION',
      message,
    });
    expect([scheduler.queued, scheduler.delayed, clock.pendingTimers, scheduler.stats().total.put]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it.each(wrong)('is refused by the scheduler, and by a map: %j', (options, message) => {
    const error = expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message });
    expect(() => new TestScheduler(options)).toThrow(error);
    if ('signal' in options) return;
    expect(() => openScheduler().scheduler.map([], options as never)).toThrow(error);
  });

  it.each([
    [{ maxDeliveries: 0 }, 'Expected `maxDeliveries` to be an integer ≥ 1 or Infinity, got 0'],
    [{ unmatchedAfter: -1 }, 'Expected `unmatchedAfter` to be a number of milliseconds ≥ 0 or Infinity, got -1'],
  ])('is refused by the scheduler: %j', (options, message) => {
    expect(() => new TestScheduler(options)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
  });

  it.each(['maxDeliveries', 'unmatchedAfter', 'ordered'])(
    'is refused by put, which does not know it: %s',
    async (name) => {
      const { scheduler } = openScheduler();
      await expect(scheduler.put('task', { [name]: 1 })).rejects.toMatchObject({
        message: expect.stringContaining(`Unknown option \`${name}\` for put`),
      });
    },
  );

  it('is refused by the scheduler, for whose tasks it would be the same: idempotencyKey', () => {
    expect(() => new TestScheduler({ idempotencyKey: 'x' } as object)).toThrow('Unknown option `idempotencyKey`');
    expect(() => openScheduler().scheduler.map([], { idempotencyKey: 'x' } as object)).toThrow(
      'it would make one task',
    );
  });
});
