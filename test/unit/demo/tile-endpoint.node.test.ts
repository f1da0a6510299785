import { describe, expect, it } from 'vitest';
import { encodeForHeader } from '../../../demo/tile-endpoint.ts';

describe('encodeForHeader', () => {
  it('is undone by decodeURIComponent, for a name of any characters', () => {
    expect(encodeForHeader('Gäste 🏠')).toMatch(/^[\x21-\x7e]+$/);
    expect(decodeURIComponent(encodeForHeader('Gäste 🏠'))).toBe('Gäste 🏠');
  });

  it('replaces half a character', () => {
    expect(decodeURIComponent(encodeForHeader('bad\ud800'))).toBe('bad\ufffd');
    expect(decodeURIComponent(encodeForHeader('\udc00bad'))).toBe('\ufffdbad');
  });
});
