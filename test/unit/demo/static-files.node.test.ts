import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StaticFiles } from '../../../demo/static-files.ts';

describe('StaticFiles', () => {
  let directory: string;
  let origin: string;
  const server = createServer((request, response) => {
    if (!files.answer(request.url ?? '', request, response)) {
      response.writeHead(404).end();
    }
  });
  let files: StaticFiles;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'static-files-'));
    await mkdir(join(directory, 'page', 'assets'), { recursive: true });
    await writeFile(join(directory, 'page', 'index.html'), '<p>hello</p>');
    await writeFile(join(directory, 'page', 'assets', 'main-1a2b.js'), 'export {};');
    await writeFile(join(directory, 'secret'), 'secret');
    files = await StaticFiles.read(join(directory, 'page'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await rm(directory, { recursive: true });
  });

  /** Of a request for just this path: fetch() would resolve its dots before it is sent. */
  async function statusOf(path: string): Promise<number> {
    const [response] = await once(get({ host: '127.0.0.1', port: new URL(origin).port, path }), 'response');
    response.resume();
    return response.statusCode;
  }

  it('answers / with the page, under a policy that allows nothing inline or evaluated', async () => {
    const response = await fetch(origin);
    expect(await response.text()).toBe('<p>hello</p>');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
  });

  it('lets what has its hash in its name be kept for ever', async () => {
    const response = await fetch(`${origin}/assets/main-1a2b.js`);
    expect(await response.text()).toBe('export {};');
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(response.headers.get('cache-control')).toContain('immutable');
  });

  it('answers HEAD without the content', async () => {
    const response = await fetch(origin, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('12');
    expect(await response.text()).toBe('');
  });

  it.each([
    '/missing',
    '/../secret',
    '/%2e%2e/secret',
    '/..%2fsecret',
    '/..\\secret',
    '/assets',
    '/assets/../../secret',
  ])('knows no %s', async (path) => {
    expect(await statusOf(path)).toBe(404);
  });
});
