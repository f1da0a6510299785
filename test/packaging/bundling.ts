// Bundles a page of the consumer with Vite, as its author would, and keeps what there is to know about the result.

import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build, type Plugin, type Rollup } from 'vite';

export interface Bundle {
  /** The page's own scripts. */
  page: string;
  /** The scripts of its Web Workers. */
  threads: string;
  /** Every module that went into it. */
  modules: string[];
  /** Compressed size of the page's own scripts. */
  brotliBytes: number;
}

export async function bundle(root: string): Promise<Bundle> {
  const modules: string[] = [];
  const recorder = (): Plugin => ({ name: 'recorder', moduleParsed: ({ id }) => void modules.push(id) });
  const output = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    // Vite's own polyfill for preloading is no part of what is measured.
    build: { outDir: join(root, 'dist'), reportCompressedSize: false, modulePreload: { polyfill: false } },
    plugins: [recorder()],
    worker: { format: 'es', plugins: () => [recorder()] },
  });
  const files = (output as Rollup.RollupOutput).output;
  const chunks = files.filter((file) => file.type === 'chunk').map((chunk) => chunk.code);
  const threads = files
    .filter((file) => file.type === 'asset' && file.fileName.endsWith('.js'))
    .map((file) => String((file as Rollup.OutputAsset).source));
  return {
    page: chunks.join('\n'),
    threads: threads.join('\n'),
    modules,
    brotliBytes: chunks.reduce((sum, code) => sum + brotliCompressSync(code).byteLength, 0),
  };
}
