// The tests' fixtures: whatever a test starts ends with it, and no page may have had a problem.

import { type BrowserContextOptions, test as base, expect } from '@playwright/test';
import { Worker, type WorkerOptions } from 'taskdist';
import { renderTile } from '../../../demo/fractal.ts';
import type { TilePixels, TileTask } from '../../../demo/tile.ts';
import { Demo, DemoProcess, type Exit, type Script } from './process.ts';
import { Visitor } from './visitor.ts';

interface Fixtures {
  processes: DemoProcess[];
  visitors: Visitor[];
  /** Starts the demo's server, without a worker of its own unless `args` say otherwise. */
  startDemo: (args?: readonly string[]) => Promise<Demo>;
  /** A server without workers. */
  demo: Demo;
  /** Starts a Node worker. */
  startWorker: (demo: Demo, ...args: string[]) => Promise<DemoProcess>;
  /** Starts a worker in the test's own process, which calls `before` for each tile, and computes it then. */
  startPainter: (
    demo: Demo,
    before: (task: TileTask) => void | Promise<void>,
    options?: WorkerOptions<TileTask>,
  ) => Promise<void>;
  /** Runs a command that is expected to end by itself. */
  runToEnd: (script: Script, ...args: string[]) => Promise<{ readonly exit: Exit; readonly output: string }>;
  /** Opens the page in a browser of its own, at a place like `#9/-0.7463/0.1102`. */
  visit: (demo: Demo, place?: string, options?: BrowserContextOptions) => Promise<Visitor>;
  /** Opens the page in another tab of a visitor's browser. */
  visitBeside: (visitor: Visitor, demo: Demo, place?: string) => Promise<Visitor>;
}

/** Inside the set, where neither formula helps: every pixel takes all its steps, a tile two seconds or so. */
export const SLOW_PLACE = '#20/-0.125/0.7499980926513671875';

/** A tile of the slow place. */
export const SLOW_TILE = '/tiles/20/688128/327680';

/** Two tiles of the slow place: enough to be in the midst of, and not too many to compute to the end. */
export const PAIR = { viewport: { width: 400, height: 240 } };

/** A moment for each tile. */
export const QUICK_PLACE = '#4/0.25/0';

/** Four tiles, where the centre is a corner of tiles, as it is in all other places that the tests go to. */
export const SMALL = { viewport: { width: 400, height: 360 } };

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  processes: async ({}, use) => {
    const processes: DemoProcess[] = [];
    await use(processes);
    for (const process of processes) {
      await process.kill('SIGKILL');
    }
  },

  startDemo: async ({ processes }, use) => {
    await use(async (args = ['--no-worker']) => {
      const demo = new Demo(args);
      processes.push(demo);
      await demo.listening();
      return demo;
    });
  },

  demo: async ({ startDemo }, use) => {
    await use(await startDemo());
  },

  startWorker: async ({ processes }, use) => {
    await use(async (demo, ...args) => {
      const worker = new DemoProcess('worker.js', ['--master', `ws://127.0.0.1:${demo.port}`, ...args]);
      processes.push(worker);
      await worker.printed(/connected, lending/);
      return worker;
    });
  },

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  startPainter: async ({}, use) => {
    const painters: Worker<TileTask, TilePixels>[] = [];
    await use(async (demo, before, options) => {
      const painter = new Worker<TileTask, TilePixels>(
        async (task) => {
          await before(task);
          return renderTile(task);
        },
        { url: `ws://127.0.0.1:${demo.port}/taskdist`, ...options },
      );
      painters.push(painter);
      await painter.start();
    });
    await Promise.all(painters.map((painter) => painter.stop()));
  },

  runToEnd: async ({ processes }, use) => {
    await use(async (script, ...args) => {
      const process = new DemoProcess(script, args);
      processes.push(process);
      return { exit: await process.exited, output: process.output };
    });
  },

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  visitors: async ({}, use) => {
    const visitors: Visitor[] = [];
    await use(visitors);
    for (const context of new Set(visitors.map(({ page }) => page.context()))) {
      await context.close();
    }
    expect(visitors.flatMap(({ problems }) => problems)).toEqual([]);
  },

  visit: async ({ browser, visitors }, use) => {
    await use(async (demo, place = '', options = {}) => {
      const visitor = new Visitor(await (await browser.newContext(options)).newPage());
      visitors.push(visitor);
      await visitor.page.goto(`${demo.origin}/${place}`);
      return visitor;
    });
  },

  visitBeside: async ({ visitors }, use) => {
    await use(async (neighbour, demo, place = '') => {
      const visitor = new Visitor(await neighbour.page.context().newPage());
      visitors.push(visitor);
      await visitor.page.goto(`${demo.origin}/${place}`);
      return visitor;
    });
  },
});

/** Something to wait for until the test opens it. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

export { expect };
