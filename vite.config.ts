// Builds the demo's page. It uses the library from source, as a user's bundler would from the package.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('./demo/page'),
  resolve: { alias: { taskdist: at('./src/browser.ts') } },
  build: {
    outDir: at('./dist-demo/page'),
    emptyOutDir: true,
    target: 'es2022',
    // On a busy machine a plugin looks slow, which is no news to whoever starts the demo.
    rolldownOptions: { checks: { pluginTimings: false, bundlerTimings: false } },
  },
  worker: { format: 'es' },
});
