// Builds the bench's page. It uses the library from source, as a user's bundler would from the package.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('.'),
  resolve: { alias: { taskdist: at('../../src/browser.ts') } },
  build: {
    outDir: at('../../dist-bench-page'),
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { checks: { pluginTimings: false, bundlerTimings: false } },
  },
  worker: { format: 'es' },
});
