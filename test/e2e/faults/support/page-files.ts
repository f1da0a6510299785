// Bundles the tests' page, as its author would; nothing is written.

import { fileURLToPath } from 'node:url';
import { build, type Rollup } from 'vite';

/** What a server answers, by path. */
export type PageFiles = ReadonlyMap<string, { readonly type: string; readonly body: string | Uint8Array }>;

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export async function bundlePage(): Promise<PageFiles> {
  const output = await build({
    root: at('../page'),
    configFile: false,
    logLevel: 'silent',
    resolve: { alias: { taskdist: at('../../../../src/browser.ts') } },
    build: { write: false, target: 'es2022', reportCompressedSize: false },
    worker: { format: 'es' },
  });
  return new Map(
    (output as Rollup.RollupOutput).output.map((file) => [
      file.fileName === 'index.html' ? '/' : `/${file.fileName}`,
      {
        type: file.fileName.endsWith('.html') ? 'text/html' : 'text/javascript',
        body: file.type === 'chunk' ? file.code : file.source,
      },
    ]),
  );
}
