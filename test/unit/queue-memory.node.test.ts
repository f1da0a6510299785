// What a queue keeps alive. Needs a garbage collector that can be called, which Node has.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Queue } from '../../src/queue.ts';
import { nextTurn } from '../support/event-loop.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** How many of these are still there, after all that can go has gone. */
async function countAlive(references: readonly WeakRef<object>[]): Promise<number> {
  // What a WeakRef was asked for in this turn lives until its end.
  await nextTurn();
  collectGarbage();
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** A queue that always holds the last two of `count` items that went through it. */
function flowThrough(queue: Queue<object>, count: number): WeakRef<object>[] {
  return Array.from({ length: count }, () => {
    const item = { bytes: new Uint8Array(1000) };
    queue.push(item);
    if (queue.size > 2) queue.shift();
    return new WeakRef(item);
  });
}

describe('Queue', () => {
  it('keeps nothing alive that was taken out, although it never runs empty', async () => {
    const queue = new Queue<object>();
    const references = flowThrough(queue, 1000);
    expect(await countAlive(references)).toBe(2);
    expect(queue.size).toBe(2);
  });

  it('keeps nothing alive that was removed by name, wherever it stood', async () => {
    const queue = new Queue<object>();
    const references = flowThrough(queue, 100);
    (() => {
      const [first, second] = [{ name: 'first' }, { name: 'second' }];
      for (const item of [first, second]) {
        references.push(new WeakRef(item));
        queue.push(item);
      }
      queue.remove(first);
      queue.remove(second);
    })();
    expect(await countAlive(references)).toBe(2);
  });

  it('keeps nothing alive after it was cleared', async () => {
    const queue = new Queue<object>();
    const references = flowThrough(queue, 100);
    queue.clear();
    expect(await countAlive(references)).toBe(0);
    expect(queue.size).toBe(0);
  });
});
