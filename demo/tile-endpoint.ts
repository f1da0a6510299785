// GET /tiles/{z}/{x}/{y}: the pixels, computed by whoever is there.

import type { ServerResponse } from 'node:http';
import { isTaskdistError, type WorkerInfo } from 'taskdist';
import { answerText } from './plain-text.ts';
import type { FinishedTile, SharedTiles } from './shared-tiles.ts';
import { parseTilePath, TILE_BYTES, type TileTask } from './tile.ts';
import { workerColour } from './worker-colour.ts';

export class TileEndpoint {
  readonly #tiles: SharedTiles;
  readonly #makerOf: (task: TileTask) => WorkerInfo | undefined;

  constructor(tiles: SharedTiles, makerOf: (task: TileTask) => WorkerInfo | undefined) {
    this.#tiles = tiles;
    this.#makerOf = makerOf;
  }

  async answer(path: string, response: ServerResponse): Promise<void> {
    const coordinates = parseTilePath(path);
    if (coordinates === undefined) {
      answerText(response, 400, 'There is no such tile: expected /tiles/{z}/{x}/{y} with x and y below 2^z.');
      return;
    }
    const departure = new AbortController();
    response.on('close', () => departure.abort());
    try {
      this.#answerPixels(response, await this.#tiles.get(coordinates, departure.signal));
    } catch (error) {
      if (departure.signal.aborted) {
        return;
      }
      if (isTaskdistError(error, 'TASKDIST_STOPPED')) {
        answerText(response, 503, 'The server is shutting down.');
      } else {
        answerText(response, 502, error instanceof Error ? error.message : String(error));
      }
    }
  }

  #answerPixels(response: ServerResponse, { task, result }: FinishedTile): void {
    const maker = this.#makerOf(task);
    if (!ArrayBuffer.isView(result) || result.byteLength !== TILE_BYTES) {
      answerText(response, 502, `${maker?.name ?? 'A worker'} answered with something that is not a tile.`);
      return;
    }
    response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': TILE_BYTES,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...(maker && {
        'X-Worker-Id': encodeURIComponent(maker.id),
        // A name may hold any character, a header may not.
        'X-Worker-Name': encodeURIComponent(maker.name),
        'X-Worker-Colour': workerColour(maker.id),
      }),
    });
    response.end(new Uint8Array(result.buffer, result.byteOffset, result.byteLength));
  }
}
