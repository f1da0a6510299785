// Leases: how many of a task, in whose hands, with which numbers, and what their end does.
import { isGoodbye } from '../../../src/protocol/close-codes.ts';
import { type Execution, isEligible, type LeaseView, type SessionView, type TaskView } from '../views.ts';
import { Rule } from './rule.ts';

/** A task has one live lease, or two with different workers if it is speculated, a quorum if it is verified; and none once it is settled. */
export class OneLease extends Rule {
  readonly name = 'a task has one live lease, or two if it is speculated, and none once it is settled';
  readonly #touched = new Set<TaskView>();

  override granted(lease: LeaseView): void {
    const { task } = lease;
    this.#touched.add(task);
    // In the same moment, an abort and a grant may cross: the frame was about to leave.
    if (task.outcome !== undefined && task.settledAtMs < this.court.nowMs) {
      this.fail(`lease ${lease.id} of task ${task.n}, which is settled: ${task.outcome}`);
    }
  }

  override settled(task: TaskView): void {
    this.#touched.add(task);
  }

  override momentOver(): void {
    for (const task of this.#touched) this.#check(task);
    this.#touched.clear();
  }

  #check({ n, live, terms, outcome, reign }: TaskView): void {
    if (!reign.master.process.isRunning) return;
    const holders = [...live].map(({ session, id }) => `${session.member.name}/${id}`).join(', ');
    if (live.size > (terms.verify?.quorum ?? (terms.speculate ? 2 : 1)))
      this.fail(`${live.size} of task ${n}: ${holders}`);
    if (new Set([...live].map(({ session }) => session)).size < live.size)
      this.fail(`two of task ${n} at one: ${holders}`);
    if (outcome !== undefined && live.size > 0) this.fail(`task ${n} is ${outcome}, and leased to ${holders}`);
  }
}

/** The scheduler takes just those tasks for leased that have a live lease by what was said on the wire. */
export class LeasedOnTheWire extends Rule {
  readonly name = 'the scheduler has as many tasks leased as the wire says';

  override momentOver(): void {
    const { unsettled, scheduler, master } = this.court.reign;
    if (!master.process.isRunning) return;
    let leased = 0;
    // What is verified is leased only while it wants no more.
    let open = 0;
    for (const { live, terms } of unsettled) {
      if (live.size === 0) continue;
      leased += 1;
      if (terms.verify !== undefined) open += 1;
    }
    const hidden = scheduler.leased - leased;
    if (hidden < -open || hidden > this.court.unsaid)
      this.fail(`${scheduler.leased} at the scheduler, ${leased} on the wire`);
  }
}

/** Attempts are numbered: a number that failed or was lost does not come again, and none is left out. */
export class AttemptNumbers extends Rule {
  readonly name = 'the number of an attempt that failed does not come again, and none is left out';

  override granted({ task, attempt }: LeaseView): void {
    // Each principal has numbers of its own, lest they tell what others do.
    if (task.terms.verify !== undefined) return;
    if (attempt <= task.spentAttempt) this.fail(`attempt ${attempt} of task ${task.n} again`);
    // Of one that was granted as the connection was lost, nobody has seen the number.
    if (attempt > task.grantedAttempt + 1 && this.court.unsaid === 0)
      this.fail(`attempt ${attempt} of task ${task.n} after ${task.grantedAttempt}`);
  }
}

/** What a live lease is answered with counts: a result settles the task. What comes later does not. */
export class AnswersCount extends Rule {
  readonly name = 'a result on a live lease settles its task';
  readonly #done: LeaseView[] = [];

  override answered(lease: LeaseView, kind: string, _value: unknown, wasLive: boolean): void {
    if (kind === 'done' && wasLive && lease.task.terms.verify === undefined) this.#done.push(lease);
  }

  override momentOver(): void {
    for (const { task, cancelReason, session, id } of this.#done.splice(0)) {
      if (task.outcome === undefined && cancelReason === undefined) {
        this.fail(`task ${task.n} is not settled by lease ${id} of ${session.member.name}`);
      }
    }
  }
}

