// How many leases a worker should hold beyond those it runs: as many as it could run while an answer and the next grant cross.
import type { Prefetch } from '../protocol/messages.ts';

/**
 * The window holds work for two round trips: what is needed for the worker never to wait is one (Little's law), and round
 * trips vary.
 */
const ROUND_TRIPS = 2;
/** A worker may wait for its next task if that takes no more than this share of the time that the task takes. */
const NEGLIGIBLE_SHARE = 0.002;
/** Beyond so many, more would not make it faster. */
const MAX_WINDOW = 4096;
/** As long as nobody knows anything: enough for the worker to be busy while it is found out. */
const FIRST_WINDOW = 1;
/** The weight of the latest measurement of a round trip: a little more than RFC 6298 has, as there are few. */
const ROUND_TRIP_WEIGHT = 1 / 4;
/** The weight of the latest measurement of the tasks' time. */
const TASK_WEIGHT = 1 / 2;

/**
 * Follows the round trip and the time of tasks, as the master sees both. A worker that waits for tasks answers all that it
 * holds within a round trip, so that its tasks seem to take a fraction of one; the window then doubles from one
 * round trip to the next, until what holds the worker up are the tasks.
 */
export class PrefetchWindow {
  /** What the worker asks for. */
  wanted: Prefetch;
  #roundTripMs: number | undefined = undefined;
  #taskMs: number | undefined = undefined;
  /** Since when the figures below count. */
  #sinceMs: number;
  /** How long slots have been busy, all of them added up. */
  #busyMs = 0;
  #ended = 0;
  #runningSinceMs: number;

  constructor(wanted: Prefetch, nowMs: number) {
    this.wanted = wanted;
    this.#sinceMs = nowMs;
    this.#runningSinceMs = nowMs;
  }

  /** How long an answer takes, in milliseconds, as measured by pings. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** How long a task occupies a slot, on average, in milliseconds. */
  get taskMs(): number | undefined {
    return this.#taskMs;
  }

  /** A ping was answered. */
  noteRoundTrip(ms: number): void {
    this.#roundTripMs =
      this.#roundTripMs === undefined ? ms : this.#roundTripMs + (ms - this.#roundTripMs) * ROUND_TRIP_WEIGHT;
  }

  /** So many slots have been busy since this was called last, and `ended` of their attempts are over now. */
  noteBusy(slots: number, ended: number, nowMs: number): void {
    this.#busyMs += slots * (nowMs - this.#runningSinceMs);
    this.#runningSinceMs = nowMs;
    this.#ended += ended;
    if (this.#ended === 0 || nowMs - this.#sinceMs < (this.#roundTripMs ?? 0)) return;
    const taskMs = this.#busyMs / this.#ended;
    this.#taskMs = this.#taskMs === undefined ? taskMs : this.#taskMs + (taskMs - this.#taskMs) * TASK_WEIGHT;
    this.#sinceMs = nowMs;
    this.#busyMs = 0;
    this.#ended = 0;
  }

  /** How many leases it is, for a worker of this concurrency. */
  size(concurrency: number): number {
    if (this.wanted !== 'auto') return this.wanted;
    if (this.#roundTripMs === undefined || this.#taskMs === undefined) return FIRST_WINDOW;
    if (this.#roundTripMs <= this.#taskMs * NEGLIGIBLE_SHARE) return 0;
    return Math.min(MAX_WINDOW, Math.ceil((ROUND_TRIPS * concurrency * this.#roundTripMs) / this.#taskMs));
  }
}
