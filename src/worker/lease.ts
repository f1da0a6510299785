// One attempt that the master granted: reported to the master, and to whoever listens to the worker.
import type { Emitter } from '../events.ts';
import type { MasterMessage, MessageType } from '../protocol/messages.ts';
import type { WorkerEvent } from './events.ts';
import type { AddedAttempt, Attempt, AttemptResult } from './run.ts';

export type GrantMessage = Extract<MasterMessage, readonly [typeof MessageType.grant, ...unknown[]]>;

/** What the leases of a session need of it. */
export interface LeaseHost<T> {
  readonly events: Emitter<WorkerEvent<T>>;
  /** One of them occupies a slot from now on. */
  started(): void;
  /** Sends how far it is. @throws TaskdistError if that cannot be sent */
  progress(lease: number, value: unknown): void;
  /** Sends what came of it. Returns what was really sent: a result that cannot be sent is a failure. */
  answer(lease: Lease<T>, result: AttemptResult<unknown>): AttemptResult<unknown>;
}

/** The right to one attempt, from its grant to its answer. */
export class Lease<T> implements Attempt<T, unknown> {
  /** Its number on the wire. */
  readonly id: number;
  readonly attempt: number;
  readonly key: string;
  readonly task: T;
  /** It occupies a slot. */
  isRunning = false;
  isAnswered = false;
  /** What can be done about it; there once it was taken, unless it was over at once. */
  added: AddedAttempt | undefined = undefined;
  readonly #host: LeaseHost<T>;

  constructor([, id, attempt, key, task]: GrantMessage, host: LeaseHost<T>) {
    this.id = id;
    this.attempt = attempt;
    this.key = key;
    // The master's type promises it; what crosses the wire is as trustworthy as the master.
    this.task = task as T;
    this.#host = host;
  }

  started(): void {
    const { key, attempt, task } = this;
    // First, as a listener may change the concurrency.
    this.isRunning = true;
    this.#host.started();
    const { events } = this.#host;
    if (events.hears('taskStarted')) events.emit({ type: 'taskStarted', key, attempt, task });
  }

  progressed(value: unknown): void {
    const { key, attempt, task } = this;
    this.#host.progress(this.id, value);
    this.#host.events.emit({ type: 'taskProgress', key, attempt, task, value });
  }

  ended(result: AttemptResult<unknown>, durationMs: number): void {
    const { key, attempt, task } = this;
    const sent = this.answer(result);
    const { events } = this.#host;
    if (!events.hears('taskSettled')) return;
    const outcome = sent.kind === 'released' ? 'returned' : sent.kind;
    const error = sent.kind === 'failed' ? { error: sent.error } : {};
    events.emit({ type: 'taskSettled', key, attempt, task, outcome, durationMs, ...error });
  }

  /** Sends what came of it, and tells nobody else. Returns what was really sent. */
  answer(result: AttemptResult<unknown>): AttemptResult<unknown> {
    this.isAnswered = true;
    return this.#host.answer(this, result);
  }
}
