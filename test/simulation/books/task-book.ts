// Tasks and puts: what the scheduler tells of them.
import type { PutView, Reign } from '../views.ts';
import type { Desk } from './desk.ts';
import type { LeaseBook } from './lease-book.ts';

export class TaskBook {
  readonly #desk: Desk;
  readonly #leaseBook: LeaseBook;

  constructor(desk: Desk, leaseBook: LeaseBook) {
    this.#desk = desk;
    this.#leaseBook = leaseBook;
  }

  retrying(reign: Reign, n: number, attempt: number, delayMs: number): void {
    const task = reign.tasks.get(n);
    if (task === undefined) return;
    task.restsSinceMs = this.#desk.nowMs;
    task.restsUntilMs = this.#desk.nowMs + delayMs;
    task.restsAtMostUntilMs = task.restsUntilMs;
    this.#desk.note(`task ${n} rests for ${delayMs.toFixed(3)}`);
    for (const rule of this.#desk.rules) rule.retrying?.(task, attempt, delayMs);
  }

  settled(reign: Reign, n: number, outcome: string): void {
    const task = reign.tasks.get(n);
    this.#desk.note(`task ${n} is ${outcome}`);
    if (task === undefined || task.outcome !== undefined) {
      this.#desk.violated('a task is settled once', `task ${n} is ${outcome}, after ${task?.outcome ?? 'nothing'}`);
      return;
    }
    task.outcome = outcome;
    task.settledAtMs = this.#desk.nowMs;
    reign.unsettled.delete(task);
    for (const lease of [...task.live]) {
      if (lease.session.isInterrupted) this.#leaseBook.takeBack(lease, outcome === 'done' ? 'superseded' : 'aborted');
    }
    reign.outcomes.set(outcome, (reign.outcomes.get(outcome) ?? 0) + 1);
    for (const rule of this.#desk.rules) rule.settled?.(task);
  }

  putSettled(put: PutView, outcome: string, value: unknown): void {
    put.settled += 1;
    put.outcome = outcome;
    this.#desk.note(`put ${put.n} is ${outcome}`);
    for (const rule of this.#desk.rules) rule.putSettled?.(put, value);
  }

  lost(reign: Reign, n: number, attempt: number, workerId: string): void {
    const task = reign.tasks.get(n);
    if (task === undefined) return;
    task.losses += 1;
    task.spentAttempt = Math.max(task.spentAttempt, attempt);
    // Its grant may have been about to leave.
    task.grantedAttempt = Math.max(task.grantedAttempt, attempt);
    const session = [...this.#desk.sessions].find((each) => each.reign === reign && each.id === workerId);
    for (const rule of this.#desk.rules) rule.lost?.(task, session);
  }
}
