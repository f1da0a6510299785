import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseNumbers } from '../../src/lease-numbers.ts';

describe('LeaseNumbers', () => {
  it('finds an old number among many that come and go', () => {
    const numbers = new LeaseNumbers<{ id: number }>();
    const old = { id: 1 };
    numbers.add(old);
    for (let id = 2; id < 10_000; id += 1) {
      const item = { id };
      numbers.add(item);
      if (numbers.get(id) !== item || numbers.get(1) !== old) expect.unreachable(`lost at ${id}`);
      numbers.delete(item);
    }
    expect([numbers.size, numbers.all(), numbers.get(2)]).toEqual([1, [old], undefined]);
    numbers.delete(old);
    numbers.delete(old);
    expect([numbers.size, numbers.get(1)]).toEqual([0, undefined]);
  });

  it('behaves as a map, whatever is added and deleted', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(200)), { maxLength: 500 }), (steps) => {
        const numbers = new LeaseNumbers<{ id: number }>();
        const model = new Map<number, { id: number }>();
        let nextId = 1;
        for (const at of steps) {
          if (at === null) {
            const item = { id: nextId };
            nextId += 1;
            numbers.add(item);
            model.set(item.id, item);
          } else {
            const item = [...model.values()][at % (model.size || 1)];
            if (item === undefined) continue;
            numbers.delete(item);
            model.delete(item.id);
          }
        }
        expect(numbers.size).toBe(model.size);
        for (let id = 0; id <= nextId; id += 1) expect(numbers.get(id)).toBe(model.get(id));
        expect(numbers.all()).toEqual([...model.values()]);
      }),
    );
  });
});
