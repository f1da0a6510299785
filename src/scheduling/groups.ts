// Items by what they have in common, of which there are many groups that come and go.

const NOTHING: ReadonlySet<never> = new Set();

/** Sets of items by key; there is none of nothing. */
export class Groups<Key, Item> {
  readonly #groups = new Map<Key, Set<Item>>();

  get(key: Key): ReadonlySet<Item> {
    return this.#groups.get(key) ?? NOTHING;
  }

  add(key: Key, item: Item): void {
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, new Set([item]));
    else group.add(item);
  }

  delete(key: Key, item: Item): void {
    const group = this.#groups.get(key);
    group?.delete(item);
    if (group?.size === 0) this.#groups.delete(key);
  }
}
