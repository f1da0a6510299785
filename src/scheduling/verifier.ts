// Results from strangers: which of them are accepted, and who is trusted.
import { NoQuorumError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import type { Random } from '../ports.ts';
import type { SchedulerEvent } from './events.ts';
import { Groups } from './groups.ts';
import { Penalties } from './penalties.ts';
import { principalOf } from './principal.ts';
import type { LeaseHolder } from './scheduler.ts';
import type { Statistics } from './statistics.ts';
import type { RecordLease, TaskRecord } from './task-record.ts';
import { Trust } from './trust.ts';
import { type Tally, type Verdict, Verification, type Voter } from './verification.ts';
import type { VerifyTerms } from './verify-options.ts';

/** What the verifier works with, and what is to come of results. */
export interface VerifierContext<T, R> {
  readonly random: Random;
  now(): number;
  /** The holder of this id, if it is there. */
  holderOf(holderId: string): LeaseHolder<T> | undefined;
  readonly statistics: Statistics;
  readonly events: Emitter<SchedulerEvent<T>>;
  /** Ends a lease; what becomes of its task is said next. */
  end(lease: RecordLease<T, R>): void;
  /** The task has this result. */
  resolve(record: TaskRecord<T, R>, result: R): void;
  /** No quorum can come of the task's results. */
  reject(record: TaskRecord<T, R>, error: NoQuorumError): void;
  /** The task may want another execution, or none any more. */
  goOn(record: TaskRecord<T, R>): void;
}

/** A result that would have done, but was drawn to be checked; its task is open. */
interface Check<T, R> {
  readonly record: TaskRecord<T, R>;
  /** How often in a row its principal had proved right by then. */
  readonly valid: number;
}

/** Knows the tasks that are being verified, by those who have a part in it, and how far each of these is trusted. */
export class Verifier<T, R> {
  readonly #context: VerifierContext<T, R>;
  readonly #trust = new Trust();
  readonly #penalties: Penalties;
  /**
   * By principal: the unsettled tasks that it matters to if that one is caught, as it is alone with them, or they have a
   * result of it that counts. No others: it may be caught often, and have answered all that is queued.
   */
  readonly #open = new Groups<string, TaskRecord<T, R>>();
  /** By principal: the last result that was drawn. There is another one only if that cannot be checked. */
  readonly #checks = new Map<string, Check<T, R>>();

  constructor(context: VerifierContext<T, R>) {
    this.#context = context;
    this.#penalties = new Penalties(() => context.now());
  }

  /** A holder is about to be granted an attempt at a task that is verified on these terms. */
  granted(record: TaskRecord<T, R>, terms: VerifyTerms, holder: LeaseHolder<T>): void {
    const principal = principalOf(holder);
    const verification = record.verification ?? new Verification<R>(terms);
    record.verification = verification;
    const role = this.#roleOf(principal, holder, verification, terms);
    verification.granted(principal, role);
    if (role === 'alone') this.#open.add(principal, record);
  }

  /** An attempt at a task that is verified has started. */
  started(lease: RecordLease<T, R>): void {
    this.#penalties.started(lease);
  }

  /** It had not after all. */
  turnedBack(lease: RecordLease<T, R>): void {
    this.#penalties.ended(lease);
  }

  /** A lease has ended. If it gave a result that counts, that is said next. */
  ended(lease: RecordLease<T, R>): void {
    const { record, holder } = lease;
    this.#penalties.ended(lease);
    const principal = principalOf(holder);
    record.verification?.ended(principal);
    this.#open.delete(principal, record);
  }

  /** A task is about to be settled. */
  closed(record: TaskRecord<T, R>): void {
    for (const principal of record.barred) {
      this.#open.delete(principal, record);
      if (this.#checks.get(principal)?.record === record) this.#checks.delete(principal);
    }
  }

  /** A holder is gone. */
  left(holder: LeaseHolder<T>): void {
    // Nobody will ever come again who is known by this.
    if (holder.principal === undefined) this.#trust.reset(principalOf(holder));
  }

  /** An attempt at a task that is verified has failed. */
  failed({ holder, record, startedAtMs }: RecordLease<T, R>): void {
    const nowMs = this.#context.now();
    const valid = this.#trust.validOf(principalOf(holder));
    this.#penalties.impose(holder, { type: record.type, valid, spentMs: nowMs - (startedAtMs ?? nowMs) });
  }

  /** An attempt at a task that is verified has given a result: ends its lease, and says what comes of it. */
  received(lease: RecordLease<T, R>, terms: VerifyTerms, verification: Verification<R>, result: R): void {
    const { record, holder } = lease;
    const voter = voterOf(holder);
    const wouldDo = verification.ended(voter.principal);
    const worth = wouldDo ? this.#worthOf(voter.principal, holder, terms) : 'a vote';
    const isBelieved = worth === 'all votes';
    const tally: Tally<R> = isBelieved
      ? { kind: 'decided', ...verification.decide(result) }
      : verification.vote(voter, result);
    // What compares results is the user's, and may have had the task aborted.
    if (!lease.isLive) return;
    this.#context.end(lease);
    if (isBelieved) this.#context.statistics.total.trusted += 1;
    else this.#open.add(voter.principal, record);
    if (worth === 'a check') {
      this.#checks.set(voter.principal, { record, valid: this.#trust.validOf(voter.principal) });
    }
    switch (tally.kind) {
      case 'decided':
        if (!isBelieved) this.#penalties.worked(lease);
        this.#decide(record, tally);
        break;
      case 'undecidable':
        this.#penalise(verification, record);
        this.#context.reject(record, noQuorum(verification));
        if (tally.isDisputed) this.#tellDisputed(record, verification, voter);
        break;
      case 'open':
        this.#context.goOn(record);
        if (tally.isDisputed) this.#tellDisputed(record, verification, voter);
        break;
    }
  }

  /**
   * What the result of a holder will be worth. Whether one that is trusted is checked is drawn when its result is there, and
   * nobody else is given the task before: so nothing can tell it, nor its friends, whether it will be.
   */
  #roleOf(
    principal: string,
    { isTrusted }: LeaseHolder<T>,
    { isUntouched }: Verification<R>,
    { trustAfter }: VerifyTerms,
  ): 'one of several' | 'alone' | 'always' {
    if (trustAfter === undefined) return 'one of several';
    if (isTrusted === true) return 'always';
    return isUntouched && this.#trust.validOf(principal) >= trustAfter ? 'alone' : 'one of several';
  }

  /**
   * What a result is worth that would do by itself. While one is being checked, another one is a vote like any other's: or who
   * lies, and is quicker than who checks, would have any number accepted meanwhile.
   */
  #worthOf(
    principal: string,
    { isTrusted }: LeaseHolder<T>,
    { trustAfter = Number.NaN }: VerifyTerms,
  ): 'all votes' | 'a check' | 'a vote' {
    if (isTrusted === true) return 'all votes';
    const valid = this.#trust.validOf(principal);
    if (!(valid >= trustAfter) || this.#isBeingChecked(principal, valid - trustAfter)) return 'a vote';
    return this.#context.random() >= 1 / valid ? 'all votes' : 'a check';
  }

  /**
   * If nobody who is there can check it, that may be so for ever: then it does to have proved right since as often as it takes
   * to be trusted, that is, to have had no more than `waivedFrom` before.
   */
  #isBeingChecked(principal: string, waivedFrom: number): boolean {
    const check = this.#checks.get(principal);
    if (check === undefined) return false;
    return check.valid > waivedFrom || check.record.lane?.isOrphaned !== true;
  }

  #decide(record: TaskRecord<T, R>, { result, winners, losers }: Verdict<R>): void {
    const { statistics, resolve, holderOf } = this.#context;
    for (const { principal, identity, workerId } of winners) {
      // Who is gone for ever would push those out of the table who are not.
      if (identity !== undefined || holderOf(workerId) !== undefined) this.#trust.won(principal);
    }
    // Before anybody hears of it, who might bring a result in that is to count no more.
    const discarded = losers.map(({ principal }) => this.#distrust(principal, record));
    for (const [index, { workerId }] of losers.entries()) {
      const attempts = 1 + (discarded[index] ?? 0);
      this.#penalties.impose(holderOf(workerId), { type: record.type, valid: 0, attempts });
    }
    resolve(record, result);
    for (const [index, loser] of losers.entries()) {
      const { worker, workerId, identity } = loser;
      statistics.total.distrusted += 1;
      if (!this.#context.events.hears('workerDistrusted')) continue;
      this.#context.events.emit({
        type: 'workerDistrusted',
        key: record.key,
        task: record.task,
        worker,
        workerId,
        ...(identity === undefined ? {} : { principal: identity }),
        discarded: discarded[index] ?? 0,
      });
    }
  }

  /** No quorum can come of what they have given: nobody knows who was right. */
  #penalise({ agreements }: Verification<R>, { type }: TaskRecord<T, R>): void {
    for (const { voters } of agreements) {
      for (const { principal, workerId } of voters) {
        this.#penalties.impose(this.#context.holderOf(workerId), { type, valid: this.#trust.validOf(principal) });
      }
    }
  }

  /** Its results that are not accepted yet are worth nothing. Returns how many there were. */
  #distrust(principal: string, caughtAt: TaskRecord<T, R>): number {
    const { statistics, goOn } = this.#context;
    this.#trust.reset(principal);
    this.#checks.delete(principal);
    let discarded = 0;
    for (const record of [...this.#open.get(principal)]) {
      if (record === caughtAt) continue;
      this.#open.delete(principal, record);
      const outcome = record.verification?.distrust(principal);
      if (outcome?.hasChanged !== true) continue;
      discarded += outcome.discarded;
      goOn(record);
    }
    statistics.total.discarded += discarded;
    return discarded;
  }

  #tellDisputed(record: TaskRecord<T, R>, { votes }: Verification<R>, { worker, workerId }: Voter): void {
    const { statistics, events } = this.#context;
    statistics.total.disputed += 1;
    if (!events.hears('resultDisputed')) return;
    const { key, task } = record;
    events.emit({ type: 'resultDisputed', key, task, worker, workerId, results: votes });
  }
}

function voterOf<T>(holder: LeaseHolder<T>): Voter {
  const { name, id, principal } = holder;
  return { principal: principalOf(holder), worker: name, workerId: id, identity: principal };
}

function noQuorum<R>({ agreements, equalsError }: Verification<R>): NoQuorumError {
  return new NoQuorumError(
    agreements.map(({ result, voters }) => ({
      result,
      votes: voters.length,
      workers: voters.map(({ worker, workerId }) => ({ worker, workerId })),
    })),
    equalsError === undefined ? {} : { cause: equalsError },
  );
}
