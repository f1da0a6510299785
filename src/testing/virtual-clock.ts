// Time that stands still until it is moved: the library's clock, played through step by step.
import { Heap, type HeapItem } from '../heap.ts';
import { expectMilliseconds } from '../options.ts';
import type { Clock } from '../ports.ts';
import { microtasks } from './microtasks.ts';

class Timer implements HeapItem {
  heapIndex = -1;
  readonly atMs: number;
  readonly sequence: number;
  readonly callback: () => void;

  constructor(atMs: number, sequence: number, callback: () => void) {
    this.atMs = atMs;
    this.sequence = sequence;
    this.callback = callback;
  }
}

/** So many steps without time moving on, and something calls itself for ever. */
const MAX_STEPS_AT_ONCE = 1_000_000;
const MAX_TIMERS_AT_ONCE = 100_000;

/** Who looks on. What it throws makes `advance` reject. */
export interface ClockObserver {
  /** A callback has run, and all microtasks that came of it. */
  stepped(): void;
  /** Nothing more happens at this moment: time is about to move on, or to stop here. */
  momentOver(): void;
}

/**
 * A clock whose time moves only by {@link advance} and {@link jump}. Timers run in the order of their times, and in the
 * order of their making where those are the same; between any two callbacks, every microtask runs. Two runs of the same
 * program do the same things in the same order. A callback that throws makes `advance` reject.
 */
export class VirtualClock implements Clock {
  observer: ClockObserver | undefined = undefined;
  #nowMs: number;
  readonly #epochOffsetMs: number;
  readonly #timers = new Heap<Timer>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence));
  #nextSequence = 0;
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
    expectMilliseconds('delayMs', delayMs, 0, false);
    return this.at(this.#nowMs + delayMs, callback);
  }

