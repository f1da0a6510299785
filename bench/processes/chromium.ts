// A Chromium without a window, and its tabs with the bench's page.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Browser, chromium, type JSHandle, type Page } from 'playwright';
import { beforeEnd, serve } from '../harness/serve.ts';
import type { Tab } from './tab.ts';
import type { Rendered, TileTask } from './tiles.ts';

let browser: Browser | undefined;
const pages: Page[] = [];

const calls = {
  async launch(executablePath: string): Promise<string> {
    const args = ['--no-sandbox', '--disable-background-networking'];
    const launched = await chromium.launch({ executablePath, headless: true, args });
    browser = launched;
    beforeEnd(() => launched.close());
    return launched.version();
  },

  /** Opens the page in a tab of its own, which is called by the number that this resolves to. */
  async open(url: string): Promise<number> {
    const page = await launched().newPage();
    await page.goto(url);
    await page.waitForFunction(() => globalThis.tab !== undefined);
    return pages.push(page) - 1;
  },

  /** Holds all tabs, with all of their threads, on one core. Resolves to whether that can be done here. */
  async pinTabs(core: number): Promise<boolean> {
    const renderers = await tabProcesses();
    const pinned = renderers.map(({ id }) => promisify(execFile)('taskset', ['-acp', String(core), String(id)]));
    const outcomes = await Promise.allSettled(pinned);
    return outcomes.length > 0 && outcomes.every(({ status }) => status === 'fulfilled');
  },

  /** How much time of the processor the processes of all tabs have used, all threads. */
  async cpuMs(): Promise<number> {
    const renderers = await tabProcesses();
    return renderers.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0);
  },

  async connect(tab: number, url: string): Promise<void> {
    await (await offered(tab)).evaluate((api, to) => api.connect(to), url);
  },

  async pause(tab: number): Promise<void> {
    await (await offered(tab)).evaluate((api) => api.pause());
  },

  async resume(tab: number): Promise<void> {
    await (await offered(tab)).evaluate((api) => api.resume());
  },

  async loop(tab: number, tiles: readonly TileTask[]): Promise<Rendered> {
    return await (await offered(tab)).evaluate((api, asked) => api.loop(asked), [...tiles]);
  },
};

function launched(): Browser {
  if (browser === undefined) throw new Error('Chromium has not been launched');
  return browser;
}

async function tabProcesses() {
  const session = await launched().newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.filter(({ type }) => type === 'renderer');
}

/** What the page in a tab offers. The functions that use it are sent there as text. */
async function offered(tab: number): Promise<JSHandle<Tab>> {
  const page = pages[tab];
  if (page === undefined) throw new Error(`There is no tab ${tab}`);
  return await page.evaluateHandle(() => {
    if (globalThis.tab === undefined) throw new Error('The page offers nothing');
    return globalThis.tab;
  });
}

export type Chromium = typeof calls;
serve(calls);
