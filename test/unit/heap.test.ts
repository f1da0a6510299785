import { describe, expect, it } from 'vitest';
import { Heap, type HeapItem } from '../../src/heap.ts';
import { integerBelow, pick, seededRandom } from '../../src/testing/seeded-random.ts';

class Item implements HeapItem {
  heapIndex = -1;
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

const createHeap = (): Heap<Item> => new Heap<Item>((a, b) => a.value < b.value);

function takeFirst(heap: Heap<Item>): Item | undefined {
  const first = heap.peek();
  if (first !== undefined) heap.remove(first);
  return first;
}

describe('Heap', () => {
  it('has nothing first while it is empty', () => {
    const heap = createHeap();
    expect([heap.size, heap.peek(), [...heap]]).toEqual([0, undefined, []]);
  });

  it('gives its items in order', () => {
    const heap = createHeap();
    for (const value of [5, 3, 8, 1, 9, 2, 7]) heap.push(new Item(value));
    expect(heap.peek()?.value).toBe(1);
    expect(Array.from({ length: 7 }, () => takeFirst(heap)?.value)).toEqual([1, 2, 3, 5, 7, 8, 9]);
  });

  it('tells its items where they are, and those outside that they are not in it', () => {
    const heap = createHeap();
    const items = [3, 1, 2].map((value) => new Item(value));
    for (const item of items) heap.push(item);
    expect(items.map(({ heapIndex }) => heapIndex).sort()).toEqual([0, 1, 2]);
    takeFirst(heap);
    expect(items[1]?.heapIndex).toBe(-1);
  });

  it('leaves an item alone that it does not hold', () => {
    const [heap, other] = [createHeap(), createHeap()];
    const [mine, foreign] = [new Item(1), new Item(2)];
    heap.push(mine);
    other.push(foreign);
    heap.remove(foreign);
    heap.remove(new Item(1));
    expect([heap.size, other.size, foreign.heapIndex]).toEqual([1, 1, 0]);
  });

  it.each([1, 2, 3, 4, 5])('finds the first that is wanted, and looks at few others (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const heap = createHeap();
    const items = Array.from({ length: 200 }, () => new Item(integerBelow(random, 500)));
    for (const item of items) heap.push(item);
    for (const unwanted of [0, 1, 5, 30, 199, 200]) {
      const ordered = [...items].sort((a, b) => a.value - b.value);
      const passedOver = new Set(ordered.slice(0, unwanted));
      let looks = 0;
      const found = heap.find((item) => {
        looks += 1;
        return !passedOver.has(item);
      });
      expect(found?.value).toBe(ordered[unwanted]?.value);
      expect(looks).toBeLessThanOrEqual(2 * unwanted + 1);
    }
    expect(createHeap().find(() => true)).toBeUndefined();
  });

  it.each([1, 2, 3, 4, 5])('agrees with a sorted list, whatever is done to it (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const heap = createHeap();
    let model: Item[] = [];
    for (let step = 0; step < 2000; step += 1) {
      const choice = random();
      if (choice < 0.5 || model.length === 0) {
        // Few values, so that many are equal.
        const item = new Item(integerBelow(random, 50));
        heap.push(item);
        model.push(item);
      } else if (choice < 0.75) {
        const popped = takeFirst(heap);
        if (popped?.value !== Math.min(...model.map(({ value }) => value))) expect.unreachable(`step ${step}`);
        model = model.filter((item) => item !== popped);
      } else {
        const item = pick(random, model);
        heap.remove(item);
        if (item.heapIndex !== -1) expect.unreachable(`step ${step}`);
        model = model.filter((each) => each !== item);
      }
      if (heap.size !== model.length) expect.unreachable(`step ${step}`);
    }
    expect(new Set(heap)).toEqual(new Set(model));
    const rest = Array.from({ length: model.length }, () => takeFirst(heap)?.value ?? -1);
    expect(rest).toEqual(model.map(({ value }) => value).sort((a, b) => a - b));
  });
});
