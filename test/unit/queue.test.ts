import { describe, expect, it } from 'vitest';
import { Queue } from '../../src/queue.ts';
import { pick, seededRandom } from '../../src/testing/seeded-random.ts';

describe('Queue', () => {
  it('gives its items in the order in which they came', () => {
    const queue = new Queue<number>();
    for (const item of [1, 2, 3]) queue.push(item);
    expect([queue.size, queue.shift(), queue.shift(), queue.shift(), queue.shift(), queue.size]).toEqual([
      3,
      1,
      2,
      3,
      undefined,
      0,
    ]);
  });

  it('shows its first item, and keeps it', () => {
    const queue = new Queue<number>();
    expect(queue.peek()).toBeUndefined();
    for (const item of [1, 2]) queue.push(item);
    expect([queue.peek(), queue.size]).toEqual([1, 2]);
    queue.shift();
    expect(queue.peek()).toBe(2);
    queue.shift();
    expect(queue.peek()).toBeUndefined();
  });

  it('puts an item before the first', () => {
    const queue = new Queue<number>();
    queue.unshift(3);
    queue.unshift(2);
    queue.push(4);
    queue.shift();
    queue.unshift(1);
    expect([queue.peek(), queue.size, queue.clear()]).toEqual([1, 3, [1, 3, 4]]);
  });

  it('gives up an item wherever it is, if it has it', () => {
    const queue = new Queue<number>();
    for (const item of [1, 2, 3, 4]) queue.push(item);
    expect([queue.remove(3), queue.remove(1), queue.remove(3), queue.remove(9)]).toEqual([true, true, false, false]);
    expect(queue.clear()).toEqual([2, 4]);
    expect([queue.size, queue.shift(), queue.clear()]).toEqual([0, undefined, []]);
  });

  it('keeps what is to be kept, in its order', () => {
    const queue = new Queue<number>();
    for (const item of [1, 2, 3, 4]) queue.push(item);
    queue.shift();
    queue.keep((item) => item !== 3);
    expect([queue.size, [...queue], queue.shift(), queue.shift(), queue.size]).toEqual([2, [2, 4], 2, 4, 0]);
  });

  it('does not find what it has given away', () => {
    const queue = new Queue<number>();
    for (const item of [1, 2]) queue.push(item);
    queue.shift();
    expect([queue.remove(1), queue.size]).toEqual([false, 1]);
  });

  it.each([1, 2, 3])('agrees with a plain array, whatever is done to it (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const queue = new Queue<number>();
    let model: number[] = [];
    for (let step = 0; step < 5000; step += 1) {
      const choice = random();
      if (choice < 0.45) {
        queue.push(step);
        model.push(step);
      } else if (choice < 0.5) {
        queue.unshift(step);
        model.unshift(step);
      } else if (choice < 0.9) {
        if (queue.shift() !== model.shift()) expect.unreachable(`step ${step}`);
      } else if (choice < 0.9997 && model.length > 0) {
        const item = pick(random, model);
        if (!queue.remove(item)) expect.unreachable(`step ${step}`);
        model = model.filter((each) => each !== item);
      } else if (choice >= 0.9997) {
        expect(queue.clear()).toEqual(model);
        model = [];
      }
      if (queue.size !== model.length) expect.unreachable(`step ${step}`);
    }
    expect(queue.clear()).toEqual(model);
  });
});
