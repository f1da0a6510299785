// Reads how many tests passed, failed and were skipped out of the test runners' JSON reports.

import { existsSync, readFileSync } from 'node:fs';

/** @typedef {{ passed: number; failed: number; skipped: number }} Counts */
/** @typedef {{ status: string; assertionResults: { status: string }[] }} VitestFile */

/**
 * @param {string} path of a report by Vitest's JSON reporter
 * @returns {Counts | undefined} undefined where there is no report
 */
export function readVitestReport(path) {
  const report = readReport(path);
  if (!report) return undefined;
  // A file that cannot be loaded, or set up, fails without a failed test: it counts as one here.
  const brokenFiles = report.testResults.filter(
    (/** @type {VitestFile} */ { status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * @param {string} path of a report by Playwright's JSON reporter
 * @returns {Counts | undefined} undefined where there is no report
 */
export function readPlaywrightReport(path) {
  const report = readReport(path);
  if (!report) return undefined;
  const { expected, unexpected, flaky, skipped } = report.stats;
  // A test that passed only on a second try has failed once.
  return { passed: expected, failed: unexpected + flaky, skipped };
}

/** @param {string} path */
function readReport(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
