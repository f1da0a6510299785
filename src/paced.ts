// Work that is asked for whenever something changes, and may take long: it gets no more than a tenth of the time.
import type { Clock } from './ports.ts';
import type { Alarm, TimerQueue } from './timer-queue.ts';

/** So many times as long as the work took, it is not done again. */
const REST = 9;

/** Does the work when it is asked for, unless it must rest yet: then it has itself be asked again. */
export class Paced {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #work: (nowMs: number) => number;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  /**
   * `work` returns when it is to be done again unless it is asked for before, on the same clock, or Infinity. Then `again`
   * is called, from where `run` is to be called in its time.
   */
  constructor(clock: Clock, timers: TimerQueue, work: (nowMs: number) => number, again: () => void) {
    this.#clock = clock;
    this.#work = work;
    this.#alarm = timers.createAlarm(again);
  }

  /** What was asked for is not needed any more. */
  cancel(): void {
    this.#alarm.cancel();
  }

  /** Asks for the work. */
  run(): void {
    const startedAtMs = this.#clock.now();
    if (this.#restsUntilMs > startedAtMs) {
      this.#alarm.setBy(this.#restsUntilMs);
      return;
    }
    const nextMs = this.#work(startedAtMs);
    const endedAtMs = this.#clock.now();
    this.#restsUntilMs = endedAtMs + REST * (endedAtMs - startedAtMs);
    this.#alarm.setBy(Math.max(nextMs, this.#restsUntilMs));
  }
}
