// What is found by the numbers that are given out in turn, of which only the recent ones are in use, but for a few.

/** An item of {@link LeaseNumbers}. */
export interface Numbered {
  readonly id: number;
}

const FIRST_SLOTS = 16;
/** Of all that have had no item yet, as those of idle workers. Not written to. */
const NO_SLOTS: undefined[] = [];

/**
 * Items by their numbers, mostly each larger than those before. The latest stand in a ring of slots, where a number is found
 * without hashing it; one that is still there when its slot is needed again, as of a task that takes long while
 * thousands come and go beside it, moves to a map.
 */
export class LeaseNumbers<Item extends Numbered> {
  /** A power of two of slots, at least twice as many as there are items; none before the first. */
  #ring: (Item | undefined)[] = NO_SLOTS;
  /** There once there was one. */
  #old: Map<number, Item> | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Item | undefined {
    const item = this.#ring[id & (this.#ring.length - 1)];
    if (item?.id === id) return item;
    return this.#old === undefined || this.#old.size === 0 ? undefined : this.#old.get(id);
  }

  /** Adds an item whose number is not there. */
  add(item: Item): void {
    if (2 * this.#size >= this.#ring.length) this.#grow();
    this.#place(item);
    this.#size += 1;
  }

  /** Takes an item out. Returns whether it was there. */
  delete({ id }: Item): boolean {
    const slot = id & (this.#ring.length - 1);
    if (this.#ring[slot]?.id === id) this.#ring[slot] = undefined;
    else if (this.#old?.delete(id) !== true) return false;
    this.#size -= 1;
    return true;
  }

  /** All items, in the order of their numbers. */
  all(): Item[] {
    const recent = this.#ring.filter((item) => item !== undefined);
    return [...(this.#old?.values() ?? []), ...recent].sort((a, b) => a.id - b.id);
  }

  #place(item: Item): void {
    const slot = item.id & (this.#ring.length - 1);
    const before = this.#ring[slot];
    if (before !== undefined) this.#keep(before);
    this.#ring[slot] = item;
  }

  #keep(old: Item): void {
    this.#old ??= new Map();
    this.#old.set(old.id, old);
  }

  #grow(): void {
    const items = this.all();
    this.#old?.clear();
    this.#ring = slots(Math.max(FIRST_SLOTS, 2 * this.#ring.length));
    for (const item of items) this.#place(item);
  }
}

function slots(count: number): undefined[] {
  return new Array<undefined>(count).fill(undefined);
}
