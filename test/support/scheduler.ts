// The scheduler on a clock in the test's hands, and without chance: no backoff unless a test wants one.
import { TaskdistError } from '../../src/errors.ts';
import type { Random } from '../../src/ports.ts';
import type { SchedulerEvent } from '../../src/scheduling/events.ts';
import { FifoScheduler } from '../../src/scheduling/fifo-scheduler.ts';
import type { FifoSchedulerOptions } from '../../src/scheduling/scheduler-options.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { type HolderOptions, TestHolder } from './holders.ts';

export class TestScheduler<T, R> extends FifoScheduler<T, R> {
  readonly clock: VirtualClock;

  /** The shortest waits there are, unless `random` says otherwise. */
  constructor(options: FifoSchedulerOptions = {}, clock: VirtualClock = new VirtualClock(0), random: Random = () => 0) {
    super(options, { clock, random });
    this.clock = clock;
  }
}

/** With what a lease is released whose worker is gone. */
export const lost = { kind: 'lost', error: new TaskdistError('TASKDIST_WORKER_LOST', 'gone') } as const;

/** An open scheduler, how to make holders, and what it tells. */
export function openScheduler(options: FifoSchedulerOptions = {}, random?: Random) {
  const scheduler = new TestScheduler<unknown, unknown>(options, undefined, random);
  scheduler.open();
  const events: SchedulerEvent<unknown>[] = [];
  for (const type of [
    'unmatched',
    'retrying',
    'speculated',
    'resultDisputed',
    'workerDistrusted',
    'settled',
  ] as const) {
    scheduler.on(type, (event) => events.push(event));
  }
  const holder = (id: string, options?: readonly string[] | HolderOptions) => new TestHolder(scheduler, id, options);
  return { scheduler, clock: scheduler.clock, holder, events };
}
