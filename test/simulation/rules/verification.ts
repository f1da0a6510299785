// What is verified: who has a part in it, and on what its result rests.
import { answerOf } from '../task.ts';
import { type LeaseView, type PutView, principalOf, type Reign, type SessionView, type TaskView } from '../views.ts';
import { Rule } from './rule.ts';

/** Nobody has two parts in verifying a task, by however many workers. */
export class Distinct extends Rule {
  readonly name = 'a principal has one lease of a task that is verified, and none once it has given a result';

  override granted({ id, session, task }: LeaseView): void {
    if (task.terms.verify === undefined) return;
    const principal = principalOf(session);
    const what = `lease ${id} of task ${task.n} to ${session.member.name}, for ${principal},`;
    if (task.heardOf.has(principal)) this.fail(`${what} which has given a result`);
    for (const other of task.live) {
      if (other.id === id && other.session === session) continue;
      // The master has told that it is taken back: its cancel is about to leave, over another connection than this grant.
      if (other.takenBack !== undefined) continue;
      if (principalOf(other.session) === principal) this.fail(`${what} which is at it by ${other.session.member.name}`);
    }
  }
}

/** Whoever gives nothing that counts may be granted nothing for as long. */
const MAX_REST_MS = 60_000;

/** A result that has come in time. */
interface Vote {
  readonly lease: LeaseView;
  readonly principal: string;
  readonly answer: string;
  readonly atMs: number;
  /** Whether its principal has proved wrong elsewhere since. */
  isDiscarded: boolean;
}

/** Keeps books of its own of who has said what, and who has proved right how often in a row. */
export class Quorum extends Rule {
  readonly name = 'a verified result is that of a quorum of principals, or of one that is trusted';
  readonly #votes = new Map<TaskView, Vote[]>();
  /** By reign, and principal. */
  readonly #valid = new Map<Reign, Map<string, number>>();

  override answered(lease: LeaseView, kind: string, value: unknown, wasLive: boolean): void {
    const { task, session } = lease;
    if (!wasLive || task.terms.verify === undefined || task.outcome !== undefined) return;
    if (kind === 'failed') this.#mayRest(session);
    if (kind !== 'done') return;
    const votes = this.#votes.get(task) ?? [];
    this.#votes.set(task, votes);
    const { nowMs } = this.court;
    votes.push({ lease, principal: principalOf(session), answer: answerOf(value), atMs: nowMs, isDiscarded: false });
  }

  /** Its cancel was about to leave when the answer came. */
  override cancelled(lease: LeaseView, reason: string): void {
    if (reason === 'timeout' && lease.task.terms.verify !== undefined) this.#mayRest(lease.session);
    const votes = this.#votes.get(lease.task);
    if (votes !== undefined && lease.task.outcome === undefined)
      this.#votes.set(
        lease.task,
        votes.filter((vote) => vote.lease !== lease),
      );
  }

  override settled(task: TaskView): void {
    const { verify } = task.terms;
    if (verify === undefined) return;
    const votes = (this.#votes.get(task) ?? []).filter(({ isDiscarded }) => !isDiscarded);
    if (task.outcome === 'noQuorum') {
      this.#expectDispute(task, votes);
      for (const { lease } of votes) this.#mayRest(lease.session);
    }
    if (task.outcome !== 'done') {
      this.#votes.delete(task);
      return;
    }
    const last = votes.at(-1);
    if (last?.atMs !== this.court.nowMs) {
      this.fail(`task ${task.n} is done, and no result has come at this moment`);
      return;
    }
    const agreeing = votes.filter(({ answer }) => answer === last.answer);
    const isAgreed = new Set(agreeing.map(({ principal }) => principal)).size >= Number(verify.quorum);
    const after = verify.trust === false ? Number.POSITIVE_INFINITY : Number(verify.trust?.after);
    const valid = this.#validOf(task.reign);
    if (!isAgreed && (valid.get(last.principal) ?? 0) < after) {
      this.fail(
        `task ${task.n} has the word of ${last.principal} alone, right ${valid.get(last.principal) ?? 0} times`,
      );
    }
    this.court.count(isAgreed ? 'a quorum agreed' : 'taken at its word');
    // Who is taken at his word proves nothing by it.
    for (const vote of agreeing) {
      if (isAgreed || vote !== last) valid.set(vote.principal, (valid.get(vote.principal) ?? 0) + 1);
    }
    for (const { principal, answer, lease } of votes) {
      if (answer === last.answer) continue;
      this.#distrust(task, principal, valid);
      this.#mayRest(lease.session);
    }
  }

  /** The result that is handed on is one of those that agree. */
  override putSettled({ n, task, outcome }: PutView, value: unknown): void {
    if (outcome !== 'done' || task?.terms.verify === undefined) return;
    const votes = this.#votes.get(task) ?? [];
    const answer = answerOf(value);
    const last = votes.at(-1);
    if (answer !== last?.answer)
      this.fail(`put ${n} of task ${task.n} has ${answer}, and ${last?.answer} was agreed on`);
  }

  /** So many were asked as may be, or no quorum could come of those left. */
  #expectDispute({ n, terms }: TaskView, votes: readonly Vote[]): void {
    this.court.count('no quorum agreed');
    const { quorum = 0, maxReplicas = 0 } = terms.verify ?? {};
    const counts = new Map<string, number>();
    for (const { answer } of votes) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    const most = Math.max(0, ...counts.values());
    if (quorum - most <= maxReplicas - votes.length) this.fail(`task ${n} is given up after ${votes.length} results`);
  }

  #mayRest(session: SessionView): void {
    session.mayRestUntilMs = this.court.nowMs + MAX_REST_MS;
  }

  #distrust(caughtAt: TaskView, principal: string, valid: Map<string, number>): void {
    this.court.count(valid.has(principal) ? 'caught who had proved right' : 'caught');
    valid.delete(principal);
    for (const [task, votes] of this.#votes) {
      if (task === caughtAt || task.reign !== caughtAt.reign || task.outcome !== undefined) continue;
      for (const vote of votes) {
        if (vote.principal !== principal || vote.isDiscarded) continue;
        vote.isDiscarded = true;
        this.court.count('results discarded');
      }
    }
  }

  #validOf(reign: Reign): Map<string, number> {
    const valid = this.#valid.get(reign) ?? new Map<string, number>();
    this.#valid.set(reign, valid);
    return valid;
  }
}
