// What the bench runs on.
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Machine } from './results.ts';

export function machine(): Machine {
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  };
}
