// GET /tiles/{z}/{x}/{y}?priority=…: the pixels, computed by whoever is there.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTaskdistError, type WorkerInfo } from 'taskdist';
import { answerText } from './plain-text.ts';
import type { FinishedTile, SharedTiles } from './shared-tiles.ts';
import { isTile, parseTilePath, TILE_BYTES, type TileTask } from './tile.ts';
import { LEAST_PRIORITY, parsePriority } from './tile-priority.ts';
import { workerColour } from './worker-colour.ts';

const TILE_HEADERS = {
  'Content-Type': 'application/octet-stream',
  'Content-Length': TILE_BYTES,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

export class TileEndpoint {
  readonly #tiles: SharedTiles;
  readonly #makerOf: (task: TileTask) => WorkerInfo | undefined;

  constructor(tiles: SharedTiles, makerOf: (task: TileTask) => WorkerInfo | undefined) {
    this.#tiles = tiles;
    this.#makerOf = makerOf;
  }

  async answer(path: string, query: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const coordinates = parseTilePath(path);
    if (coordinates === undefined) {
      answerText(response, 400, 'There is no such tile: expected /tiles/{z}/{x}/{y} with x and y below 2^z.');
      return;
    }
    const priority = parsePriority(query);
    if (priority === undefined) {
      answerText(response, 400, `Expected priority to be a number from ${LEAST_PRIORITY} to 0, nearest to the centre.`);
      return;
    }
    if (request.method === 'HEAD') {
      // All but the worker's name is known without computing anything.
      response.writeHead(200, TILE_HEADERS).end();
      return;
    }
    const departure = new AbortController();
    response.on('close', () => departure.abort());
    try {
      this.#answerPixels(response, await this.#tiles.get(coordinates, priority, departure.signal));
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
    if (!isTile(result)) {
      answerText(response, 502, `${maker?.name ?? 'A worker'} answered with something that is not a tile.`);
      return;
    }
    response.writeHead(200, {
      ...TILE_HEADERS,
      ...(maker && {
        'X-Worker-Id': encodeForHeader(maker.id),
        'X-Worker-Name': encodeForHeader(maker.name),
        'X-Worker-Colour': workerColour(maker.id),
      }),
    });
    response.end(new Uint8Array(result.buffer, result.byteOffset, result.byteLength));
  }
}

/** A name may hold any character, even half of one; a header may not. */
export function encodeForHeader(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD'));
}
