import { describe, expect, it } from 'vitest';
import { PrefetchWindow } from '../../../src/master/prefetch-window.ts';
import type { Prefetch } from '../../../src/protocol/messages.ts';

const ROUND_TRIP_MS = 100;

/** A worker at the end of a long line, reduced to when it is granted tasks and when it answers. */
class Line {
  readonly window: PrefetchWindow;
  readonly concurrency: number;
  /** How long the tasks take that are granted from now on: in turn, if there are several. */
  taskMs: number | number[] = 1;
  /** How many tasks there are to grant. */
  backlog = Number.POSITIVE_INFINITY;
  #nowMs = 0;
  /** What is on its way, runs, or is on its way back, by the time of its answer. */
  #grants: { readonly grantedAtMs: number; startedAtMs: number | undefined; readonly answeredAtMs: number }[] = [];
  /** When each slot of the worker is free. */
  readonly #freeAtMs: number[];

  constructor(concurrency = 1, wanted: Prefetch = 'auto') {
    this.concurrency = concurrency;
    this.window = new PrefetchWindow(wanted, 0);
    this.window.noteRoundTrip(ROUND_TRIP_MS);
    this.#freeAtMs = Array<number>(concurrency).fill(0);
  }

  get size(): number {
    return this.window.size(this.concurrency);
  }

  /** How many leases the worker holds. */
  get held(): number {
    return this.#grants.length;
  }

