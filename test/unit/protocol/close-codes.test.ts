import { describe, expect, it } from 'vitest';
import { CloseCode, closeReason, isFinal, isGoodbye } from '../../../src/protocol/close-codes.ts';

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;

describe('closeReason', () => {
  it('leaves what fits as it is', () => {
    for (const text of ['', 'why', 'x'.repeat(123), 'é'.repeat(61), '漢'.repeat(41)])
      expect(closeReason(text)).toBe(text);
  });

  it('cuts at 123 bytes', () => {
    expect(closeReason('x'.repeat(124))).toBe('x'.repeat(123));
  });

  it.each(['é', '漢', '😀'])('cuts between characters, however many bytes they have: %s', (character) => {
    for (let offset = 0; offset < 5; offset += 1) {
      const text = 'x'.repeat(offset) + character.repeat(123);
      const cut = closeReason(text);
      expect(text.startsWith(cut)).toBe(true);
      expect(byteLength(cut)).toBeLessThanOrEqual(123);
      expect(byteLength(cut)).toBeGreaterThan(123 - byteLength(character));
      expect(cut).not.toContain('\ufffd');
    }
  });
});

describe('a close code', () => {
  const those = (is: (code: number) => boolean): string[] =>
    Object.entries(CloseCode).flatMap(([name, code]) => (is(code) ? [name] : []));

  it('is a goodbye if somebody wanted the end', () => {
    expect(those(isGoodbye)).toEqual(['goodbye', 'goingAway', 'dismissed']);
  });

  it('is final if trying again cannot help, or is not wanted', () => {
    expect(those(isFinal)).toEqual(['unauthorized', 'dismissed', 'unsupportedVersion']);
  });

  it('has a number of its own', () => {
    expect(new Set(Object.values(CloseCode)).size).toBe(Object.keys(CloseCode).length);
  });
});
