// How long a heap of tasks takes on workers of different speed, compared with what would be ideal.
import { describe, expect, it } from 'vitest';
import { Emitter } from '../../src/events.ts';
import { type MasterEvent, masterEventTypes } from '../../src/master/events.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { virtualEnvironment } from '../../src/testing/virtual-environment.ts';
import { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import type { WorkerOptions } from '../../src/worker/options.ts';
import { Worker } from '../../src/worker/worker.ts';
import { TestScheduler } from '../support/scheduler.ts';
import { createSessions } from '../support/sessions.ts';

const FAST = 5;
const TASKS = 2000;
/** How long a fast worker takes for a task; the slow one takes ten times as long. */
const TASK_MS = 100;
const SLOWNESS = 10;
/** Total work divided by total speed. */
const IDEAL_MS = (TASKS * TASK_MS) / (FAST + 1 / SLOWNESS);

/** What came of one run. */
interface Run {
  readonly makespanMs: number;
  readonly recalled: number;
  readonly speculated: number;
  /** How many tasks were run to no end, as another attempt was first. */
  readonly wasted: number;
}

/** How a worker computes: it waits for something, as for a sandbox's thread; or it keeps its own thread busy. */
type Way = 'waiting' | 'blocking';

async function run(speculate: boolean, way: Way, options: WorkerOptions<number> = {}): Promise<Run> {
  const clock = new VirtualClock();
  const scheduler = new TestScheduler<number, number>({ speculate }, clock);
  const events = new Emitter<MasterEvent<number>>(masterEventTypes);
  const limits = { taskTimeoutMs: 60_000, socketTimeoutMs: 30_000, helloTimeoutMs: 1000, maxFrameBytes: 65_536 };
  const sessions = createSessions(scheduler, clock, limits, events);
  let wasted = 0;
  events.on('attemptEnded', ({ outcome }) => {
    if (outcome === 'superseded') wasted += 1;
  });
  scheduler.open();
  const workers = Array.from({ length: FAST + 1 }, (_, index) => {
    const network = new VirtualNetwork({ latencyMs: 5 });
    network.listen(clock, (adopt) => sessions.accept(adopt));
    const durationMs = index === 0 ? TASK_MS * SLOWNESS : TASK_MS;
    const process = clock.createProcess();
    const doTask = (task: number): Promise<number> =>
      new Promise((resolve) => {
        if (way === 'blocking') process.stop();
        clock.setTimer(durationMs, () => {
          process.wake();
          resolve(task);
        });
      });
    const environment = virtualEnvironment({ clock: process, network });
    const worker = new Worker(doTask, { ...options, name: `w${index}` }, environment);
    void worker.start();
    return worker;
  });
  await clock.advance(100);
  const startedAtMs = clock.now();
  let done = 0;
  let endedAtMs = 0;
  for (let task = 0; task < TASKS; task += 1) {
    void scheduler.put(task).then(() => {
      done += 1;
      endedAtMs = clock.now();
    });
  }
  await clock.advanceUntil(() => done === TASKS, 'all tasks');
  const recalled = sessions.list().reduce((sum, worker) => sum + worker.recalled, 0);
  const { speculated } = scheduler.stats().total;
  const isOver = Promise.all([...workers.map((worker) => worker.stop()), sessions.endAll(1001, 'The end')]);
  await clock.advance(60_000);
  await isOver;
  return { makespanMs: endedAtMs - startedAtMs, recalled, speculated, wasted };
}

describe('five fast workers and one that is ten times slower', () => {
  it.each([
    ['waiting', { prefetch: 'auto' }],
    ['waiting', { prefetch: 10 }],
    ['blocking', { prefetch: 'auto' }],
    ['blocking', { prefetch: 10 }],
  ] as const)('take hardly longer than ideal: %s, %o', async (way, options) => {
    const plain = await run(false, way, options);
    const speculating = await run(true, way, options);
    const ratios = [plain, speculating].map(({ makespanMs }) => makespanMs / IDEAL_MS);
    console.info(
      `time / ideal, ${way}, with ${JSON.stringify(options)}: ${ratios.map((ratio) => ratio.toFixed(3)).join(', speculating ')}`,
    );
    // docs/architecture.md has the figures.
    expect(ratios[0]).toBeLessThan(1.03);
    expect(ratios[1]).toBeLessThan(1.01);
    // What waited at the slow worker when there was no more for the fast ones has moved to them.
    expect(plain.recalled).toBeGreaterThan(0);
    expect([plain.speculated, plain.wasted]).toEqual([0, 0]);
    // Only the last of the slow worker's tasks is worth a second attempt.
    expect([speculating.speculated, speculating.wasted]).toEqual([1, 1]);
  });
});
