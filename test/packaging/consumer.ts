// A project of somebody else, outside this repository, with the packed package installed: made once for all tests.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { commandOf } from '../../scripts/child.mjs';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = fileURLToPath(new URL('./fixtures', import.meta.url));
/** A program that has not ended by then never will. */
const TIME_LIMIT_MS = 30_000;

const execute = promisify(execFile);

export interface Outcome {
  /** 0 for an end by itself without an error. */
  code: number | string;
  stdout: string;
  stderr: string;
}

export class Consumer {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Packs the library, and installs it with its dependencies in a new folder that has nothing else. */
  static async create(): Promise<Consumer> {
    const parent = await mkdtemp(join(tmpdir(), 'taskdist-packaging-'));
    const folder = join(parent, 'consumer');
    await cp(FIXTURES, folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
    await npm(['pack', '--pack-destination', parent], PROJECT);
    const tarball = (await readdir(parent)).find((name) => name.endsWith('.tgz'));
    if (tarball === undefined) throw new Error('npm pack left no tarball');
    await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', `../${tarball}`], folder);
    return new Consumer(folder);
  }

  async dispose(): Promise<void> {
    await rm(join(this.folder, '..'), { recursive: true, force: true });
  }

  /** Writes a file of the project, in a folder that may be new. */
  async write(path: string, content: string): Promise<void> {
    await mkdir(join(this.folder, path, '..'), { recursive: true });
    await writeFile(join(this.folder, path), content);
  }

  /** Type-checks, or compiles to `outDir`, with the strictest settings a user may have. */
  compile(files: string[], options: Record<string, unknown>): Promise<Outcome> {
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022', 'DOM'],
      types: [],
      strict: true,
      skipLibCheck: false,
      noEmit: options['outDir'] === undefined,
      ...options,
    };
    const config = `tsconfig.${crypto.randomUUID()}.json`;
    return this.write(config, JSON.stringify({ compilerOptions, files })).then(() =>
      this.node([commandOf('typescript', 'tsc'), '-p', config]),
    );
  }

  /** Runs Node in the project's folder. */
  async node(args: string[]): Promise<Outcome> {
    try {
      const { stdout, stderr } = await execute(process.execPath, args, { cwd: this.folder, timeout: TIME_LIMIT_MS });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, signal, stdout, stderr } = error as Outcome & { signal?: string };
      return { code: signal ?? code, stdout, stderr };
    }
  }
}

async function npm(args: string[], cwd: string): Promise<void> {
  const script = process.env['npm_execpath'];
  try {
    // Started by npm, this very npm; else the one on the PATH.
    if (script?.endsWith('.js')) await execute(process.execPath, [script, ...args], { cwd });
    else await execute('npm', args, { cwd, shell: process.platform === 'win32' });
  } catch (error) {
    const { stdout, stderr } = error as Outcome;
    throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
