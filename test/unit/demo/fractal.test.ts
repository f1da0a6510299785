import { describe, expect, it } from 'vitest';
import { escapeTime, log2, maxIterations, renderTile } from '../../../demo/fractal.ts';
import { TILE_BYTES, type TilePixels } from '../../../demo/tile.ts';

// 32-bit FNV-1a: no engine's crypto is needed to compare what two engines computed.
function hash(bytes: TilePixels): string {
  let value = 0x811c9dc5;
  for (const byte of bytes) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value.toString(16).padStart(8, '0');
}

function rows(pixels: TilePixels): Uint8ClampedArray[] {
  return Array.from({ length: 256 }, (_, row) => pixels.slice(row * 1024, (row + 1) * 1024));
}

describe('renderTile', () => {
  it.each([
    { z: 0, x: 0, y: 0, golden: '38464999' },
    { z: 3, x: 3, y: 3, golden: '9f5c5af7' },
    { z: 9, x: 256, y: 241, golden: '8836c88e' },
    { z: 20, x: 525946, y: 489731, golden: '4b81eb10' },
    { z: 40, x: 551502968915, y: 513519785259, golden: 'f10d995e' },
  ])('gives the same bytes in every engine: $z/$x/$y', ({ golden, ...coordinates }) => {
    expect(hash(renderTile(coordinates))).toBe(golden);
  });

  it('gives opaque pixels of the agreed number', () => {
    const pixels = renderTile({ z: 2, x: 1, y: 1 });
    expect(pixels).toHaveLength(TILE_BYTES);
    expect(pixels.filter((_, index) => index % 4 === 3).every((alpha) => alpha === 255)).toBe(true);
  });

  it('mirrors the upper half of the plane in the lower, to the bit', () => {
    const upper = rows(renderTile({ z: 2, x: 1, y: 1 }));
    const lower = rows(renderTile({ z: 2, x: 1, y: 2 }));
    expect(upper).toEqual(lower.reverse());
  });

  it('shows the set in the middle of zoom 0, and the background at its rim', () => {
    const pixels = renderTile({ z: 0, x: 0, y: 0 });
    const at = (column: number, row: number) => [
      ...pixels.slice((row * 256 + column) * 4, (row * 256 + column) * 4 + 3),
    ];
    expect(at(176, 128)).toEqual([4, 4, 10]); // c = 0
    for (let position = 0; position < 256; position++) {
      expect(at(position, 0)).toEqual([9, 12, 34]);
      expect(at(0, position)).toEqual([9, 12, 34]);
      expect(at(255, position)).toEqual([9, 12, 34]);
      expect(at(position, 255)).toEqual([9, 12, 34]);
    }
  });
});

describe('escapeTime', () => {
  it('is -1 for points of the set', () => {
    for (const [real, imaginary] of [
      [0, 0],
      [-1, 0],
      [-2, 0],
      [-0.1, 0.75],
      [0.25, 0],
    ] as const) {
      expect(escapeTime(real, imaginary, 1000)).toBe(-1);
    }
  });

  it('has no steps: neighbouring points escape at nearly the same time', () => {
    for (let real = 0.6; real < 2; real += 0.001) {
      expect(Math.abs(escapeTime(real, 0.4, 1000) - escapeTime(real + 0.0001, 0.4, 1000))).toBeLessThan(0.05);
    }
  });
});

describe('log2', () => {
  it('agrees with Math.log2 to eleven digits', () => {
    for (let value = 1; value < 1e10; value *= 1.37) {
      expect(log2(value)).toBeCloseTo(Math.log2(value), 11);
    }
  });
});

describe('maxIterations', () => {
  it('grows with the zoom', () => {
    for (let z = 1; z <= 40; z++) {
      expect(maxIterations(z)).toBeGreaterThan(maxIterations(z - 1));
    }
  });
});
