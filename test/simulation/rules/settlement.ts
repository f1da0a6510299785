// How tasks end: each once, in a way that what came of their attempts allows.
import type { LeaseView, PutView, TaskView } from '../views.ts';
import { Rule } from './rule.ts';

/** Every task that was put and is not settled is in exactly one state. */
export class Conservation extends Rule {
  readonly name = 'every unsettled task is queued, delayed or leased, and just one of these';
  #summedUpAtMs = 0;

  override stepped(): void {
    const { scheduler, unsettled, state } = this.court.reign;
    if (state === 'crashed') return;
    const { queued, delayed, leased, held } = scheduler;
    if (queued + delayed + leased + held === unsettled.size) return;
    this.fail(`${queued} queued, ${delayed} delayed, ${leased} leased, ${held} held, of ${unsettled.size}`);
  }

  override ticked(): void {
    const { scheduler, accepted, outcomes, state } = this.court.reign;
    // To sum up all figures takes its time.
    if (state === 'crashed' || this.court.nowMs < this.#summedUpAtMs + 1000) return;
    this.#summedUpAtMs = this.court.nowMs;
    const { total } = scheduler.stats();
    if (total.put !== accepted) this.fail(`${total.put} were put by the figures, ${accepted} in truth`);
    for (const outcome of ['done', 'deadLetter', 'aborted', 'expired', 'unsendable', 'noQuorum', 'stopped'] as const) {
      const count = outcomes.get(outcome) ?? 0;
      if (total[outcome] !== count) this.fail(`${total[outcome]} are ${outcome} by the figures, ${count} in truth`);
    }
  }
}

/** Who has put a task hears of its end once, at once, and all who share it hear the same. */
export class EachPutOnce extends Rule {
  readonly name = 'a put settles once, with its task';
  readonly #settled: TaskView[] = [];

  override settled(task: TaskView): void {
    this.#settled.push(task);
  }

  override putSettled(put: PutView): void {
    if (put.settled > 1) this.fail(`put ${put.n} settled ${put.settled} times`);
  }

  override momentOver(): void {
    for (const { n, puts, outcome } of this.#settled.splice(0)) {
      for (const put of puts) {
        if (put.settled === 0) this.fail(`task ${n} is ${outcome}, and put ${put.n} has not heard of it`);
        // One who has left before has its own end.
        else if (outcome === 'done' && !['done', 'aborted', 'expired'].includes(String(put.outcome))) {
          this.fail(`task ${n} is ${outcome}, and put ${put.n} ${put.outcome}`);
        }
      }
    }
  }
}

/** A task ends by what happened to it. */
export class JustEnd extends Rule {
  readonly name = 'a task ends by what has become of its attempts';
  readonly #settled: TaskView[] = [];

  override settled(task: TaskView): void {
    const { outcome, reign } = task;
    if (outcome === 'expired') this.#expectNothingUnread(task);
    // Now, as it may run again before the moment is over.
    if (outcome === 'stopped' && reign.state === 'running') this.fail(`task ${task.n} is stopped, and its master runs`);
    this.#settled.push(task);
  }

  override momentOver(): void {
    for (const task of this.#settled.splice(0)) {
      const why = this.#objection(task);
      if (why !== undefined) this.fail(`task ${task.n} is ${task.outcome}, ${why}`);
    }
    const { reign, unsaid } = this.court;
    // One may go on of which nobody has seen the grant.
    if (!reign.master.process.isRunning || unsaid > 0) return;
    for (const task of reign.unsettled) {
      if (task.live.size > 0) continue;
      if (task.failures >= reign.terms.maxAttempts) this.fail(`task ${task.n} has failed ${task.failures} times`);
      if (task.losses >= reign.terms.maxDeliveries) this.fail(`task ${task.n} was lost ${task.losses} times`);
    }
  }

