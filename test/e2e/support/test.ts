// The tests' fixtures: whatever a test starts ends with it, and no page may have had a problem.

import { type BrowserContextOptions, test as base, expect } from '@playwright/test';
import { Demo, DemoProcess, type Exit, type Script } from './process.ts';
import { Visitor } from './visitor.ts';

interface Fixtures {
  processes: DemoProcess[];
  /** Starts the demo's server, without a worker of its own unless `args` say otherwise. */
  startDemo: (args?: readonly string[]) => Promise<Demo>;
  /** A server without workers. */
  demo: Demo;
  /** Starts a Node worker. */
  startWorker: (demo: Demo, ...args: string[]) => Promise<DemoProcess>;
  /** Runs a command that is expected to end by itself. */
  runToEnd: (script: Script, ...args: string[]) => Promise<{ readonly exit: Exit; readonly output: string }>;
  /** Opens the page, at a place like `#9/-0.7463/0.1102`. */
  visit: (demo: Demo, place?: string, options?: BrowserContextOptions) => Promise<Visitor>;
}

/** Inside the set, where neither formula helps: every pixel takes all its steps, a tile about a quarter of a second. */
export const SLOW_PLACE = '#6/-0.125/0.75';

/** Some seconds for each tile. */
export const VERY_SLOW_PLACE = '#40/-0.125/0.75';

/** A moment for each tile. */
export const QUICK_PLACE = '#4/0.25/0';

/** Four tiles, where the centre is a corner of tiles, as it is in the places that the tests go to. */
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

  runToEnd: async ({ processes }, use) => {
    await use(async (script, ...args) => {
      const process = new DemoProcess(script, args);
      processes.push(process);
      return { exit: await process.exited, output: process.output };
    });
  },

  visit: async ({ browser }, use) => {
    const visitors: Visitor[] = [];
    await use(async (demo, place = '', options = {}) => {
      const visitor = await Visitor.open(browser, `${demo.origin}/${place}`, options);
      visitors.push(visitor);
      return visitor;
    });
    for (const visitor of visitors) {
      await visitor.leave();
    }
    expect(visitors.flatMap(({ problems }) => problems)).toEqual([]);
  },
});

export { expect };
