// What handlers really do, by what they say.
import type { Execution, LeaseView, Member } from '../views.ts';
import type { Desk } from './desk.ts';

export class ExecutionBook {
  readonly #desk: Desk;
  readonly #calls = new Map<number, Execution>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** By its number. */
  call(number: number): Execution | undefined {
    return this.#calls.get(number);
  }

  /** A handler was called. Undefined if nobody can say for what. */
  started(member: Member, n: number, attempt: number, signal: AbortSignal): Execution | undefined {
    const lease = this.#leaseOf(member, n, attempt);
    this.#desk.note(`${member.name} starts ${n}/${attempt}`);
    if (lease === undefined) {
      this.#desk.violated('a handler is called once for each grant', `task ${n}, attempt ${attempt} at ${member.name}`);
      return undefined;
    }
    const execution: Execution = {
      number: this.#calls.size + 1,
      member,
      lease,
      signal,
      startedAtMs: this.#desk.nowMs,
      abortedAtMs: Number.POSITIVE_INFINITY,
      progressedAtMs: this.#desk.nowMs,
      isOver: false,
    };
    lease.execution = execution;
    member.running.add(execution);
    this.#calls.set(execution.number, execution);
    signal.addEventListener('abort', () => this.#aborted(execution));
    for (const rule of this.#desk.rules) rule.started?.(execution);
    return execution;
  }

  /** A handler's call is over. */
  over(execution: Execution): void {
    this.#desk.note(`${execution.member.name} is through with ${execution.lease.task.n}/${execution.lease.attempt}`);
    execution.isOver = true;
    execution.member.running.delete(execution);
  }

  #aborted(execution: Execution): void {
    execution.abortedAtMs = this.#desk.nowMs;
    this.#desk.note(`${execution.member.name} is to stop ${execution.lease.task.n}/${execution.lease.attempt}`);
    for (const rule of this.#desk.rules) rule.aborted?.(execution);
  }

  /** The oldest that has come to this worker and was not run. */
  #leaseOf(member: Member, n: number, attempt: number): LeaseView | undefined {
    let found: LeaseView | undefined;
    for (const view of this.#desk.sessions) {
      if (view.member !== member) continue;
      for (const lease of view.open) {
        if (lease.task.n !== n || lease.attempt !== attempt || !lease.isDelivered) continue;
        if (lease.execution !== undefined || lease.isAnsweredThere) continue;
        // On the connection that is open, if there is a choice.
        if (found === undefined || view.isOpenAtWorker) found = lease;
      }
    }
    return found;
  }
}
