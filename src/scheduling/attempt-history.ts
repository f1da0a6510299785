// What is known of a task's attempts that have ended without a result.
import type { AttemptFailure } from '../errors.ts';

/** Of so many attempts at most the errors are kept: the last ones. Each may hold a stack of several kilobytes. */
const MAX_FAILURES = 32;

/** The attempts that failed, or were lost with their workers. Those that were given back leave no trace. */
export class AttemptHistory {
  /** How many failed. */
  failed = 0;
  /** How many were lost. */
  lost = 0;
  /** The highest number of one of them. */
  lastAttempt = 0;
  /** The last ones of them. */
  readonly failures: AttemptFailure[] = [];

  /** How many have ended so. */
  get count(): number {
    return this.failed + this.lost;
  }

  /** An attempt has failed, or was lost. */
  note(how: 'failed' | 'lost', failure: AttemptFailure): void {
    this[how] += 1;
    this.lastAttempt = Math.max(this.lastAttempt, failure.attempt);
    this.failures.push(failure);
    if (this.failures.length > MAX_FAILURES) this.failures.shift();
  }
}
