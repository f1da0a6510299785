// Runs the simulation of test/simulation in processes of its own, whole or with a piece of the library replaced.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from './child.mjs';

/** A seed takes a tenth of a second: one that takes so long does not end. */
const TIME_LIMIT_MS = 20_000;
const CACHE = join(projectRoot, '.cache', 'simulation');

/** @typedef {{ file: string; from: string; to: string }} Replacement of a text that stands in that file just once */
/**
 * @typedef {{ seed: number; hash: string; virtualMs: number; steps: number; messages: number; puts: number;
 *   faults: Record<string, number>; sessions: Record<string, number> }} Life
 */
/** @typedef {{ seed: number; life?: Life; failure?: string; rule?: string }} Report */

/**
 * One file of all that a process needs to live seeds.
 *
 * @param {string} name of the file
 * @param {Replacement[]} [replacements] what of the library is another than it is
 * @returns {Promise<string>} its path
 */
export async function bundleSimulation(name, replacements = []) {
  // Late, when everything is installed.
  const { build } = await import('vite');
  const left = new Set(replacements);
  mkdirSync(CACHE, { recursive: true });
  await build({
    configFile: false,
    logLevel: 'warn',
    root: projectRoot,
    build: {
      ssr: join(projectRoot, 'test/simulation/runner.ts'),
      outDir: CACHE,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      rollupOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
    plugins: [
      {
        name: 'replacements',
        enforce: 'pre',
        transform(code, id) {
          const file = relative(projectRoot, id).replaceAll('\\', '/');
          let replaced = code;
          for (const replacement of replacements) {
            if (replacement.file !== file) continue;
            left.delete(replacement);
            replaced = replaceOnce(replaced, replacement);
          }
          return { code: replaced, map: null };
        },
      },
    ],
  });
  for (const { file } of left) throw new Error(`${file} is no part of the simulation`);
  return join(CACHE, `${name}.mjs`);
}

/**
 * @param {string} code
 * @param {Replacement} replacement
 */
function replaceOnce(code, { file, from, to }) {
  const count = code.split(from).length - 1;
  if (count !== 1) throw new Error(`In ${file} stands ${count} times, rather than once:\n${from}`);
  return code.replace(from, () => to);
}

/**
 * Lives seeds in as many processes as there are cores.
 *
 * @param {string} bundle
 * @param {Iterable<number>} seeds
 * @param {(report: Report) => boolean} onReport returns false when it has seen enough
 * @param {number} [processes]
 */
export async function liveSeeds(bundle, seeds, onReport, processes = availableParallelism()) {
  const next = seeds[Symbol.iterator]();
  let isEnough = false;
  const one = async () => {
    for (;;) {
      // A process that ends by a mistake of the library is followed by another.
      const isOver = await liveInProcess(
        bundle,
        () => (isEnough ? undefined : next.next().value),
        (report) => {
          if (!onReport(report)) isEnough = true;
        },
      );
      if (isOver) return;
    }
  };
  await Promise.all(Array.from({ length: processes }, one));
}

/**
 * @param {string} bundle
 * @param {() => number | undefined} nextSeed
 * @param {(report: Report) => void} onReport
 * @returns {Promise<boolean>} whether there is no seed left
 */
function liveInProcess(bundle, nextSeed, onReport) {
  return new Promise((resolve) => {
    /** @type {number | undefined} */
    let seed = nextSeed();
    if (seed === undefined) {
      resolve(true);
      return;
    }
    const child = spawn(process.execPath, ['--enable-source-maps', bundle], { stdio: ['pipe', 'pipe', 'inherit'] });
    // One that has ended reads nothing more; its end tells.
    child.stdin.on('error', () => {});
    child.stdin.write(`${seed}\n`);
    let timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      onReport(JSON.parse(line));
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
      seed = nextSeed();
      if (seed === undefined) child.stdin.end();
      else child.stdin.write(`${seed}\n`);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      // What was given to a process that had reported its own end is lived by the next.
      const lost = seed;
      if (lost === undefined || code === 1) {
        resolve(seed === undefined);
        return;
      }
      onReport({ seed: lost, failure: `Seed ${lost}: the process ended with ${signal ?? code}`, rule: 'it ends' });
      resolve(false);
    });
  });
}
