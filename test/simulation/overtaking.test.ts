// Workers whose handlers take tasks ahead into several lanes, as a sandbox does into its threads: some overtake others there.
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Ahead, type AheadHandler, ahead, type HandedAttempt } from '../../src/ahead.ts';
import type { Clock, Random } from '../../src/ports.ts';
import { integerBelow, seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualCluster } from '../support/virtual-cluster.ts';

const TIMEOUT_MS = 200;
/** A task takes no longer; the rest is for the way to the worker, and for how long it may seem to run and wait. */
const MAX_TASK_MS = 100;
/** A lane that runs the same task for so long gives back what is behind it, and as much later at most. */
const STALL_MS = 5;
const ROOM = 8;

/** Takes tasks, which say how long they run, into so many lanes. Each tells of its progress as it starts. */
class Lanes implements AheadHandler<number, null> {
  readonly #clock: Clock;
  readonly #lanes: HandedAttempt[][];
  readonly [ahead]: Ahead;

  constructor(clock: Clock, count: number) {
    this.#clock = clock;
    this.#lanes = Array.from({ length: count }, () => []);
    this[ahead] = {
      capacity: (concurrency) => concurrency * ROOM,
      hand: (attempt) => this.#hand(attempt),
    };
  }

  doTask(): never {
    throw new Error('It takes tasks ahead');
  }

  #hand(attempt: HandedAttempt): { withdraw(): void; abort(): void } {
    const [shortest = []] = [...this.#lanes].sort((a, b) => a.length - b.length);
    shortest.push(attempt);
    if (shortest.length === 1) this.#startFirst(shortest);
    // The way out of a lane takes no time.
    const withdraw = (): void => {
      if (shortest.indexOf(attempt) > 0) this.#giveBack([attempt]);
    };
    return { withdraw, abort: withdraw };
  }

  #startFirst(lane: HandedAttempt[]): void {
    const [first] = lane;
    if (first === undefined) return;
    const durationMs = Number(first.task);
    this.#clock.setTimer(durationMs, () => {
      lane.shift();
      const isEmpty = lane.length === 0;
      first.done(null, durationMs);
      // What was handed to an empty lane meanwhile has started.
      if (!isEmpty) this.#startFirst(lane);
    });
    this.#clock.setTimer(STALL_MS, () => {
      if (lane[0] === first) this.#giveBack(this.#lanes.flatMap(([, ...behind]) => behind));
    });
    first.started();
    first.progressed('started');
  }

  /** The oldest last. */
  #giveBack(attempts: readonly HandedAttempt[]): void {
    for (const attempt of [...attempts].sort((a, b) => sequenceOf(b) - sequenceOf(a))) {
      for (const lane of this.#lanes) if (lane.indexOf(attempt) > 0) lane.splice(lane.indexOf(attempt), 1);
      attempt.returned();
    }
  }
}

/** A key is the number of its task, in base 36. */
function sequenceOf({ key }: HandedAttempt): number {
  return Number.parseInt(key, 36);
}

function drawMs(random: Random): number {
  return integerBelow(random, 20) === 0 ? integerBelow(random, MAX_TASK_MS) : integerBelow(random, 3);
}

describe('workers whose lanes get through more or less of what was sent ahead', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))('are told of in full: seed %i', async (seed) => {
    const random = seededRandom(seed);
    const cluster = new VirtualCluster<number, null>({ timeout: TIMEOUT_MS });
    onTestFinished(() => cluster.stop());
    const { clock, scheduler, events, workers } = cluster;
    const tally = { put: 0, started: 0, done: 0, returned: 0, progress: 0 };
    const wrong: string[] = [];
    const underWay = new Set<string>();
    events.on('attemptStarted', ({ worker, key }) => {
      if (underWay.has(`${worker.id} ${key}`)) wrong.push(`${key} started twice at ${worker.id}`);
      underWay.add(`${worker.id} ${key}`);
      tally.started += 1;
    });
    events.on('attemptEnded', ({ worker, key, outcome }) => {
      if (!underWay.delete(`${worker.id} ${key}`)) wrong.push(`${key} ended at ${worker.id}, and had not started`);
      if (outcome === 'done' || outcome === 'returned') tally[outcome] += 1;
      else wrong.push(`${key} ${outcome}`);
    });
    for (const count of [2, 3]) {
      cluster.add(new Lanes(clock, count), { concurrency: count, prefetch: 64 }, 1 + integerBelow(random, 5));
    }
    await clock.advance(1000);
    for (let step = 0; step < 100; step += 1) {
      for (let count = integerBelow(random, 40); count > 0; count -= 1) {
        tally.put += 1;
        const onProgress = (): void => {
          tally.progress += 1;
        };
        void scheduler.put(drawMs(random), { onProgress });
      }
      const [worker] = workers;
      if (integerBelow(random, 10) === 0) worker?.setConcurrency(1 + integerBelow(random, 2));
      await clock.advance(integerBelow(random, 40));
    }
    await clock.advanceUntil(() => scheduler.stats().total.done === tally.put, 'all tasks', 600_000);
    await clock.settle();
    const { runTime } = scheduler.stats();
    expect([wrong, [...underWay], tally.done, runTime.count]).toEqual([[], [], tally.put, tally.put]);
    expect([tally.progress, tally.started]).toEqual([tally.put, tally.done + tally.returned]);
  });
});
