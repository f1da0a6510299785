// Items in no order that know their place, so that any of them can be taken out at O(1), and nothing is hashed or made.

/** An item of a {@link Bag}: `slot` belongs to the bag, and is -1 outside it. */
export interface BagItem {
  slot: number;
}

export class Bag<Item extends BagItem> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  has(item: Item): boolean {
    // Not at -1, which is no index of an array, but a property to be looked for.
    return item.slot >= 0 && this.#items[item.slot] === item;
  }

  /** Adds an item, unless it is in the bag. */
  add(item: Item): void {
    if (this.has(item)) return;
    item.slot = this.#items.length;
    this.#items.push(item);
  }

  /** Takes an item out. Returns whether it was there. */
  delete(item: Item): boolean {
    if (!this.has(item)) return false;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[item.slot] = last;
      last.slot = item.slot;
    }
    item.slot = -1;
    return true;
  }

  /** All items, in no order. */
  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.values();
  }
}
