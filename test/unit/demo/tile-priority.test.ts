import { describe, expect, it } from 'vitest';
import { parsePriority, priorityAt } from '../../../demo/tile-priority.ts';

describe('priorityAt', () => {
  it('is higher the nearer the tile is', () => {
    const distances = [0, 0.71, 1.5, 20, 5000];
    expect(distances.map(priorityAt)).toEqual([0, -0.7, -1.5, -20, -1000]);
  });

  it('is read back from a query', () => {
    for (const distance of [0, 0.04, 0.71, 12.345, 999.99, 1e9]) {
      const priority = priorityAt(distance);
      expect(parsePriority(`priority=${priority}`)).toBe(priority);
    }
  });
});

describe('parsePriority', () => {
  it('is 0 where none is said', () => {
    expect(parsePriority('')).toBe(0);
    expect(parsePriority('other=1')).toBe(0);
  });

  it.each([
    '1',
    '0.1',
    '-1000.1',
    '-1001',
    '-99999',
    'x',
    '',
    '-',
    '1e-3',
    '-1e3',
    'NaN',
    '-Infinity',
    ' -1',
    '-1.2345',
  ])('is undefined for what makes no sense: %j', (text) => {
    expect(parsePriority(new URLSearchParams({ priority: text }).toString())).toBeUndefined();
  });
});
