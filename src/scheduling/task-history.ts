// What has become of a task so far, if more than nothing: failures, losses, rejections, votes, and until when it rests.
import type { AttemptFailure } from '../errors.ts';
import type { Verification } from './verification.ts';

/** Of so many attempts at most the errors are kept: the last ones. Each may hold a stack of several kilobytes. */
const MAX_FAILURES = 32;

const NOBODY: ReadonlySet<string> = new Set();

/** The attempts that failed, or were lost with their workers, and who declined. What was given back leaves no trace. */
export class TaskHistory<R> {
  /** How many failed. */
  failed = 0;
  /** How many were lost. */
  lost = 0;
  /** The highest number of one of them. */
  lastAttempt = 0;
  /** The last ones of them. */
  readonly failures: AttemptFailure[] = [];
  /** When the task's delay, or the backoff after its last failure, is over. */
  restsUntilMs = 0;
  /** The ids of the holders that rejected the task. Replaced, never changed, as lanes keep it. */
  refusedBy = NOBODY;
  /** Who has given which result; there once it is verified. */
  verification: Verification<R> | undefined = undefined;

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

  noteRefusal(holderId: string): void {
    this.refusedBy = new Set(this.refusedBy).add(holderId);
  }

  keepRefusals(isKept: (holderId: string) => boolean): void {
    const kept = [...this.refusedBy].filter(isKept);
    if (kept.length < this.refusedBy.size) this.refusedBy = kept.length === 0 ? NOBODY : new Set(kept);
  }
}
