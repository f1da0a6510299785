import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../../src/master/interrupted.ts';

const setUp = () => new Interrupted<string>({ maxInterrupted: 4, maxInterruptedPerAddress: 2 });

describe('Interrupted', () => {
  it('gives up the one that has been away longest, when there are too many', () => {
    const interrupted = setUp();
    expect(['a', 'b', 'c', 'd'].map((session) => interrupted.add(session, undefined))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(interrupted.add('e', undefined)).toBe('a');
  });

  it('gives up one of the same address, when that has too many, and nobody else', () => {
    const interrupted = setUp();
    interrupted.add('honest', 'A');
    interrupted.add('b', 'B');
    interrupted.add('c', 'B');
    expect(interrupted.add('d', 'B')).toBe('b');
    interrupted.delete('b');
    expect(interrupted.add('e', 'B')).toBe('c');
  });

  it('counts none that is back', () => {
    const interrupted = setUp();
    interrupted.add('a', 'A');
    interrupted.add('b', 'A');
    interrupted.delete('a');
    expect(interrupted.add('c', 'A')).toBeUndefined();
    // It is away again, and has been so for less long than the others.
    expect(interrupted.add('a', 'A')).toBe('b');
  });

  it('does not count by address what has none', () => {
    const interrupted = setUp();
    interrupted.add('a', undefined);
    interrupted.add('b', undefined);
    expect(interrupted.add('c', undefined)).toBeUndefined();
  });
});
