// The scheduler on the real clock.
import { systemClock, systemRandom } from './platform/system.ts';
import { FifoScheduler as AnyFifoScheduler, type SchedulerEnvironment } from './scheduling/fifo-scheduler.ts';
import type { FifoSchedulerOptions } from './scheduling/scheduler-options.ts';

/**
 * Keeps tasks in memory and hands them out by priority, and within one in the order in which they were put. A task that a
 * worker loses, rejects, fails or runs out of time on goes back to its original place. Tasks may be put before a master
 * serves them.
 *
 * `R` is the type of all results; or, if tasks of different `type` have different ones, a `ResultMap`.
 */
export class FifoScheduler<T, R> extends AnyFifoScheduler<T, R> {
  /**
   * The second parameter is for simulations; leave it out.
   * @throws InvalidOptionError
   */
  constructor(
    options: FifoSchedulerOptions = {},
    environment: SchedulerEnvironment = { clock: systemClock, random: systemRandom },
  ) {
    super(options, environment);
  }
}
