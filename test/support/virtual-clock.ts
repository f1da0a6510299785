// Time that stands still until a test moves it: the library's clock, played through step by step.
import type { Clock } from '../../src/ports.ts';
import { nextTurn } from './event-loop.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** So many steps without time moving on, and something calls itself for ever. */
const MAX_STEPS_AT_ONCE = 1_000_000;

/**
 * A clock whose time moves only by {@link advance} and {@link jump}. Timers run in the order of their times, and in the
 * order of their making where those are the same; between any two callbacks, every microtask runs. Two runs of the same
 * test do the same things in the same order. A callback that throws makes `advance` reject.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #epochOffsetMs: number;
  /** By time, then by age. */
  readonly #timers: Timer[] = [];
  #soon: (() => void)[] = [];
  #isAdvancing = false;

  /** `startMs` is not 0 by default, so that a time taken for a duration shows. */
  constructor(startMs = 1_000_000, epochMs = Date.UTC(2030, 0, 1)) {
    this.#nowMs = startMs;
    this.#epochOffsetMs = epochMs - startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  epochNow(): number {
    return this.#nowMs + this.#epochOffsetMs;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    // Never is no timer: a real one would ring at once.
    if (!(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY)) throw new RangeError(`A timer in ${delayMs} ms`);
    const timer: Timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.splice(this.#placeAfter(timer.atMs), 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  atRest(callback: () => void): void {
    this.soon(callback);
  }

  /** How many timers are set: 0 when everything has cleaned up after itself. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** When the next timer is due, on this clock; undefined if none is set. */
  get nextTimerMs(): number | undefined {
    return this.#timers[0]?.atMs;
  }

  /** Lets time go by: runs what is due within the next `durationMs`, and everything that follows from it. */
  async advance(durationMs: number): Promise<void> {
    await this.#exclusively(async () => {
      const endMs = this.#nowMs + durationMs;
      await this.#drain();
      for (let steps = 0; ; steps += 1) {
        if (steps > MAX_STEPS_AT_ONCE) throw new Error('Timers go on for ever');
        const timer = this.#timers[0];
        if (timer === undefined || timer.atMs > endMs) break;
        this.#timers.shift();
        // It may be overdue, after a jump.
        this.#nowMs = Math.max(this.#nowMs, timer.atMs);
        timer.callback();
        await this.#drain();
      }
      this.#nowMs = Math.max(this.#nowMs, endMs);
    });
  }

  /** Runs all that can run without time going by: microtasks, `soon` callbacks, and timers that are due now. */
  async settle(): Promise<void> {
    await this.advance(0);
  }

  /**
   * Lets time go by from timer to timer until the condition holds; throws if it does not within `limitMs`, saying
   * `what` it waited for.
   */
  async advanceUntil(condition: () => boolean, what: string, limitMs = 3_600_000): Promise<void> {
    const limit = this.#nowMs + limitMs;
    await this.settle();
    while (!condition()) {
      const nextMs = this.nextTimerMs ?? Number.POSITIVE_INFINITY;
      if (nextMs > limit) throw new Error(`Not within ${limitMs} ms: ${what}`);
      await this.advance(Math.max(0, nextMs - this.#nowMs));
    }
  }

  /**
   * Lets time go by without running anything, as when the event loop is blocked, the process is stopped or the machine
   * sleeps. What became due runs, late, with the next `advance`.
   */
  jump(durationMs: number): void {
    if (!(durationMs >= 0)) throw new RangeError(`A jump of ${durationMs} ms`);
    this.#nowMs += durationMs;
  }

  /** The clock of one process or page among several; see {@link VirtualProcess}. */
  createProcess(): VirtualProcess {
    return new VirtualProcess(this);
  }

  async #drain(): Promise<void> {
    await nextTurn();
    for (let steps = 0; this.#soon.length > 0; steps += 1) {
      if (steps > MAX_STEPS_AT_ONCE) throw new Error('`soon` goes on for ever');
      // As setImmediate does: what is added meanwhile is for the next turn, and microtasks run in between.
      const callbacks = this.#soon;
      this.#soon = [];
      for (const callback of callbacks) {
        callback();
        await nextTurn();
      }
    }
  }

  async #exclusively(run: () => Promise<void>): Promise<void> {
    if (this.#isAdvancing) throw new Error('The clock is being advanced already: await the first call');
    this.#isAdvancing = true;
    try {
      await run();
    } finally {
      this.#isAdvancing = false;
    }
  }

  /** The index behind all timers of up to that time. */
  #placeAfter(atMs: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const timer = this.#timers[middle];
      if (timer !== undefined && timer.atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * One process, page or laptop on a {@link VirtualClock}: it sees the same time as all others, but can be stopped while
 * they go on. While it is, nothing of it runs; when it is woken, what became due meanwhile runs late.
 */
export class VirtualProcess implements Clock {
  readonly #clock: VirtualClock;
  #state: 'running' | 'stopped' | 'killed' = 'running';
  /** What became due while it was stopped, oldest first. */
  #overdue: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  epochNow(): number {
    return this.#clock.epochNow();
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#clock.setTimer(delayMs, () => {
      // Asked again when it is woken: what ran before may have cancelled it.
      this.#whenRunning(() => {
        if (!isCancelled) callback();
      });
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  soon(callback: () => void): void {
    this.#clock.soon(() => this.#whenRunning(callback));
  }

  atRest(callback: () => void): void {
    this.soon(callback);
  }

  /** Nothing runs from now on: a blocked event loop, SIGSTOP, a laptop that is closed. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  /** It goes on; what became due meanwhile runs with the next `advance` of the clock. */
  wake(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    for (const callback of this.#overdue.splice(0)) this.soon(callback);
  }

  /** Nothing runs ever again: SIGKILL, a power cut. Reset its links besides, as the operating system would. */
  kill(): void {
    this.#state = 'killed';
    this.#overdue = [];
  }

  #whenRunning(callback: () => void): void {
    if (this.#state === 'running') callback();
    else if (this.#state === 'stopped') this.#overdue.push(callback);
  }
}
