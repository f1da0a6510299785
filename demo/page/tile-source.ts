// Fetches tiles, and does not give up while there is hope.

import { TILE_BYTES, type TileCoordinates, type TilePixels, tilePath } from '../tile.ts';
import { priorityAt } from '../tile-priority.ts';
import type { ClusterFeed } from './cluster-feed.ts';
import { NearestFirst } from './nearest-first.ts';

export interface Tile {
  readonly pixels: TilePixels;
  /** The colour of the worker that computed it. */
  readonly colour: string | undefined;
}

/** A tile that failed is asked for again after this long, and then ever less often. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** A browser sends no more requests to a server at once, and those beyond in the order in which they came. */
const MAX_REQUESTS = 6;

export class TileSource {
  readonly #feed: ClusterFeed;
  readonly #onChange: () => void;
  readonly #requests = new NearestFirst(MAX_REQUESTS);
  #pending = 0;

  constructor(feed: ClusterFeed, onChange: () => void) {
    this.#feed = feed;
    this.#onChange = onChange;
  }

  /** How many tiles are being waited for. The server knows of six at most. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Rejects only when `signal` is aborted: the tile is no longer needed. `distance`: how far it is from the centre of the
   * view at the time, in tiles; the nearest come first.
   */
  async fetch(coordinates: TileCoordinates, distance: () => number, signal: AbortSignal): Promise<Tile> {
    this.#count(1);
    try {
      return await this.#fetch(coordinates, distance, signal);
    } finally {
      this.#count(-1);
    }
  }

  async #fetch(coordinates: TileCoordinates, distance: () => number, signal: AbortSignal): Promise<Tile> {
    const request = () => fetchOnce(`${tilePath(coordinates)}?priority=${priorityAt(distance())}`, signal);
    for (let delayMs = RETRY_MS; ; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
      const tile = await this.#requests.run(distance, request, signal);
      if (tile !== undefined) {
        return tile;
      }
      await pause(delayMs, signal);
      await this.#feed.live(signal);
    }
  }

  #count(change: 1 | -1): void {
    this.#pending += change;
    // Leaflet asks for all tiles of a view in one go, and at once, while the page is still being put together.
    queueMicrotask(this.#onChange);
  }
}

/** Undefined when the server has no answer, or is not there. */
async function fetchOnce(url: string, signal: AbortSignal): Promise<Tile | undefined> {
  try {
    // Without credentials the browser uses connections of their own: tiles that wait for a worker would else take up all
    // six that a browser opens, and the script with which this tab could become that worker would never load.
    const response = await fetch(url, { signal, cache: 'no-store', credentials: 'omit' });
    const bytes = await response.arrayBuffer();
    if (!response.ok || bytes.byteLength !== TILE_BYTES) {
      return undefined;
    }
    return { pixels: new Uint8ClampedArray(bytes), colour: response.headers.get('X-Worker-Colour') ?? undefined };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
