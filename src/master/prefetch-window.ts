// How many leases a worker should hold beyond those it runs: as many as it could run while an answer and the next grant cross.
import type { Prefetch } from '../protocol/messages.ts';

/**
 * The window holds work for two round trips: what is needed for the worker never to wait is one (Little's law), and round
 * trips vary.
 */
const ROUND_TRIPS = 2;
/**
 * However short the round trip, the window holds work for so long: a frame takes either side some 20 µs, which tasks of that
 * length should share. To take that back is never worth a message.
 */
const MIN_WINDOW_MS = 2;
/**
 * A worker may wait for its next task if that takes no more than this share of the time that the task takes. By the longest
 * of the round trips that were measured of late: when a thousand workers are through at once, the last waits for the others.
 */
const NEGLIGIBLE_SHARE = 0.002;
/**
 * Beyond so many, more for a slot would not make it faster: that is enough for tasks of 0.2 ms behind a round trip of 100 ms, or
 * of 10 µs behind one of 5 ms. What lies about costs memory, and both sides time to sweep it up.
 */
const MAX_PER_SLOT = 1024;
const MAX_WINDOW = 4096;
/** As long as nobody knows anything: enough for the worker to be busy while it is found out. */
const FIRST_WINDOW = 1;
/**
 * The shortest of the last six to ten measurements counts, that is, of about as many seconds while tasks flow: a ping waits
 * behind all that is on its way, and of this there is the more, the larger the window is. A filter of the minimum keeps
 * the two from driving each other up, as in BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue 14(5),
 * 2016). It is the minimum of two spans: of the last one that is complete, of so many measurements, and of the one since.
 */
const SPAN = 5;
/** The weight of the latest measurement of the tasks' time, if it is longer than what was known. */
const LONGER_TASK_WEIGHT = 1 / 2;
/**
 * By how much the window grows at most from one round trip to the next: a round trip that was measured too long makes tasks
 * seem short, until the window is full and shows how long they are.
 */
const MAX_GROWTH = 4;

/**
 * Follows the round trip and the time of tasks, as the master sees both. A task that is granted to an idle slot is on its
 * way for a round trip, which is not counted as its time; so a worker that waits for tasks shows all the same how
 * many it could run.
 */
export class PrefetchWindow {
  /** What the worker asks for. */
  wanted: Prefetch;
  #roundTripMs: number | undefined = undefined;
  /** The shortest round trip of the span that is complete, and of the one since. */
  #lastSpanMs = Number.POSITIVE_INFINITY;
  #thisSpanMs = Number.POSITIVE_INFINITY;
  /** The longest, likewise. */
  #longestOfLastMs = 0;
  #longestOfThisMs = 0;
  /** How many measurements there are in this one. */
  #measured = 0;
  #taskMs: number | undefined = undefined;
  /** Since when the figures below count. */
  #sinceMs: number;
  /** How many attempts have ended, and how long they took, all of them added up. */
  #ended = 0;
  #endedMs = 0;
  #wasFull = false;

  constructor(wanted: Prefetch, nowMs: number) {
    this.wanted = wanted;
    this.#sinceMs = nowMs;
  }

  /** How long an answer takes if nothing is in its way, in milliseconds, as measured by pings. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** How long a task occupies a slot, on average, in milliseconds. */
  get taskMs(): number | undefined {
    return this.#taskMs;
  }

  /** A ping was answered, which may have lain unread at the worker for up to `heldMs` of that time. */
  noteRoundTrip(ms: number, heldMs = 0): void {
    const shortestMs = Math.max(0, ms - heldMs);
    const knownMs = this.#roundTripMs ?? shortestMs;
    // What is known may be right, if it is within what was measured.
    const measuredMs = Math.min(Math.max(knownMs, shortestMs), ms);
    this.#thisSpanMs = Math.min(this.#thisSpanMs, measuredMs);
    this.#longestOfThisMs = Math.max(this.#longestOfThisMs, measuredMs);
    this.#roundTripMs = Math.min(this.#lastSpanMs, this.#thisSpanMs);
    this.#measured += 1;
    if (this.#measured < SPAN) return;
    this.#lastSpanMs = this.#thisSpanMs;
    this.#thisSpanMs = Number.POSITIVE_INFINITY;
    this.#longestOfLastMs = this.#longestOfThisMs;
    this.#longestOfThisMs = 0;
    this.#measured = 0;
  }

  /** An attempt is over that had a slot since `startedAtMs`, if not all of that time at the worker. */
  noteEnd(grantedAtMs: number, startedAtMs: number, nowMs: number): void {
    const arrivedMs = Math.min(nowMs, grantedAtMs + (this.#roundTripMs ?? 0));
    this.#endedMs += nowMs - Math.max(startedAtMs, arrivedMs);
    this.#ended += 1;
  }

  /** The worker holds as many leases as it may. */
  noteFull(): void {
    this.#wasFull = true;
  }

  /** All that has ended by now was noted: reckons anew, if a round trip has passed. */
  reckon(nowMs: number): void {
    if (this.#ended === 0 || nowMs - this.#sinceMs < (this.#roundTripMs ?? 0)) return;
    this.#taskMs = this.#nextTaskMs(this.#endedMs / this.#ended);
    this.#sinceMs = nowMs;
    this.#ended = 0;
    this.#endedMs = 0;
    this.#wasFull = false;
  }

  /** How many leases it is, for a worker of this concurrency. */
  size(concurrency: number): number {
    if (this.wanted !== 'auto') return this.wanted;
    if (this.#roundTripMs === undefined || this.#taskMs === undefined) return FIRST_WINDOW;
    if (this.#longestMs <= this.#taskMs * NEGLIGIBLE_SHARE) return 0;
    const windowMs = Math.max(MIN_WINDOW_MS, ROUND_TRIPS * this.#roundTripMs);
    const perSlot = Math.min(MAX_PER_SLOT, windowMs / this.#taskMs);
    return Math.min(MAX_WINDOW, Math.ceil(concurrency * perSlot));
  }

  get #longestMs(): number {
    return Math.max(this.#longestOfLastMs, this.#longestOfThisMs);
  }

  #nextTaskMs(measuredMs: number): number {
    const knownMs = this.#taskMs ?? this.#roundTripMs ?? 0;
    if (measuredMs > knownMs) {
      return this.#taskMs === undefined ? measuredMs : knownMs + (measuredMs - knownMs) * LONGER_TASK_WEIGHT;
    }
    // Who was given all there was, and had room for more, would not be any faster with a larger window.
    return this.#wasFull ? Math.max(measuredMs, knownMs / MAX_GROWTH) : knownMs;
  }
}
