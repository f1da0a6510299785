// How long a session outlives its connection, at either end, and for what it is never ended.
import { CloseCode } from '../../../src/protocol/close-codes.ts';
import type { Execution, SessionView, TaskView } from '../views.ts';
import { LATE_MS, ROUNDING_MS, Rule, STALL_MS } from './rule.ts';

/** A master keeps the leases of a lost connection for its window: no shorter, and no longer. */
export class Awaited extends Rule {
  readonly name = 'a session whose connection is lost is kept for the window if it has leases, and no longer';

  override interrupted(session: SessionView): void {
    if (liveOf(session) + session.unsaid === 0) this.fail(`${session.member.name} is awaited, and has nothing`);
  }

  override expired(session: SessionView): void {
    const { reign, lostAtMs, member } = session;
    const { nowMs } = this.court;
    if (reign.state !== 'running' || reign.drainingSinceMs <= nowMs) return;
    // Of those that have nothing it is told at once.
    if (nowMs < lostAtMs + reign.resumeWindow - ROUNDING_MS && (liveOf(session) > 0 || nowMs > lostAtMs)) {
      this.fail(`${member.name}, lost at ${lostAtMs}, is not awaited for ${reign.resumeWindow} ms`);
    }
    if (nowMs > lostAtMs && this.court.isReturnUnread(session, nowMs - STALL_MS)) {
      this.fail(`${member.name} is back, and its hello lies unread`);
    }
  }

  override lost(task: TaskView, session: SessionView | undefined): void {
    if (session?.isInterrupted !== true || session.reign.state !== 'running') return;
    if (session.reign.drainingSinceMs <= this.court.nowMs) return;
    const untilMs = session.lostAtMs + session.reign.resumeWindow;
    if (this.court.nowMs < untilMs - ROUNDING_MS)
      this.fail(`task ${task.n} of ${session.member.name} before ${untilMs}`);
  }

  override momentOver(): void {
    for (const { resumedAtMs, open, member, linkAtMaster } of this.court.sessions) {
      // Who is lost again at the same moment is told when it comes back the next time.
      if (resumedAtMs !== this.court.nowMs || linkAtMaster === undefined) continue;
      for (const { isUnsaid, id } of open)
        if (isUnsaid) this.fail(`${member.name} is back, and not told that it has lost ${id}`);
    }
  }

  override ticked(): void {
    const { nowMs, sessions, reign } = this.court;
    if (!reign.master.process.isRunning) return;
    for (const { isInterrupted, lostAtMs, member, reign: of } of sessions) {
      if (!isInterrupted || of !== reign) continue;
      const latestMs = Math.max(lostAtMs + reign.resumeWindow, reign.steadySinceMs) + LATE_MS;
      if (nowMs > latestMs) this.fail(`${member.name}, lost at ${lostAtMs}, is awaited yet`);
    }
  }
}

/** Who the program of a worker has told to stop aborts what it runs, connected or not. */
const STOPPING = new Set(['stopping', 'stopped', 'draining', 'hidden']);

/** A worker goes on with what it runs until its master has given it away for certain; then it stops. */
export class GoesOn extends Rule {
  readonly name = 'a worker goes on while its connection is lost, until its master has given up';

  override aborted({ lease, member }: Execution): void {
    const { session, cancelledThereAtMs, task } = lease;
    if (!session.isInterruptedThere || cancelledThereAtMs !== undefined) return;
    const { state } = member.worker;
    const isOver = this.court.nowMs >= releasedAtMs(session) - ROUNDING_MS;
    if (!isOver && !STOPPING.has(state)) this.fail(`task ${task.n} at ${member.name} is to stop at ${state}`);
    if (isOver || state !== 'draining') this.court.endedUnseen(session);
  }

  override ticked(): void {
    const { nowMs, sessions } = this.court;
    for (const session of sessions) {
      const { isInterruptedThere, isOpenAtWorker, member } = session;
      if (!isInterruptedThere || !isOpenAtWorker || !member.worker.process.isRunning) continue;
      if (member.throttledUntilMs > nowMs - LATE_MS) continue;
      if (nowMs <= Math.max(releasedAtMs(session), member.stalledUntilMs) + LATE_MS) continue;
      for (const { lease, signal } of member.running) {
        if (lease.session === session && !signal.aborted) this.fail(`task ${lease.task.n} at ${member.name} runs yet`);
      }
      this.court.endedUnseen(session);
    }
  }
}

/** What only a peer that does not keep to the protocol brings about, or a mistake of this side. */
const BLAME: ReadonlySet<number> = new Set([
  CloseCode.badFrame,
  CloseCode.unsupportedVersion,
  CloseCode.violation,
  CloseCode.internalError,
]);

/** Everybody here keeps to the protocol. Without this, two who fall out over it would meet again and again. */
export class Blameless extends Rule {
  readonly name = 'nobody is blamed for what breaks the protocol';

  override endedByMaster({ member }: SessionView, code: number): void {
    if (BLAME.has(code)) this.fail(`${member.name} is, with ${code}`);
  }

  override endedByWorker({ member }: SessionView, code: number): void {
    if (BLAME.has(code)) this.fail(`the master is by ${member.name}, with ${code}`);
  }
}

/** By then the master has noticed that the connection is lost, and waited for another one. */
function releasedAtMs({ heardThereAtMs, socketTimeout, reign }: SessionView): number {
  return heardThereAtMs + socketTimeout + reign.resumeWindow;
}

function liveOf({ open }: SessionView): number {
  let live = 0;
  for (const { state } of open) if (state === 'live') live += 1;
  return live;
}
