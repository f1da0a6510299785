// Stopping well, on either side: what runs may end, but not for ever.
import { deferred } from './deferred.ts';
import { expectKnown, expectMilliseconds, expectObject } from './options.ts';
import type { Clock } from './ports.ts';
import { TimerQueue } from './timer-queue.ts';

/** Options of `drain()`, of a master and of a worker. */
export interface DrainOptions {
  /**
   * How long what runs may go on, in milliseconds ≥ 0, or Infinity. Of several calls the first one's holds; `stop()` cuts
   * it short. @defaultValue 30000
   */
  readonly grace?: number | undefined;
}

const defaults = Object.freeze({ grace: 30_000 });

/** How long what runs may go on, in milliseconds. @throws InvalidOptionError */
export function checkGrace(options: DrainOptions): number {
  expectObject('options', options);
  expectKnown('drain', options, Object.keys(defaults));
  const { grace = defaults.grace } = options;
  expectMilliseconds('grace', grace, 0, true);
  return grace;
}

/** Waits for the promise, but no longer than that. */
export async function within(limitMs: number, clock: Clock, promise: Promise<void>): Promise<void> {
  if (limitMs === Number.POSITIVE_INFINITY) return promise;
  const { promise: timeUp, resolve } = deferred();
  // Not a timer of the clock, which rings too early if the limit is some weeks.
  const alarm = new TimerQueue(clock).createAlarm(() => resolve());
  alarm.setBy(clock.now() + limitMs);
  try {
    await Promise.race([promise, timeUp]);
  } finally {
    alarm.cancel();
  }
}
