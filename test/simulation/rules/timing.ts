// What happens in time, and not before its time.
import type { Execution, LeaseView, SessionView } from '../views.ts';
import { LATE_MS, ROUNDING_MS, Rule, STALL_MS } from './rule.ts';
import { hasUnreadResult } from './settlement.ts';

/** How long a worker that has come back has to tell of attempts that were through in time; and how often, at most. */
const CATCH_UP_MS = 1000;
const MOST_CATCH_UPS = 5;

/** An attempt runs for its time, and hardly longer. */
export class Timeouts extends Rule {
  readonly name = 'an attempt has its time from its start, and no more';

  override cancelled(lease: LeaseView, reason: string): void {
    if (reason !== 'timeout') return;
    const { nowMs } = this.court;
    const { task, session, grantedAtMs, execution, id } = lease;
    const timeoutMs = timeoutOf(lease);
    const what = `lease ${id} of task ${task.n} at ${session.member.name}, with ${timeoutMs} ms,`;
    if (nowMs - grantedAtMs < timeoutMs - ROUNDING_MS) this.fail(`${what} was granted at ${grantedAtMs}`);
    if (this.#isSpared(lease)) this.fail(`${what} has just come back, or not yet`);
    if (hasUnreadResult(lease, nowMs - STALL_MS)) this.fail(`${what} had its result lie unread`);
    if (!this.#isKnown(session, grantedAtMs)) return;
    const { latencyMs, jitterMs } = session.link;
    const startedAtMs = execution?.startedAtMs ?? nowMs;
    if (startedAtMs > nowMs - timeoutMs + latencyMs + jitterMs + 1) this.fail(`${what} has run since ${startedAtMs}`);
  }

  /** Whether it is not judged now, as it may be through and nobody here know it. */
  #isSpared({ session, task, resumes, grantedAtMs, startedAtMs, progressedAtMs }: LeaseView): boolean {
    if (resumes >= MOST_CATCH_UPS) return false;
    // At the moment of the loss, it was judged before.
    if (session.isInterrupted) return session.lostAtMs < this.court.nowMs;
    // Unless its time began after the return, or anew, as it has told since how far it is.
    const anewAtMs = task.terms.timeoutFrom === 'progress' ? progressedAtMs : grantedAtMs;
    if (Math.max(grantedAtMs, startedAtMs, anewAtMs, session.creditAtMs) >= session.resumedAtMs) return false;
    return this.court.nowMs < session.resumedAtMs + CATCH_UP_MS - ROUNDING_MS;
  }

  override ticked(): void {
    const { members, reign } = this.court;
    for (const member of members)
      for (const each of member.running) if (each.lease.session.reign === reign) this.#look(each);
  }

  #look({ lease, startedAtMs, progressedAtMs }: Execution): void {
    const { session, state, task } = lease;
    if (state !== 'live' || session.linkAtMaster === undefined || !this.#isKnown(session, startedAtMs)) return;
    const sinceMs = task.terms.timeoutFrom === 'progress' ? Math.max(startedAtMs, progressedAtMs) : startedAtMs;
    const { latencyMs, jitterMs } = session.link;
    // Twice, as it may have been overtaken, and its time counts anew then.
    const factor = session.member.plan.way === 'lanes' ? 2 : 1;
    const latestMs = Math.max(
      sinceMs + factor * timeoutOf(lease) + 2 * (latencyMs + jitterMs) + 400,
      session.resumedAtMs + CATCH_UP_MS + LATE_MS,
    );
    if (this.court.nowMs > latestMs) this.fail(`task ${task.n} runs at ${session.member.name} since ${sinceMs}`);
  }

  /** Whether the master can know from when its attempts run. */
  #isKnown({ member, reign }: SessionView, sinceMs: number): boolean {
    if (member.plan.way === 'lanes' || !reign.master.process.isRunning) return false;
    return member.disturbedUntilMs < sinceMs && reign.steadySinceMs < sinceMs;
  }
}

function timeoutOf({ task, session }: LeaseView): number {
  return task.terms.timeout ?? session.reign.taskTimeout;
}

/**
 * Each side asks for signs of life, gives them at once, and gives the other up in time, and not too early. A master that stood
 * still has asked late: then the worker has as long from the ping on as it has at any other time.
 */
export class Heartbeats extends Rule {
  readonly name = 'who is silent for socketTimeout, and was asked in time, is given up, and nobody else';

  override momentOver(): void {
    for (const { unponged, linkAtWorker, member } of this.court.sessions) {
      if (unponged.size === 0 || linkAtWorker === undefined || !member.worker.process.isRunning) continue;
      this.fail(`${member.name} has not answered a ping`);
    }
  }

