// The tiles of the demo's map that are computed in browsers, and the check that their pixels are right.

export interface TileTask {
  readonly type: 'tile';
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** Around the seahorse valley: some are the set itself and cost next to nothing, most need hundreds of steps for a pixel. */
const CORNER = { z: 9, x: 252, y: 238 };
const COLUMNS = 8;

/** Row after row. */
export function tilesOf(count: number): TileTask[] {
  return Array.from({ length: count }, (_, index) => ({
    type: 'tile',
    z: CORNER.z,
    x: CORNER.x + (index % COLUMNS),
    y: CORNER.y + Math.floor(index / COLUMNS),
  }));
}

/** Of all bytes, in their order; 32 bits. */
export function checksum({ buffer, byteOffset, byteLength }: ArrayBufferView): number {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** What computing tiles took, and what came of it. */
export interface Rendered {
  readonly elapsedMs: number;
  readonly checksums: readonly number[];
}
