// GET /tiles/{z}/{x}/{y}?priority=…: the pixels, computed by whoever is there.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FifoScheduler, isTaskdistError } from 'taskdist';
import type { ClusterReport } from './cluster-report.ts';
import { answerText } from './plain-text.ts';
import { isTile, parseTilePath, TILE_BYTES, type TileTask, tilePath } from './tile.ts';
import { LEAST_PRIORITY, parsePriority } from './tile-priority.ts';
import { workerColour } from './worker-colour.ts';

const TILE_HEADERS = {
  'Content-Type': 'application/octet-stream',
  'Content-Length': TILE_BYTES,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

export class TileEndpoint {
  readonly #scheduler: FifoScheduler<TileTask, unknown>;
  readonly #report: ClusterReport;

  constructor(scheduler: FifoScheduler<TileTask, unknown>, report: ClusterReport) {
    this.#scheduler = scheduler;
    this.#report = report;
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
    // Viewers who ask for the same tile wait for one task, with the priority of the first, until the last has left.
    const idempotencyKey = tilePath(coordinates);
    const options = { idempotencyKey, priority, signal: departure.signal };
    try {
      const result = await this.#scheduler.put({ type: 'tile', ...coordinates }, options);
      this.#answerResult(response, idempotencyKey, result);
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

  #answerResult(response: ServerResponse, path: string, result: unknown): void {
    const maker = this.#report.makerOf(path);
    if (!isTile(result)) {
      answerText(response, 502, `${maker?.name ?? 'A worker'} answered with something that is not a tile.`);
      return;
    }
    this.#report.count(path);
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
