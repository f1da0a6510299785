import { describe, expect, it, vi } from 'vitest';

const compared = vi.hoisted(() => ({ count: 0 }));
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (...args: Parameters<typeof crypto.timingSafeEqual>) => {
      compared.count += 1;
      return crypto.timingSafeEqual(...args);
    },
  };
});

// Another file may have loaded it without the mock.
vi.resetModules();
const { acceptTokens } = await import('../../../src/master/tokens.ts');

describe('acceptTokens', () => {
  it.each(['first', 'second', 'thïrd', 'x'.repeat(8192)])('lets in who has one of them', (token) => {
    expect(acceptTokens('first', 'second', 'thïrd', 'x'.repeat(8192))(token)).toBe(true);
  });

  it.each([undefined, '', 'firs', 'first ', 'FIRST', 'firstsecond'])('keeps out who has %j', (token) => {
    expect(acceptTokens('first', 'second')(token)).toBe(false);
  });

  it.each(['first', 'third', 'none'])('looks at all of them, whichever fits: %s', (token) => {
    const accept = acceptTokens('first', 'second', 'third');
    compared.count = 0;
    accept(token);
    expect(compared.count).toBe(3);
  });

  it.each([[], [''], ['right', ''], ['x'.repeat(8193)], [undefined], [7]])(
    'refuses what is no token, and does not show it',
    (...accepted) => {
      // @ts-expect-error: not always texts
      expect(() => acceptTokens(...accepted)).toThrow('Expected tokens of 1 to 8192 characters, at least one');
    },
  );
});
