// Looks on at every frame, event and callback, has its books kept of what they say, and asks the rules.
import type { ClockObserver, VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Desk } from './books/desk.ts';
import { ExecutionBook } from './books/execution-book.ts';
import { LeaseBook } from './books/lease-book.ts';
import { MessageBook } from './books/message-book.ts';
import { SessionBook } from './books/session-book.ts';
import { TaskBook } from './books/task-book.ts';
import { Wires } from './books/wires.ts';
import { Concurrency, Credit, Drained } from './rules/credit.ts';
import {
  AnswersCount,
  AttemptNumbers,
  Eligible,
  GivenBack,
  GrantedOnce,
  LeasedOnTheWire,
  Lost,
  OneLease,
  StartOrder,
  Told,
} from './rules/leases.ts';
import { Order, RecallPatience, Waiting, WorkConservation } from './rules/order.ts';
import type { Rule } from './rules/rule.ts';
import { Awaited, Blameless, GoesOn } from './rules/sessions.ts';
import { Backoff, Conservation, EachPutOnce, JustEnd, Patience, RightfulResult } from './rules/settlement.ts';
import { CalledOff, Heartbeats, Timeouts } from './rules/timing.ts';
import { Distinct, Quorum } from './rules/verification.ts';
import { Trace } from './trace.ts';
import type { Member, Reign, SessionView } from './views.ts';

/** How often what has lasted for a while is looked at. */
const TICK_MS = 100;

/** A life has a few thousand. Who meets again and again, and gets nowhere, has any number of them before time is over. */
const MOST_STEPS = 50_000;

/** That a rule was broken. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
}

export class Referee implements ClockObserver, Desk {
  readonly trace = new Trace();
  readonly sessions = new Set<SessionView>();
  /** What has become of sessions, and of results that are verified, and how often. */
  readonly counts = new Map<string, number>();
  members: Member[] = [];
  violation: Violation | undefined = undefined;
  steps = 0;
  readonly rules: readonly Rule[];
  readonly leaseBook = new LeaseBook(this);
  readonly sessionBook = new SessionBook(this, this.leaseBook);
  readonly executionBook = new ExecutionBook(this);
  readonly taskBook = new TaskBook(this, this.leaseBook);
  readonly wires = new Wires(
    this,
    this.sessionBook,
    new MessageBook(this, this.sessionBook, this.leaseBook, this.executionBook),
  );
  readonly #clock: () => VirtualClock;
  #reign: Reign | undefined = undefined;
  readonly #stepped: readonly Rule[];
  #isNews = false;
  #tickedAtMs = 0;

  constructor(clock: () => VirtualClock) {
    this.#clock = clock;
    this.rules = [
      // First, as others go by what it finds.
      new Waiting(this),
      new OneLease(this),
      new LeasedOnTheWire(this),
      new AttemptNumbers(this),
      new AnswersCount(this),
      new GrantedOnce(this),
      new StartOrder(this),
      new Eligible(this),
      new Lost(this),
      new GivenBack(this),
      new Told(this),
      new Credit(this),
      new Concurrency(this),
      new Drained(this),
      new Order(this),
      new WorkConservation(this),
      new RecallPatience(this),
      new Conservation(this),
      new EachPutOnce(this),
      new JustEnd(this),
      new RightfulResult(this),
      new Patience(this),
      new Backoff(this),
      new Timeouts(this),
      new Heartbeats(this),
      new CalledOff(this),
      new Awaited(this),
      new GoesOn(this),
      new Blameless(this),
      new Distinct(this),
      new Quorum(this),
    ];
    this.#stepped = this.rules.filter((rule) => rule.stepped !== undefined);
  }

  get nowMs(): number {
    return this.#clock().now();
  }

  get reign(): Reign {
    if (this.#reign === undefined) throw new Error('Nobody reigns yet');
    return this.#reign;
  }

  get unsaid(): number {
    let unsaid = 0;
    for (const session of this.sessions) if (session.reign === this.#reign) unsaid += session.unsaid;
    return unsaid;
  }

  /** From now on, this is the master to look at. */
  crown(reign: Reign): void {
    this.#reign = reign;
  }

  isReturnUnread(session: SessionView, beforeMs: number): boolean {
    return this.sessionBook.isReturnUnread(session, beforeMs);
  }

  endedUnseen(session: SessionView): void {
    this.sessionBook.endedUnseen(session);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  isNews(): void {
    this.#isNews = true;
  }

  note(what: string): void {
    this.#isNews = true;
    this.trace.note(this.nowMs, what);
  }

  violated(rule: string, what: string): void {
    this.violation ??= { rule, what };
  }

  stepped(): void {
    this.steps += 1;
    if (this.steps > MOST_STEPS) this.violated('a life comes to its end', `there are more than ${MOST_STEPS} steps`);
    for (const rule of this.#stepped) rule.stepped?.();
    if (this.violation !== undefined) throw new Error(`${this.violation.rule}: ${this.violation.what}`);
  }

  momentOver(): void {
    const { nowMs } = this;
    const isTick = nowMs - this.#tickedAtMs >= TICK_MS;
    if (!this.#isNews && !isTick) return;
    this.#isNews = false;
    for (const session of this.sessions) {
      const { isOpenAtMaster, isInterrupted, unanswered, concurrency } = session;
      const isIdle = isOpenAtMaster && !isInterrupted && unanswered < concurrency;
      if (!isIdle) session.idleSinceMs = Number.POSITIVE_INFINITY;
      else if (session.idleSinceMs === Number.POSITIVE_INFINITY) session.idleSinceMs = nowMs;
      if (!isOpenAtMaster && !session.isOpenAtWorker) this.sessions.delete(session);
    }
    for (const rule of this.rules) rule.momentOver?.();
    if (isTick) {
      this.#tickedAtMs = nowMs;
      for (const rule of this.rules) rule.ticked?.();
    }
    if (this.violation !== undefined) throw new Error(`${this.violation.rule}: ${this.violation.what}`);
  }
}
