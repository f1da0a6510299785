import { describe, expect, it } from 'vitest';
import { Queue } from '../../src/queue.ts';
import { integerBelow, seededRandom } from '../support/random.ts';

describe('Queue', () => {
  it('does the same as an array, whatever is done in whatever order', () => {
    const random = seededRandom(1);
    const queue = new Queue<number>();
    let model: number[] = [];
    for (let step = 0; step < 20_000; step += 1) {
      // Grows and shrinks in turns, past the length at which it compacts.
      const isGrowing = step % 8000 < 4500;
      switch (integerBelow(random, 40)) {
        case 0: {
          const item = integerBelow(random, step + 1);
          expect(queue.remove(item)).toBe(model.includes(item));
          model = model.filter((each) => each !== item);
          break;
        }
        case 1:
          if (integerBelow(random, 100) === 0) expect(queue.clear()).toEqual(model.splice(0));
          break;
        default:
          if (isGrowing) {
            queue.push(step);
            model.push(step);
          } else {
            expect(queue.shift()).toBe(model.shift());
          }
      }
      expect(queue.size).toBe(model.length);
    }
  });
});
