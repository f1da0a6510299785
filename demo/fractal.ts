// The pixels of one tile of the Mandelbrot set. Only + − × ÷ and sqrt: IEEE 754 defines their every bit, so that any
// engine on any machine computes the same bytes, which Math.log, pow, sin and cos do not promise.

import { INSIDE, PALETTE, PALETTE_SIZE } from './palette.ts';
import { TILE_BYTES, TILE_SIZE, type TileCoordinates, type TilePixels } from './tile.ts';

// The one tile of zoom 0. With a side of 4, all distances are powers of two and every pixel's position is exact.
const LEFT = -2.75;
const TOP = 2;
const SIDE = 4;

// Far beyond 2: the farther out a point is caught, the smoother the colours join.
const ESCAPE_RADIUS_SQUARED = 65536;

/** After this many steps a point is taken to be in the set: finer detail escapes later. */
export function maxIterations(z: number): number {
  return 256 + 64 * z + 8 * z * z;
}

export function renderTile({ z, x, y }: TileCoordinates): TilePixels {
  const pixels = new Uint8ClampedArray(TILE_BYTES);
  const step = pixelSide(z);
  const limit = maxIterations(z);
  let offset = 0;
  for (let row = 0; row < TILE_SIZE; row++) {
    const imaginary = TOP - (y * TILE_SIZE + row + 0.5) * step;
    for (let column = 0; column < TILE_SIZE; column++) {
      const real = LEFT + (x * TILE_SIZE + column + 0.5) * step;
      paint(pixels, offset, escapeTime(real, imaginary, limit));
      offset += 4;
    }
  }
  return pixels;
}

// Halving is exact; `2 ** z` would be Math.pow.
function pixelSide(z: number): number {
  let side = SIDE / TILE_SIZE;
  for (let level = 0; level < z; level++) {
    side /= 2;
  }
  return side;
}

/** How many steps of z → z² + c it takes to escape, with a smooth fraction; -1 for a point of the set. */
export function escapeTime(real: number, imaginary: number, limit: number): number {
  if (isInCardioidOrDisc(real, imaginary)) {
    return -1;
  }
  let [re, im, reSquared, imSquared] = [0, 0, 0, 0];
  for (let n = 1; n <= limit; n++) {
    im = 2 * re * im + imaginary;
    re = reSquared - imSquared + real;
    reSquared = re * re;
    imSquared = im * im;
    const modulusSquared = reSquared + imSquared;
    if (modulusSquared > ESCAPE_RADIUS_SQUARED) {
      return n + 1 - log2(log2(modulusSquared) / 2);
    }
  }
  return -1;
}

/** The base-2 logarithm of a number ≥ 1, to about 12 digits. */
export function log2(value: number): number {
  let whole = 0;
  let rest = value;
  while (rest >= 2) {
    rest /= 2;
    whole++;
  }
  // ln(rest) = 2 artanh(s), a series in odd powers of s; s ≤ 1/3, so each term is at most a ninth of the one before.
  const s = (rest - 1) / (rest + 1);
  const square = s * s;
  let power = s;
  let sum = 0;
  for (let odd = 1; odd <= 23; odd += 2) {
    sum += power / odd;
    power *= square;
  }
  return whole + sum * 2.8853900817779268; // 2 / ln 2
}

// The two largest parts of the set have formulas. Without them their points would cost the full number of steps.
function isInCardioidOrDisc(real: number, imaginary: number): boolean {
  const imaginarySquared = imaginary * imaginary;
  const q = (real - 0.25) * (real - 0.25) + imaginarySquared;
  if (q * (q + (real - 0.25)) <= imaginarySquared / 4) {
    return true;
  }
  return (real + 1) * (real + 1) + imaginarySquared <= 0.0625;
}

function paint(pixels: TilePixels, offset: number, time: number): void {
  pixels[offset + 3] = 255;
  if (time < 0) {
    pixels.set(INSIDE, offset);
    return;
  }
  // The root keeps the bands apart near the set, where the times grow fast.
  const position = Math.sqrt(time < FIRST_BAND ? 0 : time - FIRST_BAND) * COLOURS_PER_ROOT;
  const index = (Math.floor(position) % PALETTE_SIZE) * 3;
  pixels[offset] = PALETTE[index] ?? 0;
  pixels[offset + 1] = PALETTE[index + 1] ?? 0;
  pixels[offset + 2] = PALETTE[index + 2] ?? 0;
}

// Everything that escapes sooner has the colour of the page behind the map, so that the map has no visible edge.
const FIRST_BAND = 5;
const COLOURS_PER_ROOT = 230;
