// The package as its users get it: packed, installed elsewhere, run, type-checked and bundled.

import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from './bundling.ts';
import { Consumer } from './consumer.ts';
import { StrictPage } from './strict-page.ts';

/** Of the page's script: the worker's half of the library, both codecs, and Comlink. */
const BUNDLE_BUDGET_BYTES = 21_700;
/** Where the README’s program listens. */
const PORT = 9000;
const ANSWER = 'The 10th Fibonacci number is: 55.\n';

let consumer: Consumer;

beforeAll(async () => {
  consumer = await Consumer.create();
});

afterAll(() => consumer?.dispose());

async function expectFreePort(): Promise<void> {
  const server = createServer().listen(PORT);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`The README’s program needs port ${PORT}, and something else listens there`, { cause: error });
  }
  server.close();
  await once(server, 'close');
}

describe('the tarball', () => {
  it('holds the library, its documents and nothing else', async () => {
    const installed = join(consumer.folder, 'node_modules', 'taskdist');
    expect((await readdir(installed)).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'docs', 'package.json']);
    const inDist = (await readdir(join(installed, 'dist'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
    expect(inDist.filter((name) => !/\.(js|js\.map|d\.ts)$/.test(name))).toEqual([]);
  });

  it('holds the guide', async () => {
    const guide = join('docs', 'guide');
    const packed = await readdir(join(consumer.folder, 'node_modules', 'taskdist', guide));
    expect(packed.sort()).toEqual((await readdir(guide)).sort());
  });

  it('holds the pictures of what was measured', async () => {
    const pictures = join('docs', 'images', 'performance');
    const packed = await readdir(join(consumer.folder, 'node_modules', 'taskdist', pictures));
    expect(packed.sort()).toEqual((await readdir(pictures)).sort());
  });
});

describe('the README’s program', () => {
  beforeAll(expectFreePort);

  it('runs unchanged as an ES module, and ends by itself', async () => {
    await consumer.compile(['program.ts'], { module: 'NodeNext', outDir: 'compiled', noCheck: true });
    expect(await consumer.node(['compiled/program.js'])).toEqual({ code: 0, stdout: ANSWER, stderr: '' });
  });

  it('runs with require', async () => {
    expect(await consumer.node(['program.cjs'])).toMatchObject({ code: 0, stdout: ANSWER });
  });

  it('stands in the README as it is run here', async () => {
    const program = await readFile(join(consumer.folder, 'program.ts'), 'utf8');
    const readme = await readFile(join(consumer.folder, 'node_modules', 'taskdist', 'README.md'), 'utf8');
    expect(readme).toContain(program);
  });
});

describe('the types', () => {
  // No package of types is installed, and every declaration file is checked.
  it.each([
    ['NodeNext', { module: 'NodeNext', moduleResolution: 'NodeNext' }],
    ['Bundler', { module: 'ESNext', moduleResolution: 'Bundler' }],
  ])('check under %s', async (_name, options) => {
    expect(await consumer.compile(['program.ts'], options)).toMatchObject({ code: 0, stdout: '' });
  });

  it('check in a page, under the browser condition', async () => {
    const options = { module: 'ESNext', moduleResolution: 'Bundler', customConditions: ['browser'] };
    const files = ['page/main.ts', 'page/handler.ts'];
    expect(await consumer.compile(files, options)).toMatchObject({ code: 0, stdout: '' });
  });

  it('do not offer the master to a page', async () => {
    await consumer.write('master-in-page.ts', "import { Master } from 'taskdist';\nvoid Master;\n");
    const options = { module: 'ESNext', moduleResolution: 'Bundler', customConditions: ['browser'] };
    const { stdout } = await consumer.compile(['master-in-page.ts'], options);
    expect(stdout).toContain("no exported member 'Master'");
  });
});

describe('what is for tests', () => {
  it('runs from the installed package, and its types check', async () => {
    const compiled = await consumer.compile(['simulated.ts'], { module: 'NodeNext', outDir: 'compiled' });
    expect(compiled).toMatchObject({ code: 0, stdout: '' });
    expect(await consumer.node(['compiled/simulated.js'])).toEqual({ code: 0, stdout: '42 after a day\n', stderr: '' });
  });

  it('is not part of the package proper', async () => {
    const dist = join(consumer.folder, 'node_modules', 'taskdist', 'dist');
    const declared = await readFile(join(dist, 'index.d.ts'), 'utf8');
    expect(declared).not.toContain('testing');
  });
});

describe('a page bundled with Vite', () => {
  let page: Bundle;

  beforeAll(async () => {
    page = await bundle(join(consumer.folder, 'page'));
  });

  it('has the handler compiled into a script of its own', () => {
    expect(page.threads).toContain('only integers are squared here');
    expect(page.threads).not.toContain(': string');
    expect(page.page).not.toMatch(/data:video|data:text|handler\.ts/);
  });

  it('contains nothing of Node', () => {
    expect(page.page + page.threads).not.toContain('node:');
    expect(page.modules.filter((id) => /node:|__vite-browser-external|node_modules\/ws\//.test(id))).toEqual([]);
  });

  it('evaluates no code at run time, so that a strict content security policy holds', () => {
    expect(page.page + page.threads).not.toMatch(/\bnew Function\b|\bFunction\(|\beval\(/);
  });

  it('works over wss under a strict content security policy, and breaks nothing of it', async () => {
    const installed = pathToFileURL(join(consumer.folder, 'node_modules', 'taskdist', 'dist', 'index.js')).href;
    const { FifoScheduler, Master }: typeof import('taskdist') = await import(installed);
    await using site = await StrictPage.serve(join(consumer.folder, 'page', 'dist'));
    const scheduler = new FifoScheduler<{ type: 'square'; n: number }, number>();
    await using master = new Master(scheduler, { server: site.server });
    await master.start();
    await site.open(async (page) => {
      const results = [3, 4, 5].map((n) => scheduler.put({ type: 'square', n }));
      expect(await Promise.all(results)).toEqual([9, 16, 25]);
      expect(site.violations).toEqual([]);
      // That it is told of what is forbidden: this is.
      await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'globalThis.isInline = true';
        document.body.append(script);
      });
      await expect.poll(() => site.violations).toEqual([expect.stringContaining('inline')]);
    });
  });

  it(`is at most ${BUNDLE_BUDGET_BYTES / 1_000} kB with brotli`, () => {
    console.info(`the page's script: ${(page.brotliBytes / 1_000).toFixed(1)} kB with brotli`);
    expect(page.brotliBytes).toBeLessThanOrEqual(BUNDLE_BUDGET_BYTES);
  });

  it('cannot be built with the master in it', async () => {
    await consumer.write('page-with-master/index.html', '<script type="module" src="./main.ts"></script>');
    await consumer.write('page-with-master/main.ts', "import { Master } from 'taskdist';\nconsole.log(Master);\n");
    await expect(bundle(join(consumer.folder, 'page-with-master'))).rejects.toThrow(/"Master" is not exported/);
  });
});