  override endedByMaster(session: SessionView, code: number): void {
    if (code !== 1006) return;
    const { nowMs } = this.court;
    const what = `${session.member.name} was given up, and had been heard at ${session.heardAtMs}`;
    if (nowMs - session.heardAtMs < session.socketTimeout - ROUNDING_MS) this.fail(what);
    const toAnswerMs = session.socketTimeout - session.pingInterval;
    if (!(nowMs - session.askedAtMs >= toAnswerMs - ROUNDING_MS))
      this.fail(`${what}, and asked at ${session.askedAtMs}`);
    if (session.unreadAtMaster(nowMs - STALL_MS).length > 0) this.fail(`${what}; what it had said since lay unread`);
  }

  override endedByWorker(session: SessionView, code: number): void {
    if (code !== 1006 || !session.isWelcomedThere) return;
    const { nowMs } = this.court;
    const what = `${session.member.name} gave its master up, and had heard it at ${session.heardThereAtMs}`;
    if (nowMs - session.heardThereAtMs < session.socketTimeout - ROUNDING_MS) this.fail(what);
    // Whose thread is kept busy by one task after the other judges in the end, whatever has come in meanwhile.
    if (session.member.plan.way === 'blocking') return;
    if ((session.linkAtWorker?.unreadBy('client', nowMs - STALL_MS).length ?? 0) > 0)
      this.fail(`${what}; what it said since lay unread`);
  }

  override ticked(): void {
    const { nowMs, sessions, reign } = this.court;
    for (const session of sessions) {
      if (session.linkAtWorker !== undefined && session.isWelcomedThere) this.#lookAtMaster(session);
      if (session.linkAtMaster === undefined || session.reign !== reign || !reign.master.process.isRunning) continue;
      const { member, pingedAtMs, pingInterval, heardAtMs, socketTimeout } = session;
      const { steadySinceMs } = reign;
      const askedMs = Math.max(pingedAtMs + pingInterval, steadySinceMs + LATE_MS);
      if (nowMs > askedMs + LATE_MS) this.fail(`${member.name} was not pinged since ${pingedAtMs}`);
      // If the master stood still since, the first ping may have come when it went on.
      const heardAtAnyRateMs = steadySinceMs > heardAtMs ? steadySinceMs + LATE_MS + socketTimeout - pingInterval : 0;
      const latestMs = Math.max(heardAtMs + socketTimeout, heardAtAnyRateMs);
      if (nowMs > latestMs + LATE_MS) this.fail(`${member.name} was not heard since ${heardAtMs}`);
    }
  }

  #lookAtMaster({ member, heardThereAtMs, socketTimeout }: SessionView): void {
    const { nowMs } = this.court;
    const { process } = member.worker;
    if (!process.isRunning || member.throttledUntilMs > nowMs - LATE_MS) return;
    const latestMs = Math.max(heardThereAtMs + socketTimeout, member.stalledUntilMs);
    if (nowMs > latestMs + LATE_MS) this.fail(`${member.name} has not heard its master since ${heardThereAtMs}`);
  }
}

/** What is called off stops: its signal aborts at once, and its slot is free after the grace. */
export class CalledOff extends Rule {
  readonly name = 'what is called off is aborted at once, and given up after its grace';

  override momentOver(): void {
    for (const { running, worker, name, isAlive } of this.court.members) {
      if (!isAlive || !worker.process.isRunning) continue;
      for (const { lease, signal } of running) {
        if (signal.aborted) continue;
        const { task, cancelledThereAtMs, session } = lease;
        if (cancelledThereAtMs !== undefined)
          this.fail(`task ${task.n} at ${name} was cancelled at ${cancelledThereAtMs}`);
        if (!session.isOpenAtWorker) this.fail(`task ${task.n} at ${name} has lost its connection`);
      }
    }
  }

  override ticked(): void {
    const { nowMs, sessions } = this.court;
    for (const { open, linkAtWorker, member } of sessions) {
      if (linkAtWorker === undefined || !member.isAlive) continue;
      const latestMs = nowMs - member.plan.grace - member.worker.process.timerGrainMs - 200;
      for (const { cancelledThereAtMs, isAnsweredThere, id } of open) {
        if (cancelledThereAtMs === undefined || isAnsweredThere) continue;
        if (cancelledThereAtMs > latestMs || member.disturbedUntilMs > cancelledThereAtMs - 1500) continue;
        this.fail(`lease ${id} at ${member.name} was cancelled at ${cancelledThereAtMs}, and has no answer yet`);
      }
    }
  }
}
