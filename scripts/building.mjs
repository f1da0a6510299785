// Builds the library, the demo and the bench, with its page, each only when something it is made from has changed.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, projectRoot, runNode } from './child.mjs';
import { fingerprint } from './fingerprint.mjs';
import { alone } from './turns.mjs';

/** @typedef {{ name: string; output: string; inputs: string[]; command: () => string[] }} Target */

const SHARED_INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/building.mjs'];

/** In order: the demo's server and the bench are type-checked against the built library. @type {Target[]} */
const TARGETS = [
  {
    name: 'library',
    output: 'dist',
    inputs: [...SHARED_INPUTS, 'src'],
    command: () => [commandOf('typescript', 'tsc'), '-p', 'src/tsconfig.json'],
  },
  {
    name: 'demo server',
    output: 'dist-demo/server',
    inputs: [...SHARED_INPUTS, 'src', 'demo'],
    command: () => [commandOf('typescript', 'tsc'), '-p', 'demo/tsconfig.build.json'],
  },
  {
    name: 'demo page',
    output: 'dist-demo/page',
    inputs: [...SHARED_INPUTS, 'src', 'demo', 'vite.config.ts'],
    command: () => [commandOf('vite'), 'build', '--logLevel', 'warn'],
  },
  {
    name: 'bench',
    output: 'dist-bench',
    // Not all of bench: its results lie there too.
    inputs: [
      ...SHARED_INPUTS,
      'src',
      ...['tsconfig.build.json', 'main.ts', 'parts.ts', 'harness', 'parts', 'plots', 'processes'].map(
        (name) => `bench/${name}`,
      ),
    ],
    command: () => [commandOf('typescript', 'tsc'), '-p', 'bench/tsconfig.build.json'],
  },
  {
    name: 'bench page',
    output: 'dist-bench-page',
    inputs: [...SHARED_INPUTS, 'src', 'demo', 'bench/page', 'bench/processes'],
    command: () => [commandOf('vite'), 'build', '--config', 'bench/page/vite.config.ts', '--logLevel', 'warn'],
  },
];

/**
 * Brings every target up to date, or ends this process: the compiler has said why.
 *
 * @param {string[]} [names] of the targets to look at, all by default
 */
export async function ensureBuilt(names) {
  if (!(await build(names))) process.exit(1);
}

/**
 * Brings every target up to date.
 *
 * @param {string[]} [names] of the targets to look at, all by default
 * @returns whether it could: the first target that fails ends the build, after the compiler has said why
 */
export async function build(names = TARGETS.map(({ name }) => name)) {
  for (const target of TARGETS) {
    if (names.includes(target.name) && !(await buildTarget(target))) return false;
  }
  return true;
}

/** @param {Target} target */
async function buildTarget(target) {
  // Another may build it while we wait for our turn.
  return isBuilt(target) || alone(async () => isBuilt(target) || makeTarget(target));
}

/** @param {Target} target */
function isBuilt(target) {
  const stamp = stampOf(target);
  return (
    existsSync(stamp) && readFileSync(stamp, 'utf8') === `${fingerprint(target.inputs)} ${fingerprint([target.output])}`
  );
}

/** Says what the target was made from, and what came of it. @param {Target} target */
function stampOf({ name }) {
  return join(projectRoot, '.cache', `built-${name.replace(' ', '-')}`);
}

/** @param {Target} target */
async function makeTarget(target) {
  const { name, output, inputs, command } = target;
  const stamp = stampOf(target);
  const wanted = fingerprint(inputs);
  console.error(`Building the ${name}…`);
  // What no longer has a source must not stay behind, and a build cut short must not pass for a finished one.
  rmSync(stamp, { force: true });
  rmSync(join(projectRoot, output), { recursive: true, force: true });
  const { ok, how } = await runNode(command(), { isPreparation: true });
  if (!ok) {
    console.error(`Building the ${name} ${how}.`);
    return false;
  }
  mkdirSync(join(projectRoot, '.cache'), { recursive: true });
  writeFileSync(stamp, `${wanted} ${fingerprint([output])}`);
  return true;
}
