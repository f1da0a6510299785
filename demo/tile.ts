// What a tile is: the task that asks for one, its size, and the coordinates that exist.

export const TILE_SIZE = 256;
export const TILE_BYTES = TILE_SIZE * TILE_SIZE * 4;

/**
 * The deepest zoom at which doubles still hold: pixels are then 2^-46 apart, and near 2 neighbouring doubles are 2^-51
 * apart, which leaves 5 bits for the error of the iteration.
 */
export const MAX_ZOOM = 40;

export interface TileCoordinates {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** The task: the pixels of one tile. Zoom level z has 2^z × 2^z of them, counted from the top left. */
export interface TileTask extends TileCoordinates {
  readonly type: 'tile';
}

/** Row after row of red, green, blue, alpha. */
export type TilePixels = Uint8ClampedArray<ArrayBuffer>;

/** Whether what a worker answered has the form of a tile; whether its pixels are right is not known from that. */
export function isTile(result: unknown): result is ArrayBufferView {
  return ArrayBuffer.isView(result) && result.byteLength === TILE_BYTES;
}

export function isTileCoordinates({ z, x, y }: TileCoordinates): boolean {
  return isIndexBelow(z, MAX_ZOOM + 1) && isIndexBelow(x, 2 ** z) && isIndexBelow(y, 2 ** z);
}

/** Reads `/tiles/{z}/{x}/{y}`; undefined when that is no tile. */
export function parseTilePath(path: string): TileCoordinates | undefined {
  const match = /^\/tiles\/(\d{1,15})\/(\d{1,15})\/(\d{1,15})$/.exec(path);
  if (match === null) {
    return undefined;
  }
  const coordinates = { z: Number(match[1]), x: Number(match[2]), y: Number(match[3]) };
  return isTileCoordinates(coordinates) ? coordinates : undefined;
}

export function tilePath({ z, x, y }: TileCoordinates): string {
  return `/tiles/${z}/${x}/${y}`;
}

function isIndexBelow(value: number, end: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < end;
}
