// What a scheduler counts.
import { type DurationSummary, Histogram } from '../histogram.ts';
import { RateMeter } from '../rate.ts';
import type { TaskOutcome } from './events.ts';

/** How a scheduler stands. All times are in milliseconds. */
export interface SchedulerStats {
  /** How many tasks wait for a worker; among them those that are verified, have one, and wait for another. */
  readonly queued: number;
  /** How many tasks wait for their `delay`, or for the backoff after a failure, to be over. */
  readonly delayed: number;
  /** How many tasks are with a worker, or with all those they want: running, or next in line there. */
  readonly leased: number;
  /** How many tasks of maps wait for room, as there are `maxTasks` others. */
  readonly held: number;
  /** How many attempts run, those of several at one task included. */
  readonly running: number;
  /** How many of the queued tasks no connected worker can take. */
  readonly unmatched: number;
  /** How long the queued task that has waited longest has been ready to be taken; 0 if there is none. */
  readonly oldestWait: number;
  /** How many tasks are done per second, over the last ten seconds or so. */
  readonly rate: number;
  /** Since the scheduler was made. */
  readonly total: SchedulerTotals;
  /** How long attempts waited, from when their task was ready until they started. */
  readonly waitTime: DurationSummary;
  /** How long attempts ran that gave a result. */
  readonly runTime: DurationSummary;
}

/** How much there has been since the scheduler was made. */
export interface SchedulerTotals extends Readonly<Record<TaskOutcome, number>> {
  /** Tasks put; those who came to share one, by its `idempotencyKey`, are not counted. */
  readonly put: number;
  /** Attempts that failed, by an error or by a timeout. */
  readonly failures: number;
  /** Attempts that were lost with their worker. */
  readonly losses: number;
  /** Attempts that a worker rejected. */
  readonly rejections: number;
  /** Leases that were taken back before they had started, as another worker was idle, or the master drains. */
  readonly recalled: number;
  /** Second attempts at tasks that took long. */
  readonly speculated: number;
  /** Those of them that were first with a result. */
  readonly speculatedFirst: number;
  /** Results that were accepted unchecked, where others are verified, as their worker is trusted. */
  readonly trusted: number;
  /** Results that agreed with none that was there. */
  readonly disputed: number;
  /** How often a worker's result was not what a quorum agreed on. */
  readonly distrusted: number;
  /** Results that were discarded for that. */
  readonly discarded: number;
}

/** Over how long the rate is averaged. */
const RATE_WINDOW_MS = 10_000;

/** Counts and times. */
export class Statistics {
  readonly total: { -readonly [Name in keyof SchedulerTotals]: number } = {
    put: 0,
    done: 0,
    deadLetter: 0,
    aborted: 0,
    expired: 0,
    unsendable: 0,
    noQuorum: 0,
    stopped: 0,
    failures: 0,
    losses: 0,
    rejections: 0,
    recalled: 0,
    speculated: 0,
    speculatedFirst: 0,
    trusted: 0,
    disputed: 0,
    distrusted: 0,
    discarded: 0,
  };
  readonly waitTime = new Histogram();
  readonly runTime = new Histogram();
  readonly rate: RateMeter;

  constructor(nowMs: number) {
    this.rate = new RateMeter(RATE_WINDOW_MS, nowMs);
  }

  /** All of it as it is now. */
  summary(nowMs: number): Pick<SchedulerStats, 'rate' | 'total' | 'waitTime' | 'runTime'> {
    return {
      rate: this.rate.perSecond(nowMs),
      total: { ...this.total },
      waitTime: this.waitTime.summary(),
      runTime: this.runTime.summary(),
    };
  }
}