  /** Lets the worker run as many tasks as it gets, in steps of a millisecond; returns the size in each round trip. */
  run(roundTrips: number): number[] {
    return Array.from({ length: roundTrips }, () => {
      for (const endMs = this.#nowMs + ROUND_TRIP_MS; this.#nowMs < endMs; this.#nowMs += 1) this.#step();
      return this.size;
    });
  }

  #step(): void {
    const over = this.#grants.filter(({ answeredAtMs }) => answeredAtMs <= this.#nowMs);
    for (const { grantedAtMs, startedAtMs = this.#nowMs } of over) {
      this.window.noteEnd(grantedAtMs, startedAtMs, this.#nowMs);
    }
    this.#grants = this.#grants.filter((each) => !over.includes(each));
    this.window.reckon(this.#nowMs);
    while (this.held < this.concurrency + this.size && this.backlog > 0) this.#grant();
    if (this.held >= this.concurrency + this.size) this.window.noteFull();
    for (const grant of this.#grants.slice(0, this.concurrency)) grant.startedAtMs ??= this.#nowMs;
  }

  #grant(): void {
    this.backlog -= 1;
    const taskMs = typeof this.taskMs === 'number' ? this.taskMs : (this.taskMs.shift() ?? 0);
    if (typeof this.taskMs !== 'number') this.taskMs.push(taskMs);
    const slot = this.#freeAtMs.indexOf(Math.min(...this.#freeAtMs));
    const runsFromMs = Math.max(this.#nowMs + ROUND_TRIP_MS / 2, this.#freeAtMs[slot] ?? 0);
    this.#freeAtMs[slot] = runsFromMs + taskMs;
    this.#grants.push({
      grantedAtMs: this.#nowMs,
      startedAtMs: undefined,
      answeredAtMs: runsFromMs + taskMs + ROUND_TRIP_MS / 2,
    });
  }
}

describe('PrefetchWindow', () => {
  it('is one lease as long as nothing is known', () => {
    const window = new PrefetchWindow('auto', 0);
    expect([window.size(1), window.size(64)]).toEqual([1, 1]);
    window.noteRoundTrip(100);
    expect(window.size(1)).toBe(1);
    expect([window.roundTripMs, window.taskMs]).toEqual([100, undefined]);
  });

  it('is what the worker asks for, if that is a number', () => {
    const line = new Line(1, 3);
    expect(line.run(5)).toEqual([3, 3, 3, 3, 3]);
    line.window.wanted = 0;
    expect(line.size).toBe(0);
    line.window.wanted = 'auto';
    expect(line.size).toBeGreaterThan(50);
  });

  it('grows fourfold from round to round, until it holds work for two round trips', () => {
    const sizes = new Line().run(12);
    for (const [round, size] of sizes.entries()) {
      expect(size).toBeLessThanOrEqual(4 * Math.max(2, sizes[round - 1] ?? 1));
    }
    expect(sizes[6]).toBe(200);
    expect(sizes.at(-1)).toBe(200);
  });

  it.each([
    [1, 200],
    [4, 800],
    [16, 3200],
  ])('is as much larger as the worker has slots: %i', (concurrency, size) => {
    const line = new Line(concurrency);
    line.run(20);
    expect(line.size / size).toBeCloseTo(1, 1);
  });

  it('is none if a task takes so long that the round trip does not matter', () => {
    const line = new Line();
    line.taskMs = 60_000;
    line.run(1300);
    expect(line.size).toBe(0);
    expect(line.window.taskMs).toBeCloseTo(60_000, -2);
  });

  it('is one for tasks of ten round trips, whose own time it does not confuse with the way', () => {
    const line = new Line();
    line.taskMs = 1000;
    line.run(100);
    expect(line.size).toBe(1);
    expect(line.window.taskMs).toBeCloseTo(1000, -1);
  });

  it('shrinks when tasks get longer, and grows when they get shorter', () => {
    const line = new Line();
    line.run(10);
    expect(line.size).toBe(200);
    line.taskMs = 50;
    // It holds 200 of them by now.
    line.run(110);
    expect(line.size).toBe(4);
    line.taskMs = 1;
    line.run(30);
    expect(line.size).toBe(200);
  });

  it('is not misled by short tasks among long ones', () => {
    const line = new Line(8);
    line.taskMs = [1, 1000, 1, 1, 1000, 1000];
    line.run(40);
    // On average, tasks take half a second: four are enough for two round trips.
    expect(Math.max(...line.run(100))).toBeLessThanOrEqual(8);
  });

  it('has a bound, however short the tasks and however long the way', () => {
    const window = new PrefetchWindow('auto', 0);
    window.noteRoundTrip(10_000);
    for (let round = 1; round < 100; round += 1) {
      const nowMs = round * 10_000;
      window.noteFull();
      for (let task = 0; task < 1000; task += 1) window.noteEnd(nowMs, nowMs, nowMs);
      window.reckon(nowMs);
    }
    expect(window.size(1000)).toBe(4096);
  });

  it('does not grow by tasks that come one by one, even if the round trip was measured too long', () => {
    const line = new Line();
    line.taskMs = 10;
    // As by a ping that met a busy moment.
    for (let ping = 0; ping < 50; ping += 1) line.window.noteRoundTrip(2 * ROUND_TRIP_MS);
    for (let task = 0; task < 50; task += 1) {
      line.backlog = 1;
      line.run(2);
    }
    expect(line.size).toBeLessThanOrEqual(2);
  });

  it('finds out by a full window how long tasks are, if the round trip was measured too long', () => {
    const line = new Line();
    line.taskMs = 10;
    for (let ping = 0; ping < 50; ping += 1) line.window.noteRoundTrip(2 * ROUND_TRIP_MS);
    line.run(30);
    // For two round trips of 200 ms, which it believes in; the bits of a float may make it one more.
    expect(Math.abs(line.size - 40)).toBeLessThanOrEqual(1);
  });

  it('takes the shortest of the last six to ten round trips, as pings wait behind what is on its way', () => {
    const window = new PrefetchWindow('auto', 0);
    const followed = [100, 300, 25, ...Array<number>(9).fill(200), 150, 400].map((ms) => {
      window.noteRoundTrip(ms);
      return window.roundTripMs;
    });
    expect(followed).toEqual([100, 100, ...Array<number>(8).fill(25), 200, 200, 150, 150]);
  });

  it('does not take the time of a task for the way, where a ping may have waited for one', () => {
    const window = new PrefetchWindow('auto', 0);
    window.noteRoundTrip(3000, 2990);
    // It is between 10 and 3000 ms.
    expect(window.roundTripMs).toBe(10);
    window.noteRoundTrip(2000, 1995);
    expect(window.roundTripMs).toBe(10);
    // It is at most 6 ms, and then at least 50.
    window.noteRoundTrip(6, 6);
    expect(window.roundTripMs).toBe(6);
    for (let ping = 0; ping < 7; ping += 1) window.noteRoundTrip(3049, 3000);
    expect(window.roundTripMs).toBe(6);
    window.noteRoundTrip(3049, 3000);
    expect(window.roundTripMs).toBe(49);
  });

  it('is one for long tasks while an answer waits for others now and then, and none when that is over', () => {
    const window = new PrefetchWindow('auto', 0);
    window.noteRoundTrip(1);
    window.noteEnd(0, 0, 1000);
    window.reckon(1000);
    expect(window.size(1)).toBe(0);
    window.noteRoundTrip(50);
    expect([window.roundTripMs, window.size(1)]).toEqual([1, 1]);
    for (let ping = 0; ping < 10; ping += 1) window.noteRoundTrip(1);
    expect(window.size(1)).toBe(0);
  });

  it('holds work for two milliseconds at least, if tasks are short', () => {
    const window = new PrefetchWindow('auto', 0);
    window.noteRoundTrip(0.125);
    for (let ms = 1; ms < 10; ms += 1) {
      for (let task = 0; task < 8; task += 1) window.noteEnd(ms - 1, ms - 0.125, ms);
      window.noteFull();
      window.reckon(ms);
    }
    expect([window.taskMs, window.size(1), window.size(4)]).toEqual([0.125, 16, 64]);
  });

  it('is none if the way takes no time', () => {
    const window = new PrefetchWindow('auto', 0);
    window.noteRoundTrip(0);
    window.noteEnd(0, 0, 0);
    window.reckon(0);
    expect(window.size(4)).toBe(0);
  });
});
