// The layer of the map that holds the tiles: a canvas each, tinted for a moment with the colour of who computed it.

import { type Coords, type DoneCallback, GridLayer, LatLngBounds } from 'leaflet';
import { isTileCoordinates, MAX_ZOOM, TILE_SIZE, type TileCoordinates, type TilePixels } from '../tile.ts';
import type { TileSource } from './tile-source.ts';

/** The whole plane that has tiles, in Leaflet's coordinates. */
export const WORLD = new LatLngBounds([-TILE_SIZE, 0], [0, TILE_SIZE]);

export class FractalLayer extends GridLayer {
  readonly #source: TileSource;
  readonly #pending = new WeakMap<HTMLElement, AbortController>();

  constructor(source: TileSource) {
    super({
      tileSize: TILE_SIZE,
      bounds: WORLD,
      minZoom: 0,
      maxZoom: MAX_ZOOM,
      keepBuffer: 1,
      updateWhenZooming: false,
    });
    this.#source = source;
    this.on('tileunload', ({ tile }) => this.#pending.get(tile)?.abort());
  }

  protected override createTile(coordinates: Coords, done: DoneCallback): HTMLElement {
    const tile = document.createElement('div');
    if (isTileCoordinates(coordinates)) {
      const unload = new AbortController();
      this.#pending.set(tile, unload);
      tile.dataset['tile'] = `${coordinates.z}/${coordinates.x}/${coordinates.y}`;
      tile.className = 'tile is-waiting';
      this.#fill(tile, coordinates, unload.signal).then(
        () => done(undefined, tile),
        () => {}, // Unloaded: nobody waits for it.
      );
    } else {
      queueMicrotask(() => done(undefined, tile));
    }
    return tile;
  }

  async #fill(tile: HTMLElement, coordinates: Coords, signal: AbortSignal): Promise<void> {
    const { pixels, colour } = await this.#source.fetch(coordinates, () => this.#distanceOf(coordinates), signal);
    tile.replaceChildren(draw(pixels));
    tile.classList.replace('is-waiting', 'is-drawn');
    if (colour !== undefined) {
      tint(tile, colour);
    }
  }

  /** From the centre of the view to that of the tile, in tiles. */
  #distanceOf({ z, x, y }: TileCoordinates): number {
    const centre = this._map.project(this._map.getCenter(), z).divideBy(TILE_SIZE);
    return centre.distanceTo([x + 0.5, y + 0.5]);
  }
}

function draw(pixels: TilePixels): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = TILE_SIZE;
  canvas.height = TILE_SIZE;
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, TILE_SIZE, TILE_SIZE), 0, 0);
  return canvas;
}

function tint(tile: HTMLElement, colour: string): void {
  const overlay = document.createElement('div');
  overlay.className = 'tile-tint';
  overlay.style.setProperty('--worker-colour', colour);
  overlay.addEventListener('animationend', () => overlay.remove());
  tile.append(overlay);
}
