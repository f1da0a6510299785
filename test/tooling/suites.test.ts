// How a suite's result comes about: a crash must not pass for a success.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { countedSuite } from '../../scripts/suites.mjs';

const NAME = 'a suite of the tests';
const ENDS_WELL = ['-e', ''];
const CRASHES = ['-e', 'process.exit(7)'];

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('countedSuite', () => {
  it.each([
    [
      'counts what the report says',
      ENDS_WELL,
      { passed: 3, failed: 0, skipped: 1 },
      { passed: 3, failed: 0, skipped: 1 },
    ],
    ['counts failures once', CRASHES, { passed: 3, failed: 2, skipped: 0 }, { passed: 3, failed: 2, skipped: 0 }],
    [
      'counts a crash after tests that passed',
      CRASHES,
      { passed: 3, failed: 0, skipped: 0 },
      { passed: 3, failed: 1, skipped: 0 },
    ],
    ['counts a crash without a report', CRASHES, undefined, { passed: 0, failed: 1, skipped: 0 }],
    ['counts an end without a report as a failure', ENDS_WELL, undefined, { passed: 0, failed: 1, skipped: 0 }],
  ])('%s', async (_fact, args, report, counts) => {
    expect(
      await countedSuite(
        NAME,
        () => report,
        () => ({ args }),
      ).run({}),
    ).toEqual(counts);
  });

  it('says how it ended where no test tells', async () => {
    await countedSuite(
      NAME,
      () => undefined,
      () => ({ args: CRASHES }),
    ).run({});
    expect(console.error).toHaveBeenCalledWith(expect.stringContaining('ended with code 7'));
  });
});
