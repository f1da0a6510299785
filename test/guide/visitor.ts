// Somebody who opens a page of the guide: built by Vite as a reader would, in a real browser.

import { join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { build, type PreviewServer, preview } from 'vite';
import { findBrowser } from '../../scripts/browser.mjs';

/** What the page's master is told. */
const SITE = 'http://localhost:5173';

export class Visitor implements AsyncDisposable {
  /** What went wrong in the page. */
  readonly errors: Error[] = [];
  readonly #server: PreviewServer;
  readonly #browser: Browser;

  private constructor(server: PreviewServer, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
  }

  /**
   * Builds the page in this folder, and opens it where Vite would serve it as a rule. The master that it looks for at the
   * usual port is at this one.
   */
  static async open(root: string, masterPort: number): Promise<Visitor> {
    const config = { root, configFile: false, logLevel: 'silent', build: { outDir: join(root, 'dist') } } as const;
    const executablePath = process.env['TASKDIST_CHROMIUM'] || (await findBrowser());
    await build(config);
    const server = await preview({ ...config, preview: { host: '127.0.0.1', port: 0 } });
    const { port } = new URL(String(server.resolvedUrls?.local[0]));
    const rules = `MAP localhost:9000 127.0.0.1:${masterPort}, MAP ${new URL(SITE).host} 127.0.0.1:${port}`;
    const browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ['--no-sandbox', `--host-resolver-rules=${rules}`],
    });
    const visitor = new Visitor(server, browser);
    await visitor.#open();
    return visitor;
  }

  async #open(): Promise<void> {
    const page = await this.#browser.newPage();
    page.on('pageerror', (error) => this.errors.push(error));
    await page.goto(SITE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}
