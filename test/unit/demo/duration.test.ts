import { expect, it } from 'vitest';
import { formatDuration } from '../../../demo/page/duration.ts';

it.each([
  [0, '0 ms'],
  [0.04, '0 ms'],
  [0.26, '0.3 ms'],
  [3, '3 ms'],
  [9.94, '9.9 ms'],
  [9.96, '10 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [9940, '9.9 s'],
  [9960, '10 s'],
  [99_400, '99 s'],
  [99_600, '2 min'],
  [3_600_000, '60 min'],
])('formatDuration(%d) is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
