// What a queue keeps alive.
import { describe, expect, it } from 'vitest';
import { Queue } from '../../src/queue.ts';
import { countAlive } from '../support/garbage.ts';

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
