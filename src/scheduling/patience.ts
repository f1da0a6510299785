// How long those who put a task wait for it: until their signal aborts, or their deadline passes.
import { type AttemptFailure, TaskDeadlineError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import { AbortWatch } from './abort-watch.ts';
import type { TaskTerms } from './task-options.ts';

/** What has become of a task so far. */
export interface Tried {
  /** How often it has been tried. */
  readonly attempts: number;
  readonly failures: readonly AttemptFailure[];
}

/** Somebody's wait for a task, which may end before the task does. */
export interface Wait extends Tried {
  readonly terms: Pick<TaskTerms, 'signal' | 'deadline'>;
}

/** Is told that a wait is over, and of what. */
export type OnOver<Each> = (wait: Each, outcome: 'aborted' | 'expired', reason: unknown) => void;

/** Watches the signals and the deadlines of waits. */
export class Patience<Each extends Wait> {
  readonly #clock: Clock;
  readonly #timers: TimerQueue;
  readonly #aborts: AbortWatch<Each>;
  /** Of those waits that have a deadline. */
  readonly #alarms = new Map<Each, Alarm>();
  readonly #onOver: OnOver<Each>;

  /** `onOver` is called when a wait is over, and is to {@link end} it. */
  constructor(clock: Clock, timers: TimerQueue, onOver: OnOver<Each>) {
    this.#clock = clock;
    this.#timers = timers;
    this.#aborts = new AbortWatch((wait, reason) => onOver(wait, 'aborted', reason));
    this.#onOver = onOver;
  }

  /** How long a wait may last from now, in milliseconds. Throws what it ends with if it is over before it begins. */
  span({ signal, deadline = Number.POSITIVE_INFINITY }: Wait['terms'], tried: Tried | undefined): number {
    // Of whatever realm: not every signal has `throwIfAborted`.
    if (signal?.aborted) throw signal.reason;
    const spanMs = typeof deadline === 'number' ? deadline : deadline.getTime() - this.#clock.epochNow();
    if (spanMs <= 0) throw new TaskDeadlineError(0, tried?.attempts ?? 0, tried?.failures);
    return spanMs;
  }

  /** Watches a wait from now on, for so long as {@link span} has just said. */
  begin(wait: Each, spanMs: number): void {
    const { signal } = wait.terms;
    if (signal !== undefined) this.#aborts.add(signal, wait);
    if (spanMs === Number.POSITIVE_INFINITY) return;
    const alarm = this.#timers.createAlarm(() =>
      this.#onOver(wait, 'expired', new TaskDeadlineError(spanMs, wait.attempts, wait.failures)),
    );
    this.#alarms.set(wait, alarm);
    alarm.setBy(this.#clock.now() + spanMs);
  }

  /** Watches it no longer. */
  end(wait: Each): void {
    const { signal } = wait.terms;
    if (signal !== undefined) this.#aborts.remove(signal, wait);
    if (this.#alarms.size === 0) return;
    this.#alarms.get(wait)?.cancel();
    this.#alarms.delete(wait);
  }
}
