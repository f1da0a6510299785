// What is written into a page, and what stays.
import { describe, expect, it } from 'vitest';
import { replacePlace } from '../../../../bench/plots/places.ts';

const page = 'Before.\n\n<!-- begin: a -->\n<!-- end: a -->\n\nAfter.\n';

describe('a place in the page', () => {
  it('is filled, and what is around it stays', () => {
    expect(replacePlace(page, 'a', 'New.')).toBe('Before.\n\n<!-- begin: a -->\n\nNew.\n\n<!-- end: a -->\n\nAfter.\n');
  });

  it('is replaced in place, and by the same becomes the same', () => {
    const once = replacePlace(page, 'a', 'New.');
    expect(replacePlace(once, 'a', 'New.')).toBe(once);
    expect(replacePlace(replacePlace(page, 'a', 'Old.\n\nOlder.'), 'a', 'New.')).toBe(once);
  });

  it('is emptied when there is nothing to show', () => {
    expect(replacePlace(replacePlace(page, 'a', 'Old.'), 'a', '')).toBe(page);
  });

  it('takes the text as it is', () => {
    expect(replacePlace(page, 'a', '$& $1')).toContain('\n$& $1\n');
  });

  it.each([['b'], ['']])('%j, of which the page knows nothing, is refused', (name) => {
    expect(() => replacePlace(page, name, 'New.')).toThrow(RangeError);
  });
});
