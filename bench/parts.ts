// All parts of the bench, in the order in which they run.
import type { Part } from './harness/part.ts';
import { throughput } from './parts/throughput.ts';

export const parts: readonly Part[] = [throughput];
