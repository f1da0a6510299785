import { describe, expect, it } from 'vitest';
import { Bag } from '../../src/bag.ts';

const item = (name: string) => ({ name, slot: -1 });
const names = (bag: Bag<ReturnType<typeof item>>): string[] => [...bag].map(({ name }) => name).sort();

describe('Bag', () => {
  it('holds each item once', () => {
    const bag = new Bag<ReturnType<typeof item>>();
    const [a, b] = [item('a'), item('b')];
    for (const each of [a, b, a]) bag.add(each);
    expect([bag.size, names(bag), bag.has(a), bag.has(item('a'))]).toEqual([2, ['a', 'b'], true, false]);
  });

  it('lets any of them go, and tells whether it was there', () => {
    const bag = new Bag<ReturnType<typeof item>>();
    const items = ['a', 'b', 'c', 'd'].map(item);
    for (const each of items) bag.add(each);
    const [a, b, c, d] = items as [(typeof items)[0], (typeof items)[0], (typeof items)[0], (typeof items)[0]];
    expect([bag.delete(b), bag.delete(b), bag.delete(item('c'))]).toEqual([true, false, false]);
    expect(names(bag)).toEqual(['a', 'c', 'd']);
    expect([bag.delete(d), bag.delete(a), bag.delete(c), bag.size]).toEqual([true, true, true, 0]);
    expect(items.map(({ slot }) => slot)).toEqual([-1, -1, -1, -1]);
    bag.add(b);
    expect(names(bag)).toEqual(['b']);
  });
});
