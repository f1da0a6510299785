// How much a worker is given: as the frames show it.
import type { Execution, LeaseView, SessionView } from '../views.ts';
import { Rule } from './rule.ts';

/** The most that `auto` ever holds beyond what runs. */
const MOST_PREFETCH = 4096;

export class Credit extends Rule {
  readonly name = 'no more leases lie at a worker than it has said that it wants';

  override granted({ session, id }: LeaseView): void {
    const { unanswered, member } = session;
    const most = mostCreditOf(session, this.court.nowMs);
    if (unanswered > most) this.fail(`lease ${id} is one of ${unanswered} at ${member.name}, of ${most}`);
  }
}

/** What a worker may hold: what was granted by its word before may leave in the same moment as a new one comes. */
export function mostCreditOf(session: SessionView, nowMs: number): number {
  const { mostCredit, creditAtMs, concurrency, prefetch } = session;
  return creditAtMs === nowMs ? mostCredit : creditOf(concurrency, prefetch);
}

/** What a worker may hold by what it says. */
export function creditOf(concurrency: number, prefetch: number | 'auto'): number {
  if (concurrency === 0) return 0;
  return concurrency + (prefetch === 'auto' ? MOST_PREFETCH : prefetch);
}

/** A worker runs no more than its concurrency, but for what was called off longer ago than its grace. */
export class Concurrency extends Rule {
  readonly name = 'a worker runs no more than its concurrency';

  override started({ member, lease }: Execution): void {
    const { worker, running, plan } = member;
    const most = plan.way === 'lanes' ? plan.concurrency : worker.concurrency;
    let occupied = 0;
    for (const each of running) if (!this.#isGivenUp(each)) occupied += 1;
    if (occupied > most) this.fail(`${occupied} at ${member.name} rather than ${most}, with task ${lease.task.n}`);
    if (plan.way === 'lanes') return;
    if (worker.isPaused || worker.state === 'draining' || worker.state === 'stopped') {
      this.fail(`task ${lease.task.n} at ${member.name}, which is ${worker.isPaused ? 'paused' : worker.state}`);
    }
  }

  #isGivenUp({ lease, member, abortedAtMs, isOver }: Execution): boolean {
    const { cancelledThereAtMs = Number.POSITIVE_INFINITY, session } = lease;
    const calledOffAtMs = Math.min(cancelledThereAtMs, session.endedThereAtMs, abortedAtMs);
    return isOver || this.court.nowMs >= calledOffAtMs + member.plan.grace;
  }
}

/** A master that drains, or has stopped, hands out nothing. */
export class Drained extends Rule {
  readonly name = 'a master that drains hands out nothing';

  override granted({ session, id }: LeaseView): void {
    const { state, drainingSinceMs } = session.reign;
    if (state !== 'running' && drainingSinceMs < this.court.nowMs) this.fail(`lease ${id} to ${session.member.name}`);
  }
}
