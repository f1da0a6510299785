import { describe, expect, it } from 'vitest';
import { isTile, isTileCoordinates, parseTilePath, TILE_BYTES, tilePath } from '../../../demo/tile.ts';

describe('parseTilePath', () => {
  it.each(['/tiles/0/0/0', '/tiles/1/1/0', '/tiles/40/1099511627775/0'])(
    'reads back what tilePath wrote: %s',
    (path) => {
      const coordinates = parseTilePath(path);
      expect(coordinates && tilePath(coordinates)).toBe(path);
    },
  );

  it.each([
    '/tiles/',
    '/tiles/0/0',
    '/tiles/0/0/0/0',
    '/tiles/0/0/1',
    '/tiles/1/2/0',
    '/tiles/41/0/0',
    '/tiles/-1/0/0',
    '/tiles/1/0.5/0',
    '/tiles/1/1e0/0',
    '/tiles/1/0/0?x',
    '/tiles/40/1099511627776/0',
    '/tiles/9999999999999999/0/0',
  ])('refuses %s', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

describe('isTileCoordinates', () => {
  it('refuses what is not an integer in range', () => {
    expect(isTileCoordinates({ z: 2, x: 3, y: 3 })).toBe(true);
    expect(isTileCoordinates({ z: 2, x: 4, y: 3 })).toBe(false);
    expect(isTileCoordinates({ z: 2, x: -1, y: 3 })).toBe(false);
    expect(isTileCoordinates({ z: 2, x: Number.NaN, y: 3 })).toBe(false);
  });
});

describe('isTile', () => {
  it('is true for bytes of the agreed number, whatever view they come in', () => {
    expect(isTile(new Uint8ClampedArray(TILE_BYTES))).toBe(true);
    expect(isTile(new DataView(new ArrayBuffer(TILE_BYTES)))).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a poem', 'a poem'],
    ['nothing', undefined],
    ['null', null],
    ['what only has the right length', { byteLength: TILE_BYTES }],
    ['bytes of another number', new Uint8Array(TILE_BYTES - 1)],
  ])('is false for %s', (_what, result) => {
    expect(isTile(result)).toBe(false);
  });
});
