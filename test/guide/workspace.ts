// A folder with the guide's programs, as a reader would have it who has installed the package: compiled and run there.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { commandOf } from '../../scripts/child.mjs';
import type { Page } from './pages.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MOVED_PORT = new URL('./moved-port.mjs', import.meta.url).href;
/** A program that has not ended by then never will. */
const TIME_LIMIT_MS = 20_000;
/** What a reader has installed: the package, and what the pages tell them to. */
const INSTALLED = ['@types/node', 'ws'];

export interface Outcome {
  /** 0 for an end by itself without an error. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs of a page that are to run together. */
export interface Run {
  readonly folder: string;
  /** Where their master listens in truth. */
  readonly port: number;
  /** Runs a compiled program to its end. */
  start(file: string): Promise<Outcome>;
}

export class Workspace {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Writes all files of all pages, each page's in a folder of its own. The package must be built. */
  static async create(pages: readonly Page[]): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(join(tmpdir(), 'taskdist-guide-')));
    await workspace.#write('package.json', JSON.stringify({ private: true, type: 'module' }));
    await workspace.#installLibrary();
    for (const name of INSTALLED) await workspace.#install(name, join(PROJECT, 'node_modules', name));
    for (const { name, files } of pages) {
      for (const [file, content] of files) await workspace.#write(join(name, file), content);
    }
    return workspace;
  }

  async dispose(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Type-checks the TypeScript of all pages, and leaves it as JavaScript beside it. */
  async compile(pages: readonly Page[]): Promise<Outcome> {
    const files = pages.flatMap(({ name, files }) =>
      [...files.keys()].filter((file) => file.endsWith('.ts')).map((file) => join(name, file)),
    );
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
      module: 'NodeNext',
      types: ['node'],
      strict: true,
      skipLibCheck: true,
      // What a Node that takes TypeScript needs, so that readers can run the files as they are.
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    };
    await this.#write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    const outcome = await node([commandOf('typescript', 'tsc'), '-p', 'tsconfig.json'], this.folder);
    for (const file of files) await this.#rename(join(this.folder, file.replace(/\.ts$/, '.js')));
    return outcome;
  }

  /** Finds a port for the programs of a page. */
  async prepare({ name }: Page): Promise<Run> {
    const folder = join(this.folder, name);
    const port = await freePort();
    return {
      folder,
      port,
      start: (file) =>
        node(['--import', MOVED_PORT, file.replace(/\.ts$/, '.js')], folder, { TASKDIST_GUIDE_PORT: String(port) }),
    };
  }

  /** The compiler does so in imports, but not in the URLs of threads. */
  async #rename(compiled: string): Promise<void> {
    const code = await readFile(compiled, 'utf8');
    await writeFile(compiled, code.replace(/(new URL\('.*?)\.ts'/g, "$1.js'"));
  }

  /**
   * The package as it was built, but for one thing: in Node it is one file, as to load its hundred modules anew for each
   * program would take most of the time. Whether it can be used as it is packed, the tests of the packaging say.
   */
  async #installLibrary(): Promise<void> {
    const { version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    const exports = {
      '.': { browser: './dist/browser.js', types: './dist/index.d.ts', default: './bundle/index.js' },
      './testing': { types: './dist/testing/index.d.ts', default: './bundle/testing.js' },
    };
    const manifest = { name: 'taskdist', version, type: 'module', sideEffects: false, exports };
    await this.#write('node_modules/taskdist/package.json', JSON.stringify(manifest));
    await this.#install('taskdist/dist', join(PROJECT, 'dist'));
    await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        ssr: true,
        rollupOptions: {
          input: {
            index: join(PROJECT, 'dist', 'index.js'),
            testing: join(PROJECT, 'dist', 'testing', 'index.js'),
          },
        },
        outDir: join(this.folder, 'node_modules/taskdist/bundle'),
        emptyOutDir: true,
      },
      ssr: { noExternal: true },
    });
  }

  async #install(name: string, from: string): Promise<void> {
    const link = join(this.folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(from, link, 'junction');
  }

  async #write(path: string, content: string): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function node(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const closed: Promise<[number | null, NodeJS.Signals]> = once(child, 'close') as never;
  const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code: code ?? signal, stdout, stderr };
}
