// The demo's server: the page, its tiles, news of the cluster, and the master, all on one port.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FifoScheduler, Master } from 'taskdist';
import { ClusterReport } from './cluster-report.ts';
import { EventStream } from './event-stream.ts';
import { answerText } from './plain-text.ts';
import type { StaticFiles } from './static-files.ts';
import type { TileTask } from './tile.ts';
import { TileEndpoint } from './tile-endpoint.ts';

/** Slow phones take long over deep tiles. */
const TASK_TIMEOUT_MS = 120_000;

/** What listeners are told of soon, and not only with the next regular news. */
const CHANGES = [
  'workerConnected',
  'workerInterrupted',
  'workerResumed',
  'workerDisconnected',
  'attemptStarted',
  'attemptEnded',
  'leaseRecalled',
] as const;

/** How long the last answers may take to be read when the server stops. */
const LAST_ANSWERS_MS = 500;

export class DemoServer {
  readonly #files: StaticFiles;
  readonly #server: Server;
  readonly #master: Master<TileTask, unknown>;
  readonly #news: EventStream;
  readonly #tiles: TileEndpoint;
  #isStopping = false;

  constructor(files: StaticFiles) {
    this.#files = files;
    this.#server = createServer((request, response) => this.#answer(request, response));
    const scheduler = new FifoScheduler<TileTask, unknown>();
    this.#master = new Master(scheduler, { server: this.#server, path: '/taskdist', taskTimeout: TASK_TIMEOUT_MS });
    const report = new ClusterReport(this.#master, scheduler);
    this.#news = new EventStream(() => report.snapshot());
    this.#tiles = new TileEndpoint(scheduler, report);
  }

  /** Returns the port. Throws when it cannot listen there. */
  async start(port: number, host: string): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    await this.#master.start();
    void this.#tellChanges();
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no requests any more, and stops when the tiles that are being computed are answered, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#master.drain({ grace: graceMs });
    this.#news.close();
    const closed = once(this.#server, 'close');
    this.#server.close();
    const timer = setTimeout(() => this.#server.closeAllConnections(), LAST_ANSWERS_MS);
    await closed;
    clearTimeout(timer);
  }

  async #tellChanges(): Promise<void> {
    // It ends when the master has stopped.
    for await (const _ of this.#master.events({ types: CHANGES })) {
      this.#news.changed();
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = '/', query = ''] = request.url?.split('?', 2) ?? [];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      answerText(response, 405, 'Only GET and HEAD are understood here.');
    } else if (this.#isStopping) {
      response.setHeader('Connection', 'close');
      answerText(response, 503, 'The server is shutting down.');
    } else if (path.startsWith('/tiles/')) {
      void this.#tiles.answer(path, query, request, response);
    } else if (path === '/cluster') {
      this.#news.open(request, response);
    } else if (!this.#files.answer(path, request, response)) {
      answerText(response, 404, 'There is nothing here.');
    }
  }
}
