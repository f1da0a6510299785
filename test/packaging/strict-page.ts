// Serves a bundled page as a strict site would: over TLS, with a content security policy, the master on the same server.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { chromium, type Page } from 'playwright';
import { findBrowser } from '../../scripts/browser.mjs';
import { createCertificate } from '../integration/certificate.ts';

/** Browsers tell of whatever it forbids, in Web Workers too. */
const POLICY = "default-src 'self'; connect-src 'self' ws: wss:; worker-src 'self'; report-uri /violations";

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

export class StrictPage implements AsyncDisposable {
  /** What the policy has forbidden. */
  readonly violations: string[] = [];
  readonly server: Server;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.server = createServer(createCertificate(), (request, response) => void this.#answer(request, response));
  }

  static async serve(folder: string): Promise<StrictPage> {
    const site = new StrictPage(folder);
    site.server.listen(0, '127.0.0.1');
    await once(site.server, 'listening');
    return site;
  }

  /** Opens the page, in a browser that does not ask who vouches for the certificate, until `visit` is over. */
  async open(visit: (page: Page) => Promise<void>): Promise<void> {
    const executablePath = process.env['TASKDIST_CHROMIUM'] || (await findBrowser());
    const browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ['--no-sandbox', '--ignore-certificate-errors'],
    });
    try {
      const page = await browser.newPage();
      await page.goto(`https://localhost:${(this.server.address() as AddressInfo).port}/index.html`);
      await visit(page);
    } finally {
      await browser.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/violations') {
      this.violations.push(await text(request));
      response.writeHead(204).end();
      return;
    }
    try {
      const path = normalize(request.url ?? '/');
      const content = await readFile(join(this.#folder, path));
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': POLICY }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }
}
