// Runs suites one after the other, failing or not, and prints what came of them.

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./reports.mjs').Counts} Counts */

/**
 * Sets the exit code to 1 if anything failed. The last line printed is the sum, alone: `12 passed, 0 failed`.
 *
 * One at a time on purpose: the suites that take long use every core by themselves, and tests with time limits of
 * their own would become flaky beside another.
 *
 * @param {Suite[]} suites
 * @param {Record<string, string>} [env] added to the environment of each
 */
export async function runSuites(suites, env = {}) {
  const startedAt = performance.now();
  const lines = [];
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of suites) {
    console.log(`\n── ${suite.name} ──`);
    const suiteStartedAt = performance.now();
    const counts = await suite.run(env);
    lines.push(
      `${counts.failed === 0 ? '✓' : '✗'} ${suite.name.padEnd(18)} ${seconds(suiteStartedAt)}  ${inWords(counts)}`,
    );
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
  }
  console.log(`\n${lines.join('\n')}\n  ${'in all'.padEnd(18)} ${seconds(startedAt)}\n`);
  console.log(inWords(sum));
  process.exitCode = sum.failed === 0 ? 0 : 1;
}

/** @param {Counts} counts */
export function inWords({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** @param {number} startedAt */
function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s`;
}