/** Nobody runs what was not granted to it, or runs it twice, or after it was called off. */
export class GrantedOnce extends Rule {
  readonly name = 'a handler is called once for each grant, and not after it was called off';

  override started({ lease, member }: Execution): void {
    const { cancelledThereAtMs, isAnsweredThere, task, session } = lease;
    const what = `task ${task.n} at ${member.name}, lease ${lease.id}`;
    if (cancelledThereAtMs !== undefined && cancelledThereAtMs < this.court.nowMs) this.fail(`${what} was cancelled`);
    if (isAnsweredThere) this.fail(`${what} was answered`);
    if (!session.isOpenAtWorker) this.fail(`${what} went with its connection`);
  }
}

/** A worker that is asked for a lease gives it back at once, unless it has started; one that is paused gives back all. */
export class GivenBack extends Rule {
  readonly name = 'a worker gives back what it is asked for, and all when it is paused, unless it has started';

  override momentOver(): void {
    for (const session of this.court.sessions) {
      const { member, linkAtWorker } = session;
      const { isPaused, process, state } = member.worker;
      // In lanes it takes its time.
      if (linkAtWorker === undefined || !process.isRunning || member.plan.way === 'lanes') continue;
      const isAwake = member.disturbedUntilMs < this.court.nowMs;
      const givesAll = isPaused || state === 'draining';
      for (const { recalledThereAtMs, execution, isAnsweredThere, isDelivered, id } of session.open) {
        if (execution !== undefined || isAnsweredThere || !isDelivered) continue;
        if (givesAll) this.fail(`lease ${id} at ${member.name}, which is ${isPaused ? 'paused' : state}`);
        if (recalledThereAtMs !== undefined && isAwake) this.fail(`lease ${id} at ${member.name} is held on to`);
      }
    }
  }
}

/** What a handler came to is said when the moment is over, or when the connection is back. */
export class Told extends Rule {
  readonly name = 'a worker answers at once what it is through with, or when it is back';

  override momentOver(): void {
    for (const { linkAtWorker, member, open } of this.court.sessions) {
      if (linkAtWorker?.client.state !== 'open' || !member.worker.process.isRunning) continue;
      // In lanes it takes its time.
      if (member.plan.way === 'lanes') continue;
      for (const { execution, isAnsweredThere, id } of open) {
        if (execution?.isOver === true && !isAnsweredThere) this.fail(`lease ${id} at ${member.name} has no answer`);
      }
    }
  }
}

/** Who gets a task takes its type, has what it requires, and has not rejected it. */
export class Eligible extends Rule {
  readonly name = 'a task goes to who takes it, has what it requires, and has not rejected it';

  override granted({ session, task, id }: LeaseView): void {
    if (!isEligible(session, task)) this.fail(`lease ${id} of task ${task.n} to ${session.member.name}`);
  }
}

/** A worker starts its tasks in the order of their grants. */
export class StartOrder extends Rule {
  readonly name = 'a worker starts its tasks in the order of their grants';

  override started({ lease, member }: Execution): void {
    // What it has answered while the connection is lost, nobody has seen yet.
    if (member.plan.way === 'lanes' || lease.session.isInterruptedThere) return;
    for (const other of lease.session.open) {
      if (other.id >= lease.id) return;
      if (!other.isDelivered || other.isAnsweredThere || other.execution !== undefined) continue;
      // It is given back, which is about to be said.
      if (other.cancelledThereAtMs !== undefined || other.recalledThereAtMs !== undefined) continue;
      this.fail(`lease ${lease.id} at ${member.name} before ${other.id}`);
    }
  }
}

/** Only a connection that breaks costs a delivery. */
export class Lost extends Rule {
  readonly name = 'an attempt is lost with a connection that breaks, and with no other';

  override lost(task: TaskView, session: SessionView | undefined): void {
    // One that ends before its welcome has left has no name to be found by.
    if (session === undefined) return;
    const { endCode, member } = session;
    if (endCode === undefined || isGoodbye(endCode)) this.fail(`task ${task.n} with ${member.name}: ${endCode}`);
  }
}
