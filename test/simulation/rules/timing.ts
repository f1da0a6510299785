// What happens in time, and not before its time.
import type { Execution, LeaseView, LinkView } from '../views.ts';
import { Rule } from './rule.ts';
import { hasUnreadResult } from './settlement.ts';

/** A timer that is later than that says that the process stood still: then what has come in is read before anything is judged. */
const STALL_MS = 51;
/** Milliseconds are no integers here. */
const ROUNDING_MS = 0.001;

/** An attempt runs for its time, and hardly longer. */
export class Timeouts extends Rule {
  readonly name = 'an attempt has its time from its start, and no more';

  override cancelled(lease: LeaseView, reason: string): void {
    if (reason !== 'timeout') return;
    const { nowMs } = this.court;
    const { task, link, grantedAtMs, execution, id } = lease;
    const timeoutMs = timeoutOf(lease);
    const what = `lease ${id} of task ${task.n} at ${link.member.name}, with ${timeoutMs} ms,`;
    if (nowMs - grantedAtMs < timeoutMs - ROUNDING_MS) this.fail(`${what} was granted at ${grantedAtMs}`);
    if (hasUnreadResult(lease, nowMs - STALL_MS)) this.fail(`${what} had its result lie unread`);
    if (!this.#isKnown(link, grantedAtMs)) return;
    const { latencyMs, jitterMs } = link.link;
    const startedAtMs = execution?.startedAtMs ?? nowMs;
    if (startedAtMs > nowMs - timeoutMs + latencyMs + jitterMs + 1) this.fail(`${what} has run since ${startedAtMs}`);
  }

  override ticked(): void {
    const { members, reign } = this.court;
    for (const member of members)
      for (const each of member.running) if (each.lease.link.reign === reign) this.#look(each);
  }

  #look({ lease, startedAtMs, progressedAtMs }: Execution): void {
    const { link, state, task } = lease;
    if (state !== 'live' || !link.isOpenAtMaster || !this.#isKnown(link, startedAtMs)) return;
    const sinceMs = task.terms.timeoutFrom === 'progress' ? Math.max(startedAtMs, progressedAtMs) : startedAtMs;
    const { latencyMs, jitterMs } = link.link;
    // Twice, as it may have been overtaken, and its time counts anew then.
    const factor = link.member.plan.way === 'lanes' ? 2 : 1;
    const latestMs = sinceMs + factor * timeoutOf(lease) + 2 * (latencyMs + jitterMs) + 400;
    if (this.court.nowMs > latestMs) this.fail(`task ${task.n} runs at ${link.member.name} since ${sinceMs}`);
  }

  /** Whether the master can know from when its attempts run. */
  #isKnown({ member, reign }: LinkView, sinceMs: number): boolean {
    if (member.plan.way === 'lanes' || !reign.master.process.isRunning) return false;
    return member.disturbedUntilMs < sinceMs && reign.steadySinceMs < sinceMs;
  }
}

function timeoutOf({ task, link }: LeaseView): number {
  return task.terms.timeout ?? link.reign.taskTimeout;
}

/** How late what hangs on a timer may be in a process that runs: as long as it takes to catch up, and some more. */
const LATE_MS = 300;

/**
 * Each side asks for signs of life, gives them at once, and gives the other up in time, and not too early. A master that stood
 * still has asked late: then the worker has as long from the ping on as it has at any other time.
 */
export class Heartbeats extends Rule {
  readonly name = 'who is silent for socketTimeout, and was asked in time, is given up, and nobody else';

  override momentOver(): void {
    for (const { unponged, isOpenAtWorker, member } of this.court.links) {
      if (unponged.size === 0 || !isOpenAtWorker || !member.worker.process.isRunning) continue;
      this.fail(`${member.name} has not answered a ping`);
    }
  }

  override endedByMaster(link: LinkView, code: number): void {
    if (code !== 1006) return;
    const { nowMs } = this.court;
    const what = `${link.member.name} was given up, and had been heard at ${link.heardAtMs}`;
    if (nowMs - link.heardAtMs < link.socketTimeout - ROUNDING_MS) this.fail(what);
    const toAnswerMs = link.socketTimeout - link.pingInterval;
    if (!(nowMs - link.askedAtMs >= toAnswerMs - ROUNDING_MS)) this.fail(`${what}, and asked at ${link.askedAtMs}`);
    if (link.unreadAtMaster(nowMs - STALL_MS).length > 0) this.fail(`${what}; what it had said since lay unread`);
  }

  override endedByWorker(link: LinkView, code: number): void {
    if (code !== 1006 || !link.isWelcomedThere) return;
    const { nowMs } = this.court;
    const what = `${link.member.name} gave its master up, and had heard it at ${link.heardThereAtMs}`;
    if (nowMs - link.heardThereAtMs < link.socketTimeout - ROUNDING_MS) this.fail(what);
    // Whose thread is kept busy by one task after the other judges in the end, whatever has come in meanwhile.
    if (link.member.plan.way === 'blocking') return;
    if (link.link.unreadBy('client', nowMs - STALL_MS).length > 0) this.fail(`${what}; what it said since lay unread`);
  }

  override ticked(): void {
    const { nowMs, links, reign } = this.court;
    for (const link of links) {
      if (link.isOpenAtWorker && link.isWelcomedThere) this.#lookAtMaster(link);
      if (!link.isOpenAtMaster || link.reign !== reign || !reign.master.process.isRunning) continue;
      const { member, pingedAtMs, pingInterval, heardAtMs, socketTimeout } = link;
      const { steadySinceMs } = reign;
      // It was not welcomed: its hello came behind the goodbye of the master.
      if (socketTimeout === 0) continue;
      const askedMs = Math.max(pingedAtMs + pingInterval, steadySinceMs + LATE_MS);
      if (nowMs > askedMs + LATE_MS) this.fail(`${member.name} was not pinged since ${pingedAtMs}`);
      // If the master stood still since, the first ping may have come when it went on.
      const heardAtAnyRateMs = steadySinceMs > heardAtMs ? steadySinceMs + LATE_MS + socketTimeout - pingInterval : 0;
      const latestMs = Math.max(heardAtMs + socketTimeout, heardAtAnyRateMs);
      if (nowMs > latestMs + LATE_MS) this.fail(`${member.name} was not heard since ${heardAtMs}`);
    }
  }

  #lookAtMaster({ member, heardThereAtMs, socketTimeout }: LinkView): void {
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
        const { task, cancelledThereAtMs, link } = lease;
        if (cancelledThereAtMs !== undefined)
          this.fail(`task ${task.n} at ${name} was cancelled at ${cancelledThereAtMs}`);
        if (!link.isOpenAtWorker) this.fail(`task ${task.n} at ${name} has lost its connection`);
      }
    }
  }

  override ticked(): void {
    const { nowMs, links } = this.court;
    for (const { open, isOpenAtWorker, member } of links) {
      if (!isOpenAtWorker || !member.isAlive) continue;
      const latestMs = nowMs - member.plan.grace - member.worker.process.timerGrainMs - 200;
      for (const { cancelledThereAtMs, isAnsweredThere, id } of open) {
        if (cancelledThereAtMs === undefined || isAnsweredThere) continue;
        if (cancelledThereAtMs > latestMs || member.disturbedUntilMs > cancelledThereAtMs - 1500) continue;
        this.fail(`lease ${id} at ${member.name} was cancelled at ${cancelledThereAtMs}, and has no answer yet`);
      }
    }
  }
}
