// taskdist's master for workers in browsers, on the server that serves them their page.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { checksum, type Rendered, type TileTask } from './tiles.ts';

const PAGE = new URL('../../dist-bench-page/', import.meta.url);
const CONTENT_TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

const server = createServer((request, response) => {
  void answer(request.url ?? '/').then(
    ([type, bytes]) => response.writeHead(200, { 'Content-Type': type }).end(bytes),
    () => response.writeHead(404).end(),
  );
});
const scheduler = new FifoScheduler<TileTask, Uint8ClampedArray>();
const master = new Master(scheduler, { server, path: '/taskdist' });

const calls = {
  async listen(): Promise<number> {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await master.start();
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error(`Expected a port, got ${address}`);
    return address.port;
  },

  /** How many workers there are that take tasks. */
  ready: () => master.workers().filter(({ concurrency }) => concurrency > 0).length,

  /** Puts all tiles at once; the time runs from the first put to the last result. */
  async compute(tiles: readonly TileTask[]): Promise<Rendered> {
    const startedAt = performance.now();
    const results = await Promise.all(tiles.map((tile) => scheduler.put(tile)));
    const elapsedMs = performance.now() - startedAt;
    return { elapsedMs, checksums: results.map(checksum) };
  },
};

/** The page's own files; a URL's path cannot leave their folder. */
async function answer(url: string): Promise<[type: string, bytes: Buffer]> {
  const { pathname } = new URL(url === '/' ? '/index.html' : url, 'http://127.0.0.1');
  const type = CONTENT_TYPES[extname(pathname)] ?? 'application/octet-stream';
  return [type, await readFile(fileURLToPath(new URL(`.${pathname}`, PAGE)))];
}

export type TileMaster = typeof calls;
serve(calls);
