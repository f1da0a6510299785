// Somebody who has opened the page.

import { expect, type Locator, type Page } from '@playwright/test';
import { renderTile } from '../../../demo/fractal.ts';
import { parseTilePath } from '../../../demo/tile.ts';

const trueTiles = new Map<string, Buffer>();

/** The tile as it is computed here. Several tests go to the same places. */
function trueTile(path: string): Buffer {
  const coordinates = parseTilePath(path);
  if (coordinates === undefined) {
    throw new Error(`The page shows ${path}, which is no tile`);
  }
  const tile = trueTiles.get(path) ?? Buffer.from(renderTile(coordinates).buffer);
  trueTiles.set(path, tile);
  return tile;
}

export class Visitor {
  readonly page: Page;
  /** Console errors, uncaught exceptions, violations of the content security policy. */
  readonly problems: string[] = [];
  readonly webSockets: string[] = [];

  readonly contribute: Locator;
  readonly cores: Locator;
  readonly pause: Locator;
  readonly connection: Locator;
  readonly workers: Locator;
  readonly waitingTiles: Locator;
  readonly drawnTiles: Locator;
  readonly nobody: Locator;
  readonly gone: Locator;

  constructor(page: Page) {
    this.page = page;
    this.contribute = page.getByRole('switch', { name: 'Contribute' });
    this.cores = page.getByRole('slider', { name: 'Cores' });
    this.pause = page.locator('#pause');
    this.connection = page.locator('#connection');
    this.workers = page.locator('#workers > li');
    this.waitingTiles = page.locator('.tile.is-waiting');
    this.drawnTiles = page.locator('.tile.is-drawn');
    this.nobody = page.locator('#nobody');
    this.gone = page.getByText('The server does not answer');
    page.on('websocket', (socket) => this.webSockets.push(socket.url()));
    page.on('pageerror', (error) => this.problems.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      // A violation of the content security policy is reported here too.
      if (message.type() === 'error' || message.type() === 'warning') {
        this.problems.push(`${message.type()}: ${message.text()}`);
      }
    });
  }

  async startContributing(): Promise<void> {
    await this.contribute.click();
    await expect(this.connection).toHaveText(/^On: /);
  }

  /**
   * Makes the tab what it is while another is in front of it: told so, and with timers that come once a second at most.
   * A browser without a screen hides none by itself.
   */
  async hide(): Promise<void> {
    await this.page.evaluate(() => {
      const { setTimeout, setInterval } = window;
      Object.assign(window, {
        setTimeout: (callback: TimerHandler, ms = 0) => setTimeout(callback, Math.max(ms, 1000)),
        setInterval: (callback: TimerHandler, ms = 0) => setInterval(callback, Math.max(ms, 1000)),
      });
      Object.defineProperties(document, { hidden: { value: true }, visibilityState: { value: 'hidden' } });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    });
  }

  /** What the panel says under this name. */
  figure(name: string): Locator {
    return this.page.locator('dl > div', { has: this.page.getByText(name, { exact: true }) }).locator('dd');
  }

  async go(place: string): Promise<void> {
    await this.page.getByRole('button', { name: place }).click();
  }

  /** Waits until every tile in view is there. */
  async seeAllTiles(): Promise<void> {
    await expect(this.drawnTiles).not.toHaveCount(0);
    await expect(this.waitingTiles).toHaveCount(0);
  }

  /** Expects every tile on the map to have, byte for byte, the pixels that are computed here. Returns how many. */
  async expectTrueTiles(): Promise<number> {
    const tiles = await this.drawnTiles.evaluateAll((elements) =>
      elements.map((element) => {
        const context = element.querySelector('canvas')?.getContext('2d');
        const data = context?.getImageData(0, 0, 256, 256).data ?? new Uint8ClampedArray();
        let text = '';
        for (let start = 0; start < data.length; start += 8192) {
          text += String.fromCharCode(...data.subarray(start, start + 8192));
        }
        return { name: (element as HTMLElement).dataset['tile'], pixels: btoa(text) };
      }),
    );
    for (const { name, pixels } of tiles) {
      const isTrue = trueTile(`/tiles/${name}`).equals(Buffer.from(pixels, 'base64'));
      expect(isTrue, `tile ${name} is true to the byte`).toBe(true);
    }
    return tiles.length;
  }

  /** Takes problems that a test brings about itself off the list. */
  forgive(pattern: RegExp): void {
    this.problems.splice(0, Infinity, ...this.problems.filter((problem) => !pattern.test(problem)));
  }
}
