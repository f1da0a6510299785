// An attempt that is reported: to the master that granted it, and to whoever listens to the worker.
import type { Emitter } from '../events.ts';
import type { WorkerEvent } from './events.ts';
import type { Attempt, AttemptResult } from './run.ts';
import type { GrantedTask } from './session.ts';

export class ReportedAttempt<T, R> implements Attempt<T, R> {
  readonly key: string;
  readonly attempt: number;
  readonly task: T;
  readonly #granted: GrantedTask;
  readonly #events: Emitter<WorkerEvent<T>>;

  constructor(granted: GrantedTask, task: T, events: Emitter<WorkerEvent<T>>) {
    this.key = granted.key;
    this.attempt = granted.attempt;
    this.task = task;
    this.#granted = granted;
    this.#events = events;
  }

  started(): void {
    // First, as a listener may change the concurrency.
    this.#granted.started();
    if (!this.#events.hears('taskStarted')) return;
    const { key, attempt, task } = this;
    this.#events.emit({ type: 'taskStarted', key, attempt, task });
  }

  progressed(value: unknown): void {
    this.#granted.progress(value);
    const { key, attempt, task } = this;
    this.#events.emit({ type: 'taskProgress', key, attempt, task, value });
  }

  ended(result: AttemptResult<R>, durationMs: number): void {
    const sent = this.#granted.end(result);
    if (!this.#events.hears('taskSettled')) return;
    const { key, attempt, task } = this;
    const outcome = sent.kind === 'released' ? 'returned' : sent.kind;
    const error = sent.kind === 'failed' ? { error: sent.error } : {};
    this.#events.emit({ type: 'taskSettled', key, attempt, task, outcome, durationMs, ...error });
  }
}