  #objection({ outcome, failures, losses, puts, task, terms, reign }: TaskView): string | undefined {
    const { nowMs } = this.court;
    const { maxAttempts, maxDeliveries } = reign.terms;
    switch (outcome) {
      case 'done':
        return undefined;
      case 'deadLetter': {
        // One more if another ran beside the last.
        if (failures > maxAttempts + (terms.verify?.quorum ?? (terms.speculate ? 2 : 1)) - 1)
          return `after ${failures} failures`;
        if (failures >= maxAttempts || losses >= maxDeliveries) return undefined;
        return `after ${failures} failures and ${losses} losses`;
      }
      case 'aborted':
        return puts.some(({ controller }) => controller.signal.aborted) ? undefined : 'and nobody has aborted it';
      case 'expired':
        return puts.some(({ deadlineAtMs }) => nowMs >= deadlineAtMs) ? undefined : 'before any deadline';
      case 'unsendable':
        return task.payload === undefined ? 'though it can be sent' : undefined;
      case 'noQuorum':
        // How far they agreed, another rule knows.
        return terms.verify === undefined ? 'and nobody verifies it' : undefined;
      case 'stopped':
        return undefined;
      default:
        return 'which is no end';
    }
  }

  /** A result that came in before the deadline counts, though the process stood still and has not read it yet. */
  #expectNothingUnread({ n, live, puts }: TaskView): void {
    const deadlineMs = Math.max(...puts.map(({ deadlineAtMs }) => deadlineAtMs));
    for (const lease of live) {
      if (!hasUnreadResult(lease, Math.min(deadlineMs, this.court.nowMs))) continue;
      this.fail(`task ${n} expired while its result lay unread`);
    }
  }
}

/** Whether the worker's result for this lease had come in before that moment, and was not read. */
export function hasUnreadResult({ session, id }: LeaseView, beforeMs: number): boolean {
  return session.unreadAtMaster(beforeMs).some((message) => message[0] === 5 && message[1] === id);
}

/** A result is from the very attempt whose lease lived when it came. */
export class RightfulResult extends Rule {
  readonly name = 'a result is that of a lease that lived when it came';

  override putSettled({ n, outcome, task }: PutView, value: unknown): void {
    if (outcome !== 'done' || task === undefined || task.terms.verify !== undefined) return;
    const { n: of, execution } = value as { readonly n: number; readonly execution: number };
    if (of !== task.n) this.fail(`put ${n} of task ${task.n} has the result of task ${of}`);
    const { atMs, execution: rightful } = task.result ?? { atMs: Number.NaN, execution: Number.NaN };
    if (rightful !== execution) this.fail(`put ${n} has the result of call ${execution}, not of ${rightful}`);
    if (atMs !== this.court.nowMs) this.fail(`put ${n} has a result that came at ${atMs}`);
  }
}

/** Who aborts, and who has no time any more, waits no longer. */
export class Patience extends Rule {
  readonly name = 'a put ends when it is aborted, and at its deadline';

  override momentOver(): void {
    const { reign, nowMs } = this.court;
    for (const task of reign.unsettled) {
      for (const { n, settled, abortedAtMs } of task.puts) {
        if (settled === 0 && abortedAtMs <= nowMs) this.fail(`put ${n} was aborted at ${abortedAtMs}`);
      }
    }
  }

  override ticked(): void {
    const { reign, nowMs } = this.court;
    if (!reign.master.process.isRunning || reign.steadySinceMs > nowMs - 300) return;
    for (const task of reign.unsettled) {
      for (const { n, settled, deadlineAtMs } of task.puts) {
        if (settled === 0 && deadlineAtMs < nowMs - 300) this.fail(`put ${n} should have expired at ${deadlineAtMs}`);
      }
    }
  }
}

/** There is a wait before the next attempt. */
export class Backoff extends Rule {
  readonly name = 'there is a wait after a failure, no longer than the backoff allows';

  override retrying(task: TaskView, _attempt: number, delayMs: number): void {
    const { base, cap } = task.reign.terms.backoff;
    if (base > 0 && !(delayMs > 0 && delayMs <= cap)) this.fail(`${delayMs} ms for task ${task.n}`);
  }
}
