// The suites that tests and checks are made of: what each runs, and how its result is counted.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './building.mjs';
import { commandOf, projectRoot, runNode } from './child.mjs';
import { readPlaywrightReport, readVitestReport } from './reports.mjs';

/** @typedef {import('./reports.mjs').Counts} Counts */
/** @typedef {{ name: string; run: (env: Record<string, string>) => Promise<Counts> }} Suite */

const REPORTS = join(projectRoot, '.cache', 'reports');
/** A suite that hangs is stopped and counted as failed, so that the others still have their say. */
const TIME_LIMIT_MS = 10 * 60_000;

/** @type {Suite} */
export const theBuild = { name: 'build', run: async () => yesOrNo(await build()) };

export const formatAndLint = tool('format and lint', () => [
  commandOf('@biomejs/biome', 'biome'),
  'check',
  '--error-on-warnings',
]);

export const types = tool('types', () => [commandOf('typescript', 'tsc'), '--noEmit', '-p', 'tsconfig.json']);

/**
 * @param {string} name
 * @param {string} project of vitest.config.ts
 * @param {string[]} folders which of its tests to run, all when empty
 * @param {string[]} flags further ones for vitest
 * @param {number} [timeLimitMs]
 * @returns {Suite}
 */
export function vitest(name, project, folders = [], flags = [], timeLimitMs = TIME_LIMIT_MS) {
  return countedSuite(name, readVitestReport, (report) => ({
    timeLimitMs,
    args: [
      commandOf('vitest'),
      'run',
      ...folders,
      ...flags,
      `--project=${project}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
  }));
}

/**
 * @param {string} name
 * @param {string} config
 * @returns {Suite}
 */
export function playwright(name, config) {
  return countedSuite(name, readPlaywrightReport, (report) => ({
    args: [commandOf('@playwright/test', 'playwright'), 'test', `--config=${config}`, '--reporter=list,json'],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report },
  }));
}

/**
 * @param {string} name
 * @param {() => string[]} args looked up late, when the tool is installed
 * @returns {Suite}
 */
function tool(name, args) {
  return {
    name,
    run: async (env) => {
      const { ok } = await runNode(args(), { env, timeLimitMs: TIME_LIMIT_MS });
      return yesOrNo(ok);
    },
  };
}

/**
 * What knows no single tests counts as one.
 *
 * @param {boolean} ok
 * @returns {Counts}
 */
function yesOrNo(ok) {
  return { passed: Number(ok), failed: Number(!ok), skipped: 0 };
}

/**
 * @param {string} name
 * @param {(report: string) => Counts | undefined} read
 * @param {(report: string) => { args: string[]; env?: Record<string, string>; timeLimitMs?: number }} command
 * @returns {Suite}
 */
export function countedSuite(name, read, command) {
  return {
    name,
    run: async (env) => {
      const report = join(REPORTS, `${name.replaceAll(' ', '-')}.json`);
      mkdirSync(REPORTS, { recursive: true });
      // The report of an earlier run must not speak for one that crashes.
      rmSync(report, { force: true });
      const { args, env: own, timeLimitMs = TIME_LIMIT_MS } = command(report);
      const { ok, how } = await runNode(args, { env: { ...env, ...own }, timeLimitMs });
      const counts = read(report);
      if (counts && (ok || counts.failed > 0)) return counts;
      console.error(`${name} ${how || 'ended without a report'}, though no test of it failed.`);
      return { passed: 0, skipped: 0, ...counts, failed: 1 };
    },
  };
}
