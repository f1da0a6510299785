import { describe, expect, it } from 'vitest';
import { RecentMap } from '../../src/recent-map.ts';

describe('RecentMap', () => {
  it('forgets the entry that was set least recently, when there are too many', () => {
    const map = new RecentMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4]);
    expect(map.size).toBe(2);
  });

  it('does not take it for recent that was only asked for', () => {
    const map = new RecentMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect(map.get('a')).toBeUndefined();
  });

  it('has room again for each that is deleted', () => {
    const map = new RecentMap<string, number>(1);
    map.set('a', 1);
    map.delete('a');
    expect([map.get('a'), map.size]).toEqual([undefined, 0]);
    map.set('b', 2);
    expect(map.get('b')).toBe(2);
  });
});
