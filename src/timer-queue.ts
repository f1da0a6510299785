// Many deadlines on one timer.
import { Heap, type HeapItem } from './heap.ts';
import type { Clock } from './ports.ts';

/** A timer this late says that our own event loop stood still, and that frames may be waiting to be read. */
const STALL_MS = 50;
/** How long after a stall the deadlines are judged: time enough to read what came in meanwhile. */
const CATCH_UP_MS = 100;

/** Who hears an alarm: a function, or an object, which takes no memory of its own where there are many. */
export type AlarmListener = ((nowMs: number) => void) | { alarmRang(nowMs: number): void };

/** One alarm of a {@link TimerQueue}. */
export class Alarm implements HeapItem {
  heapIndex = -1;
  atMs = Number.POSITIVE_INFINITY;
  readonly #listener: AlarmListener;
  readonly #queue: TimerQueue;

  constructor(queue: TimerQueue, listener: AlarmListener) {
    this.#queue = queue;
    this.#listener = listener;
  }

  /** Its time has come; for the queue. */
  ring(nowMs: number): void {
    if (typeof this.#listener === 'function') this.#listener(nowMs);
    else this.#listener.alarmRang(nowMs);
  }

  /**
   * Rings at `atMs` unless it is set to ring earlier already. So whoever has several deadlines, or one that keeps
   * moving back, sets the next one when it rings and costs nothing in between.
   */
  setBy(atMs: number): void {
    if (atMs < this.atMs) this.#queue.set(this, atMs);
  }

  /** Does not ring until it is set again. */
  cancel(): void {
    this.#queue.set(this, Number.POSITIVE_INFINITY);
  }
}

/** What the queue does with the clock. */
type TimerState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly atMs: number; readonly cancel: () => void }
  /** After a stall: a timer is set to judge everything, and nothing is judged before. */
  | { readonly kind: 'catching up'; readonly cancel: () => void }
  /** Alarms ring now; the timer is set when they are through. */
  | { readonly kind: 'ringing' };

/** Rings alarms when their time has come, in its order. */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #alarms = new Heap<Alarm>((a, b) => a.atMs < b.atMs);
  #state: TimerState = { kind: 'idle' };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  createAlarm(listener: AlarmListener): Alarm {
    return new Alarm(this, listener);
  }

  /** Sets an alarm; for {@link Alarm}. */
  set(alarm: Alarm, atMs: number): void {
    this.#alarms.remove(alarm);
    alarm.atMs = atMs;
    if (atMs !== Number.POSITIVE_INFINITY) this.#alarms.push(alarm);
    if (this.#state.kind !== 'ringing') this.#adjustTimer();
  }

  #adjustTimer(): void {
    const next = this.#alarms.peek();
    const timer = this.#state.kind === 'waiting' || this.#state.kind === 'catching up' ? this.#state : undefined;
    if (next === undefined) {
      timer?.cancel();
      this.#state = { kind: 'idle' };
      return;
    }
    if (timer?.kind === 'catching up') return;
    // A timer that comes too early does no harm: it looks, and sets the next.
    if (timer !== undefined && timer.atMs <= next.atMs) return;
    timer?.cancel();
    const { atMs } = next;
    const delayMs = Math.max(0, atMs - this.#clock.now());
    this.#state = { kind: 'waiting', atMs, cancel: this.#clock.setTimer(delayMs, () => this.#onTimer(atMs)) };
  }

  #onTimer(dueMs: number): void {
    if (this.#clock.now() - dueMs <= STALL_MS) {
      this.#ring();
      return;
    }
    // Once only: in a hidden page every timer is late.
    const caughtUpMs = this.#clock.now() + CATCH_UP_MS;
    const cancel = this.#clock.setTimer(CATCH_UP_MS, () => this.#onCaughtUp(caughtUpMs));
    this.#state = { kind: 'catching up', cancel };
  }

  #onCaughtUp(dueMs: number): void {
    if (this.#clock.now() - dueMs <= STALL_MS) {
      this.#ring();
      return;
    }
    // We stood still again, and timers come before what there is to read: that is read in this turn.
    let isCancelled = false;
    const cancel = (): void => {
      isCancelled = true;
    };
    this.#state = { kind: 'catching up', cancel };
    this.#clock.soon(() => {
      if (!isCancelled) this.#ring();
    });
  }

  #ring(): void {
    this.#state = { kind: 'ringing' };
    const nowMs = this.#clock.now();
    try {
      for (let alarm = this.#alarms.peek(); alarm !== undefined && alarm.atMs <= nowMs; alarm = this.#alarms.peek()) {
        this.#alarms.remove(alarm);
        alarm.atMs = Number.POSITIVE_INFINITY;
        alarm.ring(nowMs);
      }
    } finally {
      // Whatever one of them threw, the others ring.
      this.#state = { kind: 'idle' };
      this.#adjustTimer();
    }
  }
}
