// The queue of a lane, against a sorted array.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedQueue } from '../../../src/scheduling/ordered-queue.ts';

class Item {
  heapIndex = -1;
  slot = -1;
  readonly order: number;
  readySinceMs: number;

  constructor(order: number, readySinceMs = order) {
    this.order = order;
    this.readySinceMs = readySinceMs;
  }

  isBefore(other: Item): boolean {
    return this.order < other.order;
  }
}

function queueOf(...orders: number[]) {
  const queue = new OrderedQueue<Item>();
  const items = orders.map((order) => new Item(order));
  for (const item of items) queue.push(item);
  return { queue, items };
}

/** Takes all out, the first first. */
function drain(queue: OrderedQueue<Item>): number[] {
  const orders: number[] = [];
  for (let item = queue.peek(); item !== undefined; item = queue.peek()) {
    orders.push(item.order);
    queue.remove(item);
  }
  return orders;
}

describe('OrderedQueue', () => {
  it('gives what came in order in that order, without a comparison of those that wait', () => {
    const { queue, items } = queueOf(...Array(5000).keys());
    let comparisons = 0;
    for (const item of items) {
      item.isBefore = (other) => {
        comparisons += 1;
        return item.order < other.order;
      };
    }
    expect(drain(queue)).toEqual([...Array(5000).keys()]);
    expect([comparisons, queue.size]).toEqual([0, 0]);
  });

  it('puts what comes late at its place', () => {
    expect(drain(queueOf(3, 5, 4, 1, 6, 2).queue)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('takes out what has come from another queue, wherever it stood there', () => {
    const { queue: before, items } = queueOf(2, 1);
    const { queue } = queueOf();
    for (const item of [...before].reverse()) queue.push(item);
    for (const item of items) queue.remove(item);
    expect([queue.size, queue.peek()]).toEqual([0, undefined]);
  });

  it('takes out any item, and no other', () => {
    const { queue, items } = queueOf(1, 2, 3, 4, 5);
    for (const order of [3, 5, 1]) queue.remove(items[order - 1] as Item);
    queue.remove(items[2] as Item);
    queue.remove(new Item(2));
    expect([queue.size, [...queue].map(({ order }) => order)]).toEqual([2, [2, 4]]);
    expect(drain(queue)).toEqual([2, 4]);
  });

  it('keeps no room for what was taken out from between', () => {
    const { queue, items } = queueOf(...Array(100_000).keys());
    for (const item of items.slice(1, -1)) queue.remove(item);
    let slots = 0;
    for (const { slot } of queue) slots = Math.max(slots, slot);
    expect([queue.size, slots < 2048]).toEqual([2, true]);
    expect(drain(queue)).toEqual([0, 99_999]);
  });

  it('knows who has been ready for the longest time, wherever it is in the order', () => {
    const queue = new OrderedQueue<Item>();
    expect(queue.longestReady()).toBeUndefined();
    const [urgent, plain, back] = [new Item(1, 20), new Item(2, 20), new Item(3, 10)];
    for (const item of [urgent, plain, back]) queue.push(item);
    expect([queue.longestReady(), queue.peek()]).toEqual([back, urgent]);
    queue.remove(back);
    expect(queue.longestReady()?.readySinceMs).toBe(20);
  });

  it('behaves as a sorted array, whatever is put, taken and put back', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), order: fc.nat(50), readyMs: fc.nat(50) }),
      fc.record({ kind: fc.constant('take' as const) }),
      fc.record({ kind: fc.constantFrom('remove' as const, 'again' as const), at: fc.nat(1000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new OrderedQueue<Item>();
        const model: Item[] = [];
        const out: Item[] = [];
        let count = 0;
        const put = (item: Item): void => {
          queue.push(item);
          model.push(item);
          model.sort((a, b) => a.order - b.order);
        };
        for (const each of steps) {
          if (each.kind === 'put') {
            // No two of the same order.
            count += 1;
            put(new Item(each.order * 1000 + count, each.readyMs));
          } else if (each.kind === 'again') {
            const [item] = out.splice(each.at % (out.length || 1), 1);
            if (item !== undefined) put(item);
          } else {
            const index = each.kind === 'take' ? 0 : each.at % (model.length || 1);
            const [item] = model.splice(index, 1);
            if (item === undefined) continue;
            queue.remove(item);
            out.push(item);
          }
          expect(queue.size).toBe(model.length);
          expect(queue.peek()).toBe(model[0]);
          expect(queue.longestReady()?.readySinceMs).toBe(
            model.length === 0 ? undefined : Math.min(...model.map(({ readySinceMs }) => readySinceMs)),
          );
        }
        expect(new Set(queue)).toEqual(new Set(model));
      }),
    );
  });
});
