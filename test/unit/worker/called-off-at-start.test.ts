import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { Executor } from '../../../src/worker/executor.ts';
import type { AddedAttempt } from '../../../src/worker/run.ts';

describe('an attempt that is called off by who is told that it starts', () => {
  it('is over at once, its handler is not called, and the next one runs', async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const handler = { doTask: (task: string) => log.push(`run ${task}`) };
    const executor = new Executor<string, number>(handler, clock, 1, 60_000, { broken() {}, slotFreed() {} });
    const cancels = new Map<string, AddedAttempt>();
    const add = (task: string, started: () => void): void => {
      const ended = ({ kind }: { kind: string }): void => void log.push(`${task} ${kind}`);
      cancels.set(task, executor.add({ key: task, attempt: 1, task, started, progressed() {}, ended }));
    };
    executor.setConcurrency(0);
    add('a', () => cancels.get('a')?.cancel('not now'));
    add('b', () => {});
    executor.setConcurrency(1);
    await clock.settle();
    expect(log).toEqual(['a released', 'run b', 'b done']);
    expect(clock.pendingTimers).toBe(0);
  });
});
