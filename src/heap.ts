// A binary heap whose items know their place, so that any item can be removed in O(log n).

/** An item of a {@link Heap}: `heapIndex` belongs to the heap, and is -1 outside it. */
export interface HeapItem {
  heapIndex: number;
}

/** A min-heap by `isBefore`. */
export class Heap<Item extends HeapItem> {
  readonly #items: Item[] = [];
  readonly #isBefore: (a: Item, b: Item) => boolean;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item, or undefined. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  /** The first item that is wanted, or undefined. Looks at those that come before it, and at no more than one besides each. */
  find(isWanted: (item: Item) => boolean, from = 0): Item | undefined {
    const item = this.#items[from];
    if (item === undefined || isWanted(item)) return item;
    const left = this.find(isWanted, 2 * from + 1);
    const right = this.find(isWanted, 2 * from + 2);
    if (left === undefined || right === undefined) return left ?? right;
    return this.#isBefore(right, left) ? right : left;
  }

  /** Adds an item; O(1) if it comes last in the order, as in a queue. */
  push(item: Item): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Removes an item that is in the heap. */
  remove(item: Item): void {
    const index = item.heapIndex;
    // -1 is no index of an array, but a property to be looked for.
    if (index < 0 || this.#items[index] !== item) return;
    const last = this.#items.pop();
    item.heapIndex = -1;
    if (last === undefined || last === item) return;
    this.#sink(last, index);
    if (last.heapIndex === index) this.#rise(last, index);
  }

  /** Puts an item that is in the heap to its new place, after its order has changed. */
  update(item: Item): void {
    const index = item.heapIndex;
    if (index < 0 || this.#items[index] !== item) return;
    this.#sink(item, index);
    if (item.heapIndex === index) this.#rise(item, index);
  }

  /** All items, in no order. */
  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.values();
  }

  #rise(item: Item, from: number): void {
    const items = this.#items;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = items[parentIndex];
      if (parent === undefined || !this.#isBefore(item, parent)) break;
      items[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    items[index] = item;
    item.heapIndex = index;
  }

  #sink(item: Item, from: number): void {
    const items = this.#items;
    let index = from;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = items[leftIndex];
      if (left === undefined) break;
      const right = items[leftIndex + 1];
      const isRightFirst = right !== undefined && this.#isBefore(right, left);
      const child = isRightFirst ? right : left;
      if (!this.#isBefore(child, item)) break;
      items[index] = child;
      child.heapIndex = index;
      index = isRightFirst ? leftIndex + 1 : leftIndex;
    }
    items[index] = item;
    item.heapIndex = index;
  }
}
