// Items in order: in O(1) for those that come in it, as most do, and in O(log n) for the others.
import { Heap, type HeapItem } from '../heap.ts';

/** An item of an {@link OrderedQueue}: `heapIndex` and `slot` belong to the queue that it was pushed to last. */
export interface OrderedItem<Item> extends HeapItem {
  slot: number;
  /** Since when it has been ready. Does not change in the queue. */
  readonly readySinceMs: number;
  isBefore(other: Item): boolean;
}

/** Below so many slots, moving what is left is not worth it. */
const MIN_COMPACTION = 1024;

/** Any item can be taken out, the first one in O(1) if it came in order. */
export class OrderedQueue<Item extends OrderedItem<Item>> {
  /**
   * Those that came in order, both of the queue and of since when they have been ready. Who was taken out from between leaves a
   * hole; at both ends there is none.
   */
  #line: (Item | undefined)[] = [];
  #head = 0;
  /** How many slots have been given out and dropped before the first of the line. */
  #dropped = 0;
  /** How many there are in the line, holes not counted. */
  #lined = 0;
  readonly #others = new Heap<Item>((a, b) => a.isBefore(b));

  get size(): number {
    return this.#lined + this.#others.size;
  }

  /** The first item, or undefined. */
  peek(): Item | undefined {
    const first = this.#line[this.#head];
    if (this.#others.size === 0) return first;
    const other = this.#others.peek();
    return other === undefined || first?.isBefore(other) === true ? first : other;
  }

  /** The item that has been ready for the longest time. Looks at all that did not come in order. */
  longestReady(): Item | undefined {
    let oldest = this.#line[this.#head];
    for (const item of this.#others) {
      if (oldest === undefined || item.readySinceMs < oldest.readySinceMs) oldest = item;
    }
    return oldest;
  }

  push(item: Item): void {
    const last = this.#line[this.#line.length - 1];
    if (last !== undefined && (item.isBefore(last) || item.readySinceMs < last.readySinceMs)) {
      this.#others.push(item);
      return;
    }
    // It may come from a queue that was given up as a whole.
    item.heapIndex = -1;
    item.slot = this.#dropped + this.#line.length;
    this.#line.push(item);
    this.#lined += 1;
  }

  /** Takes out an item that is in the queue. */
  remove(item: Item): void {
    if (item.heapIndex >= 0) this.#others.remove(item);
    else this.#removeFromLine(item);
  }

  /** All items, in no order. */
  *[Symbol.iterator](): Generator<Item> {
    for (let index = this.#head; index < this.#line.length; index += 1) {
      const item = this.#line[index];
      if (item !== undefined) yield item;
    }
    yield* this.#others;
  }

  #removeFromLine(item: Item): void {
    const line = this.#line;
    const index = item.slot - this.#dropped;
    if (index < 0 || line[index] !== item) return;
    item.slot = -1;
    line[index] = undefined;
    this.#lined -= 1;
    if (this.#lined === 0) {
      this.#use([]);
      return;
    }
    while (line[this.#head] === undefined) this.#head += 1;
    while (line[line.length - 1] === undefined) line.pop();
    // Mostly what was taken from the front; or holes, as of tasks that were aborted.
    if (line.length > Math.max(MIN_COMPACTION, 2 * this.#lined)) this.#compact();
  }

  #compact(): void {
    const hasHoles = this.#line.length - this.#head > this.#lined;
    // Without holes every item keeps its slot, and need not be touched.
    if (!hasHoles) this.#use(this.#line.slice(this.#head), this.#dropped + this.#head);
    else {
      this.#use(this.#line.filter((item) => item !== undefined));
      for (const [index, item] of this.#line.entries()) if (item !== undefined) item.slot = index;
    }
  }

  #use(line: (Item | undefined)[], dropped = 0): void {
    this.#line = line;
    this.#head = 0;
    this.#dropped = dropped;
  }
}
