// Leases: which the master grants, takes back and hears answers to.
import { executionOf, type Message } from '../messages.ts';
import { type LeaseView, principalOf, type Reign, type SessionView, type TaskView } from '../views.ts';
import type { Desk } from './desk.ts';

export class LeaseBook {
  /** In which step a worker came back that was awaited: what is sent in it was kept. */
  keptStep = -1;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  granted(view: SessionView, [, id, attempt, , task]: Message): void {
    // It was about to leave when the connection was lost.
    const isLate = this.keptStep === this.#desk.steps;
    if (isLate) view.unsaid -= 1;
    if (view.unsaid < 0)
      this.#desk.violated('nothing is granted while the connection is lost', `${id} to ${view.member.name}`);
    const view_ = view.reign.tasks.get((task as { readonly n: number }).n);
    if (view_ === undefined) {
      this.#desk.violated('what is granted was put', `lease ${id} to ${view.member.name}`);
      return;
    }
    const lease: LeaseView = {
      id: Number(id),
      session: view,
      task: view_,
      attempt: Number(attempt),
      grantedAtMs: isLate ? view.lostAtMs : this.#desk.nowMs,
      isSecond: view_.live.size > 0,
      state: 'live',
      cancelReason: undefined,
      isUnsaid: false,
      takenBack: undefined,
      resumes: isLate ? 1 : 0,
      startedAtMs: Number.NEGATIVE_INFINITY,
      progressedAtMs: Number.NEGATIVE_INFINITY,
      keptUntilMs: Number.POSITIVE_INFINITY,
      answer: undefined,
      isDelivered: false,
      execution: undefined,
      cancelledThereAtMs: undefined,
      recalledThereAtMs: undefined,
      isAnsweredThere: false,
    };
    if (view.leases.has(lease.id))
      this.#desk.violated('the number of a lease is used once', `${id} at ${view.member.name}`);
    if (!view.isOpenAtMaster) return;
    view.leases.set(lease.id, lease);
    view.open.add(lease);
    view.unanswered += 1;
    // Its number does not tell: others may have failed since, by another number, or by one of another principal.
    if (isLate && view.takenBackUnsaid.delete(view_)) {
      lease.state = 'cancelled';
      lease.isUnsaid = true;
    } else {
      view_.live.add(lease);
    }
    if (!isLate) for (const rule of this.#desk.rules) rule.granted?.(lease);
    view_.grantedAttempt = Math.max(view_.grantedAttempt, lease.attempt);
    view_.grantedAtMs = this.#desk.nowMs;
  }

  cancelled(view: SessionView, id: number, reason: string): void {
    const lease = view.leases.get(id);
    if (lease === undefined) {
      this.#desk.violated('what is cancelled was granted', `lease ${id} at ${view.member.name}`);
      return;
    }
    const { task, answer } = lease;
    if (lease.isUnsaid) {
      lease.isUnsaid = false;
      return;
    }
    // What was kept when the connection was lost leaves only now.
    const queuedBy = this.keptStep === this.#desk.steps ? view.lostAtMs : this.#desk.nowMs;
    if (lease.state === 'answered' && answer?.atMs === queuedBy) {
      // The cancel was waiting to leave when the answer came, which was late so.
      if (answer.kind === 'failed') task.failures -= 1;
      if (task.result?.execution === executionOf(answer.value) && task.outcome !== 'done') task.result = undefined;
    } else if (lease.state !== 'live') {
      this.#desk.violated('what is cancelled is live', `lease ${id} at ${view.member.name} is ${lease.state}`);
    }
    if (lease.state === 'live') lease.state = 'cancelled';
    lease.cancelReason = reason;
    task.live.delete(lease);
    if (reason === 'timeout') this.#spend(task, lease.attempt);
    for (const rule of this.#desk.rules) rule.cancelled?.(lease, reason);
  }

  answered(view: SessionView, id: number, kind: string, value: unknown): void {
    const lease = view.leases.get(id);
    if (lease === undefined || !view.isOpenAtMaster) return;
    const wasLive = lease.state === 'live';
    if (lease.state === 'live' || lease.state === 'cancelled') view.unanswered -= 1;
    if (lease.state !== 'over') lease.state = 'answered';
    view.open.delete(lease);
    this.takenToRun(view, view.concurrency);
    if (wasLive) {
      const { task } = lease;
      lease.answer = { kind, value, atMs: this.#desk.nowMs };
      task.live.delete(lease);
      if (kind === 'failed') this.#spend(task, lease.attempt);
      if (kind === 'rejected') task.refusedBy.add(view);
      // Unless its cancel is about to leave: then the answer was late.
      const isVote = kind === 'done' && task.terms.verify !== undefined && lease.takenBack === undefined;
      if (isVote) task.heardOf.add(principalOf(view));
      if (kind === 'done') task.result ??= { execution: executionOf(value), atMs: this.#desk.nowMs };
    }
    for (const rule of this.#desk.rules) rule.answered?.(lease, kind, value, wasLive);
  }

  /**
   * So many of the oldest run, by all that the master knows: it waits no longer for those of them that it had asked for. If
   * a word on the concurrency says later that they do not, they wait as others do, and it asks anew, if somebody is idle yet.
   */
  takenToRun(view: SessionView, slots: number): void {
    let position = 0;
    for (const lease of view.open) {
      position += 1;
      if (position > slots) return;
      lease.keptUntilMs = Number.POSITIVE_INFINITY;
    }
  }

  /** The master tells that an attempt has started. */
  startedAtMaster(reign: Reign, n: number, workerId: string): void {
    const lease = this.#leaseAtMaster(reign, n, workerId);
    if (lease !== undefined) lease.startedAtMs = Math.max(lease.startedAtMs, this.#desk.nowMs);
  }

  /** The master tells that it has taken a lease back. If the connection is lost, that is told to nobody else. */
  takenBack(reign: Reign, n: number, attempt: number, workerId: string, reason: string): void {
    const lease = this.#leaseAtMaster(reign, n, workerId);
    if (lease === undefined) {
      const task = reign.tasks.get(n);
      if (task !== undefined) this.#takeBackUnsaid(reign, task, attempt, workerId, reason);
      return;
    }
    lease.takenBack = reason;
    if (lease.session.isInterrupted) this.takeBack(lease, reason);
  }

  /** The grant has not left yet, and may never. If the connection is not lost, it leaves now, and its cancel behind it. */
  #takeBackUnsaid(reign: Reign, task: TaskView, attempt: number, workerId: string, reason: string): void {
    const session = [...this.#desk.sessions].find((each) => each.reign === reign && each.id === workerId);
    if (session === undefined || session.unsaid === 0) return;
    session.takenBackUnsaid.add(task);
    if (reason !== 'timeout') return;
    this.#spend(task, attempt);
    task.grantedAttempt = Math.max(task.grantedAttempt, attempt);
  }

  takeBack(lease: LeaseView, reason: string): void {
    if (lease.state !== 'live') return;
    this.#desk.note(`${lease.session.member.name} is to lose ${lease.id}: ${reason}`);
    this.#desk.count('taken back while away');
    lease.state = 'cancelled';
    lease.isUnsaid = true;
    lease.cancelReason = reason;
    lease.task.live.delete(lease);
    if (reason === 'timeout') this.#spend(lease.task, lease.attempt);
    for (const rule of this.#desk.rules) rule.cancelled?.(lease, reason);
  }

  #leaseAtMaster(reign: Reign, n: number, workerId: string): LeaseView | undefined {
    for (const lease of reign.tasks.get(n)?.live ?? []) if (lease.session.id === workerId) return lease;
    return undefined;
  }

  #spend(task: TaskView, attempt: number): void {
    task.failures += 1;
    task.spentAttempt = Math.max(task.spentAttempt, attempt);
    // `retrying` says how long, unless another attempt is made beside it.
    task.restsAtMostUntilMs = this.#desk.nowMs + task.reign.terms.backoff.cap;
  }
}
