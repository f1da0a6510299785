// When Node's clock calls back that is to wait for microtasks, but not for the event loop.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/system.ts';

/** What comes when: promises that settle one after the other, the callback, the next turn of the event loop. */
async function order(from: 'callback' | 'microtask' | 'tick'): Promise<string[]> {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      setImmediate(() => {
        seen.push('turn');
        resolve();
      });
      const say = async (): Promise<void> => {
        systemClock.atRest(() => seen.push('at rest'));
        for (let n = 1; n <= 20; n += 1) await null;
        process.nextTick(() => seen.push('tick'));
        seen.push('settled');
      };
      if (from === 'callback') void say();
      else if (from === 'microtask') queueMicrotask(() => void say());
      else process.nextTick(() => void say());
    });
  });
  return seen;
}

describe('atRest', () => {
  it.each(['callback', 'microtask', 'tick'] as const)(
    'waits for all promises that settle, and not for the event loop: from a %s',
    async (from) => {
      const seen = await order(from);
      expect(seen.filter((each) => each !== 'tick')).toEqual(['settled', 'at rest', 'turn']);
    },
  );
});
