// How the runners' reports are counted.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPlaywrightReport, readVitestReport } from '../../scripts/reports.mjs';
import { inWords } from '../../scripts/running.mjs';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskdist-reports-'));
  path = join(folder, 'report.json');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('readVitestReport', () => {
  const totals = { numPassedTests: 3, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1 };

  it('counts todo tests among the skipped', async () => {
    await writeFile(path, JSON.stringify({ ...totals, testResults: [] }));
    expect(readVitestReport(path)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  it('counts a file that cannot be loaded, or set up, as one failure each', async () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'skipped' }] },
      { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] },
    ];
    await writeFile(path, JSON.stringify({ ...totals, testResults }));
    expect(readVitestReport(path)?.failed).toBe(3);
  });

  it('tells a missing report from an empty one', () => {
    expect(readVitestReport(path)).toBeUndefined();
  });
});

describe('readPlaywrightReport', () => {
  it('counts a flaky test as failed', async () => {
    await writeFile(path, JSON.stringify({ stats: { expected: 4, unexpected: 1, flaky: 1, skipped: 2 } }));
    expect(readPlaywrightReport(path)).toEqual({ passed: 4, failed: 2, skipped: 2 });
  });
});

describe('inWords', () => {
  it('mentions skipped tests only where there are any', () => {
    expect(inWords({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(inWords({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed, 2 skipped');
  });
});
