// To wait on virtual time.
import { expectMilliseconds, expectSignal } from '../options.ts';
import type { Clock } from '../ports.ts';

/**
 * Resolves after so many milliseconds ≥ 0; rejects with the signal's reason when that aborts.
 * @throws InvalidOptionError, as a rejection
 */
export function sleep(clock: Clock, durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    expectMilliseconds('ms', durationMs, 0, false);
    if (signal !== undefined) expectSignal('signal', signal);
    const abort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.setTimer(durationMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
