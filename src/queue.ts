// A first-in, first-out queue in an array: O(1) at both ends, whatever its length.

/** Below so many, moving what is left is not worth it. */
const MIN_COMPACTION = 1024;
/** An empty queue that has had no more goes on in the same array: a new one for each item would be more than the item. */
const KEPT_SLOTS = 64;

export class Queue<Item> {
  /** What was taken out is undefined, so that it is not kept alive. */
  #items: (Item | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Puts an item before the first; in O(1) if one was taken out from there, else in O(n). */
  unshift(item: Item): void {
    if (this.#head === 0) {
      this.#items.unshift(item);
      return;
    }
    this.#head -= 1;
    this.#items[this.#head] = item;
  }

  /** The first item, or undefined. */
  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  /** Takes out the first item. */
  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    const { size } = this;
    if (size === 0 && this.#head > KEPT_SLOTS) this.#use([]);
    else if (this.#head >= MIN_COMPACTION && this.#head > size) this.#use(this.#items.slice(this.#head));
    return item;
  }

  /** The items from the first to the last. */
  *[Symbol.iterator](): Generator<Item> {
    for (let index = this.#head; index < this.#items.length; index += 1) {
      const item = this.#items[index];
      if (item !== undefined) yield item;
    }
  }

  /** The items from the last to the first. */
  *reversed(): Generator<Item> {
    for (let index = this.#items.length - 1; index >= this.#head; index -= 1) {
      const item = this.#items[index];
      if (item !== undefined) yield item;
    }
  }

  /** Takes out one item: in O(1) if it is among the first or the last, else in O(n). Returns whether it was there. */
  remove(item: Item): boolean {
    // What was taken out is undefined, and so not found.
    const index = this.#items[this.#head] === item ? this.#head : this.#items.lastIndexOf(item);
    if (index < 0) return false;
    if (index === this.#head) {
      this.shift();
      return true;
    }
    this.#items.splice(index, 1);
    return true;
  }

  /** Takes out all that are not to be kept. */
  keep(isKept: (item: Item) => boolean): void {
    this.#use(this.clear().filter(isKept));
  }

  /** Takes out all. */
  clear(): Item[] {
    const items = this.#items.slice(this.#head).filter((item) => item !== undefined);
    this.#use([]);
    return items;
  }

  #use(items: (Item | undefined)[]): void {
    this.#items = items;
    this.#head = 0;
  }
}