  /** Calls back at that time: two that are to come at the same one do, which delays, rounded, do not promise. */
  at(atMs: number, callback: () => void): () => void {
    expectMilliseconds('atMs', atMs, 0, false);
    const timer = new Timer(atMs, this.#nextSequence, callback);
    this.#nextSequence += 1;
    this.#timers.push(timer);
    return () => this.#timers.remove(timer);
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  atRest(callback: () => void): void {
    this.soon(callback);
  }

  /** How many timers are set: 0 when everything has cleaned up after itself. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, on this clock; undefined if none is set. */
  get nextTimerMs(): number | undefined {
    return this.#timers.peek()?.atMs;
  }

  /**
   * Lets time go by: runs what is due within the next `durationMs`, and everything that follows from it.
   * @throws InvalidOptionError, as a rejection
   */
  async advance(durationMs: number): Promise<void> {
    expectMilliseconds('durationMs', durationMs, 0, false);
    await this.#exclusively(async () => {
      const endMs = this.#nowMs + durationMs;
      await this.#drain();
      let steps = 0;
      for (;;) {
        const timer = this.#timers.peek();
        const isMoving = timer === undefined || timer.atMs > this.#nowMs;
        if (isMoving) this.observer?.momentOver();
        if (timer === undefined || timer.atMs > endMs) break;
        steps = isMoving ? 0 : steps + 1;
        if (steps > MAX_TIMERS_AT_ONCE) throw new Error('Timers go on for ever');
        this.#timers.remove(timer);
        // It may be overdue, after a jump.
        this.#nowMs = Math.max(this.#nowMs, timer.atMs);
        timer.callback();
        await this.#rest();
        // All that is overdue comes in one turn of the event loop.
        const next = this.#timers.peek();
        if (next === undefined || next.atMs >= this.#nowMs) await this.#drainSoon();
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
   * `what` it waited for. Infinity: as long as there is anything to come. @throws InvalidOptionError, as a rejection
   */
  async advanceUntil(condition: () => boolean, what: string, limitMs = 3_600_000): Promise<void> {
    expectMilliseconds('limitMs', limitMs, 0, true);
    const limit = this.#nowMs + limitMs;
    await this.settle();
    while (!condition()) {
      const nextMs = this.nextTimerMs;
      if (nextMs === undefined || nextMs > limit) throw new Error(`Not within ${limitMs} ms: ${what}`);
      await this.advance(Math.max(0, nextMs - this.#nowMs));
    }
  }

  /**
   * Lets time go by without running anything, as when the event loop is blocked, the process is stopped or the machine
   * sleeps. What became due runs, late, with the next `advance`, before what was asked for `soon`.
   * @throws InvalidOptionError
   */
  jump(durationMs: number): void {
    expectMilliseconds('durationMs', durationMs, 0, false);
    this.#nowMs += durationMs;
  }

  /** The clock of one process or page among several; see {@link VirtualProcess}. */
  createProcess(): VirtualProcess {
    return new VirtualProcess(this);
  }

  async #drain(): Promise<void> {
    await this.#rest();
    await this.#drainSoon();
  }

  async #rest(): Promise<void> {
    await microtasks();
    this.observer?.stepped();
  }

  async #drainSoon(): Promise<void> {
    for (let steps = 0; this.#soon.length > 0; steps += 1) {
      if (steps > MAX_STEPS_AT_ONCE) throw new Error('`soon` goes on for ever');
      // As setImmediate does: what is added meanwhile is for the next turn, and microtasks run in between.
      const callbacks = this.#soon;
      this.#soon = [];
      for (const callback of callbacks) {
        callback();
        await this.#rest();
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
}

/**
 * One process, page or laptop on a {@link VirtualClock}: it sees the same time as all others, but can be stopped while
 * they go on. While it is, nothing of it runs; when it is woken, what became due meanwhile runs late.
 */
export class VirtualProcess implements Clock {
  /** Timers ring at multiples of this alone, as in a page that is in the background; 0: when they are due. */
  timerGrainMs = 0;
  readonly #clock: VirtualClock;
  #state: 'running' | 'stopped' | 'killed' = 'running';
  /** What became due while it was stopped, oldest first. */
  #overdue: (() => void)[] = [];
  #isCatchingUp = false;
  /** How to cancel each timer that is set. */
  readonly #timers = new Set<() => void>();
  #wakesAtMs = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Whether anything of it can run. */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Whether it is there at all. */
  get isAlive(): boolean {
    return this.#state !== 'killed';
  }

  now(): number {
    return this.#clock.now();
  }

  epochNow(): number {
    return this.#clock.epochNow();
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    expectMilliseconds('delayMs', delayMs, 0, false);
    const grainMs = this.timerGrainMs;
    if (grainMs === 0) return this.arrive(delayMs, callback);
    const atMs = Math.ceil((this.now() + delayMs) / grainMs) * grainMs;
    return this.arrive(atMs - this.now(), callback);
  }

  /** As {@link setTimer}, for what comes from outside: that is not held back in the background. */
  arrive(delayMs: number, callback: () => void): () => void {
    return this.at(this.now() + delayMs, callback);
  }

  /** As {@link VirtualClock.at}, for what comes from outside. */
  at(atMs: number, callback: () => void): () => void {
    if (this.#state === 'killed') return () => {};
    let isCancelled = false;
    const cancelTimer = this.#clock.at(atMs, () => {
      this.#timers.delete(cancelTimer);
      // Asked again when it is woken: what ran before may have cancelled it.
      this.#whenRunning(() => {
        if (!isCancelled) callback();
      });
    });
    this.#timers.add(cancelTimer);
    return () => {
      isCancelled = true;
      this.#timers.delete(cancelTimer);
      cancelTimer();
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
    this.#catchUp();
  }

  /** Stops, and wakes after so many milliseconds ≥ 0; of several the one that lasts longest holds. @throws InvalidOptionError */
  stall(durationMs: number): void {
    // First, or it would never wake.
    expectMilliseconds('durationMs', durationMs, 0, false);
    this.stop();
    this.#wakesAtMs = Math.max(this.#wakesAtMs, this.now() + durationMs);
    this.#clock.setTimer(durationMs, () => {
      if (this.now() >= this.#wakesAtMs) this.wake();
    });
  }

  /** Nothing runs ever again: SIGKILL, a power cut. End its links besides, as the operating system would. */
  kill(): void {
    this.#state = 'killed';
    this.#overdue = [];
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #whenRunning(callback: () => void): void {
    // Behind what is overdue, as it was later.
    if (this.#state === 'running' && this.#overdue.length === 0) callback();
    else if (this.#state !== 'killed') this.#overdue.push(callback);
  }

  #catchUp(): void {
    if (this.#overdue.length === 0 || this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    this.#clock.soon(() => {
      this.#isCatchingUp = false;
      // It may stand still again by what it has caught up with.
      if (this.#state !== 'running') return;
      const [callback] = this.#overdue;
      callback?.();
      this.#overdue.shift();
      this.#catchUp();
    });
  }
}
