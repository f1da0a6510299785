// Which task goes first, and that none waits beside somebody idle.
import { isBefore, isEligible, type LeaseView, type SessionView, type TaskView } from '../views.ts';
import { Rule } from './rule.ts';

/** Who gets a task gets the first that it may have. */
export class Order extends Rule {
  readonly name = 'no task is granted while one waits that comes before it';
  readonly #granted: LeaseView[] = [];

  override granted(lease: LeaseView): void {
    if (!lease.isSecond) this.#granted.push(lease);
  }

  override momentOver(): void {
    if (this.#granted.length === 0) return;
    const { nowMs, reign } = this.court;
    for (const { task, session } of this.#granted.splice(0)) {
      if (task.reign !== reign) continue;
      for (const other of reign.unsettled) {
        // It has waited since an earlier moment, and waits still.
        if (!(other.waitingSinceMs < nowMs) || !isBefore(other, task) || !isEligible(session, other)) continue;
        this.fail(`task ${task.n} to ${session.member.name}, and ${other.n} has waited since ${other.waitingSinceMs}`);
      }
    }
  }
}

/** How long a task may lie at a busy worker while another one is idle that could have it. */
const RECALL_BOUND_MS = 4000;

export class WorkConservation extends Rule {
  readonly name = 'no task waits while a worker is idle that could have it';

  override momentOver(): void {
    const { reign, sessions } = this.court;
    if (reign.state !== 'running' || !this.#isSteady(200)) return;
    for (const session of sessions) {
      if (session.idleSinceMs > this.court.nowMs || !mayTake(session, this.court.nowMs)) continue;
      for (const task of reign.unsettled) {
        if (!(task.waitingSinceMs < this.court.nowMs) || !isEligible(session, task)) continue;
        this.fail(`task ${task.n} waits for ${session.member.name}, which has a slot free`);
      }
    }
  }

  override ticked(): void {
    const { reign, sessions, nowMs } = this.court;
    if (reign.state !== 'running' || !this.#isSteady(RECALL_BOUND_MS)) return;
    for (const idle of sessions) {
      if (idle.idleSinceMs > nowMs - RECALL_BOUND_MS || !mayTake(idle, nowMs - RECALL_BOUND_MS)) continue;
      for (const busy of sessions) if (busy !== idle && busy.reign === reign) this.#expectShared(busy, idle);
    }
  }

  #expectShared(busy: SessionView, idle: SessionView): void {
    const sinceMs = this.court.nowMs - RECALL_BOUND_MS;
    if (!busy.isOpenAtMaster || busy.member.disturbedUntilMs > sinceMs) return;
    let position = 0;
    for (const { state, grantedAtMs, task, execution } of busy.open) {
      if (state === 'answered' || state === 'over') continue;
      position += 1;
      if (position <= busy.concurrency || state !== 'live' || execution !== undefined || grantedAtMs > sinceMs)
        continue;
      if (!isEligible(idle, task)) continue;
      this.fail(`task ${task.n} lies at ${busy.member.name} since ${grantedAtMs}, and ${idle.member.name} is idle`);
    }
  }

  #isSteady(forMs: number): boolean {
    const { reign, nowMs } = this.court;
    return reign.master.process.isRunning && reign.steadySinceMs < nowMs - forMs;
  }
}

/** How much later than it should be it may be noticed. */
const RECALL_SLACK_MS = 300;

/** Who neither gives back nor starts what it was asked for loses it. */
export class RecallPatience extends Rule {
  readonly name = 'who does not give back what it was asked for loses it';

  override ticked(): void {
    const { sessions, reign, nowMs } = this.court;
    if (!reign.master.process.isRunning || reign.steadySinceMs > nowMs - RECALL_SLACK_MS) return;
    for (const { open, isOpenAtMaster, reign: of, concurrency, member } of sessions) {
      if (!isOpenAtMaster || of !== reign) continue;
      let position = 0;
      for (const { state, keptUntilMs, execution, task } of open) {
        position += 1;
        // It may have come to run meanwhile, by all that its master knows.
        if (position <= concurrency || state !== 'live' || execution !== undefined) continue;
        if (keptUntilMs < nowMs - RECALL_SLACK_MS) this.fail(`task ${task.n} is kept by ${member.name}`);
      }
    }
  }
}

/** Whether the master can send to it, and need not let it rest. */
function mayTake({ linkAtMaster, mayRestUntilMs, member }: SessionView, sinceMs: number): boolean {
  if (linkAtMaster?.server?.bufferedBytes !== 0) return false;
  return mayRestUntilMs < sinceMs && member.mayRestUntilMs < sinceMs;
}

/** Keeps `waitingSinceMs`: runs before the other rules. */
export class Waiting extends Rule {
  readonly name = 'a task is granted no earlier than it may be';

  override granted({ task, id }: LeaseView): void {
    // Who else verifies it may have been given it before somebody's failure was heard.
    const isOlder = task.terms.verify !== undefined && task.restsSinceMs === this.court.nowMs;
    if (this.court.nowMs < task.restsUntilMs && !isOlder)
      this.fail(`task ${task.n}, lease ${id}, rests until ${task.restsUntilMs}`);
  }

  override momentOver(): void {
    const { nowMs, reign, unsaid } = this.court;
    for (const task of reign.unsettled) {
      // Nobody can say which of them are leased.
      if (unsaid > 0) task.waitingSinceMs = Number.POSITIVE_INFINITY;
      else if (!isReady(task, nowMs)) task.waitingSinceMs = Number.POSITIVE_INFINITY;
      else if (task.waitingSinceMs === Number.POSITIVE_INFINITY) task.waitingSinceMs = nowMs;
    }
  }
}

/** Its alarm may ring late where the process stood still. */
const ALARM_SLACK_MS = 200;

function isReady({ live, grantedAtMs, restsAtMostUntilMs: restsUntilMs, reign }: TaskView, nowMs: number): boolean {
  if (live.size > 0 || grantedAtMs === nowMs) return false;
  return restsUntilMs === 0 || (nowMs > restsUntilMs + ALARM_SLACK_MS && nowMs > reign.steadySinceMs + ALARM_SLACK_MS);
}
