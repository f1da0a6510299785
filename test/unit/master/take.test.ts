// A take that is called back, as by an AbortSignal.
import { describe, expect, it } from 'vitest';
import { Take } from '../../../src/master/take.ts';
import type { TakeSignal } from '../../../src/scheduling/scheduler.ts';

/** The signal that an idle worker's master gives, and the one that anybody may give. */
const signals: [string, () => { readonly signal: TakeSignal; readonly abort: () => void }][] = [
  [
    'a Take',
    () => {
      const take = new Take(1, 1);
      return { signal: take, abort: () => take.abort() };
    },
  ],
  [
    'an AbortSignal',
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort() };
    },
  ],
];

describe.each(signals)('%s', (_, create) => {
  it('tells each listener once that it has aborted, whatever kind it is of', () => {
    const { signal, abort } = create();
    const told: string[] = [];
    const listener = (): void => void told.push(`function, aborted: ${signal.aborted}`);
    const object = { handleEvent: () => told.push('object') };
    for (const each of [listener, object, listener, object]) signal.addEventListener('abort', each, { once: true });
    expect(signal.aborted).toBe(false);
    abort();
    abort();
    expect([signal.aborted, told]).toEqual([true, ['function, aborted: true', 'object']]);
  });

  it('does not tell who has gone, or comes when it has aborted', () => {
    const { signal, abort } = create();
    const told: number[] = [];
    const listeners = [0, 1, 2, 3].map((index) => (): void => void told.push(index));
    for (const listener of listeners.slice(0, 3)) signal.addEventListener('abort', listener);
    for (const listener of [listeners[1], listeners[3]]) {
      if (listener !== undefined) signal.removeEventListener('abort', listener);
    }
    abort();
    for (const listener of listeners) signal.addEventListener('abort', listener);
    expect(told).toEqual([0, 2]);
  });
});
