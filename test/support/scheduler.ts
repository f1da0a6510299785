// The scheduler on a clock in the test's hands, and without chance: no backoff unless a test wants one.
import type { Random } from '../../src/ports.ts';
import { FifoScheduler, type FifoSchedulerOptions } from '../../src/scheduling/fifo-scheduler.ts';
import { VirtualClock } from './virtual-clock.ts';

export class TestScheduler<T, R> extends FifoScheduler<T, R> {
  readonly clock: VirtualClock;

  /** The shortest waits there are, unless `random` says otherwise. */
  constructor(options: FifoSchedulerOptions = {}, clock: VirtualClock = new VirtualClock(0), random: Random = () => 0) {
    super(options, { clock, random });
    this.clock = clock;
  }
}
