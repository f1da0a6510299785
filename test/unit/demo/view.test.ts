import { describe, expect, it } from 'vitest';
import { formatView, HOME, PLACES, parseView, toLatLng, toView } from '../../../demo/page/view.ts';

describe('the view in the address', () => {
  it('is read back as it was written, at any zoom', () => {
    for (const { view } of PLACES) {
      expect(parseView(formatView(view))).toEqual(view);
    }
    const deep = { zoom: 40, real: -0.743643887037158, imaginary: 0.131825904205311 };
    const read = parseView(formatView(deep));
    const pixel = 4 / 256 / 2 ** 40;
    expect(Math.abs((read?.real ?? 0) - deep.real)).toBeLessThan(pixel);
    expect(Math.abs((read?.imaginary ?? 0) - deep.imaginary)).toBeLessThan(pixel);
  });

  it.each(['', '#', '#2', '#2/0', '#2/0/0/0', '#x/0/0', '#41/0/0', '#-1/0/0', '#2.5/0/0', '#2/1e9/0', '#2/NaN/0'])(
    'is refused when it makes no sense: %j',
    (hash) => {
      expect(parseView(hash)).toBeUndefined();
    },
  );
});

describe('toLatLng and toView', () => {
  it('are each other’s inverse', () => {
    const [lat, lng] = toLatLng(HOME);
    const { real, imaginary } = toView(HOME.zoom, lat, lng);
    expect(real).toBeCloseTo(HOME.real, 12);
    expect(imaginary).toBeCloseTo(HOME.imaginary, 12);
  });
});
