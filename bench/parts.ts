// All parts of the bench, in the order in which they run.
import type { Part } from './harness/part.ts';
import { binary } from './parts/binary.ts';
import { browser } from './parts/browser.ts';
import { endurance } from './parts/endurance.ts';
import { granularity } from './parts/granularity.ts';
import { growth } from './parts/growth.ts';
import { latency } from './parts/latency.ts';
import { memory } from './parts/memory.ts';
import { sandbox } from './parts/sandbox.ts';
import { scale } from './parts/scale.ts';
import { throughput } from './parts/throughput.ts';

export const parts: readonly Part[] = [
  throughput,
  sandbox,
  latency,
  granularity,
  binary,
  memory,
  endurance,
  growth,
  scale,
  browser,
];
