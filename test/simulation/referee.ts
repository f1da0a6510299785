// Looks on at every frame, event and callback, keeps what they say in views of its own, and asks the rules.
import { codecOf } from '../../src/protocol/codec.ts';
import { MessageType } from '../../src/protocol/messages.ts';
import type { ClockObserver, VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Side, VirtualLink, WireObserver } from '../../src/testing/virtual-network.ts';
import { Concurrency, Credit, creditOf, Drained } from './rules/credit.ts';
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
} from './rules/leases.ts';
import { Order, RecallPatience, Waiting, WorkConservation } from './rules/order.ts';
import type { Court, Rule } from './rules/rule.ts';
import { Backoff, Conservation, EachPutOnce, JustEnd, Patience, RightfulResult } from './rules/settlement.ts';
import { CalledOff, Heartbeats, Timeouts } from './rules/timing.ts';
import { Trace } from './trace.ts';
import type { Execution, LeaseView, LinkView, Member, PutView, Reign, TaskView } from './views.ts';

type Message = readonly unknown[];

/** How often what has lasted for a while is looked at. */
const TICK_MS = 100;

const ANSWERS = new Map<unknown, string>([
  [MessageType.done, 'done'],
  [MessageType.failed, 'failed'],
  [MessageType.rejected, 'rejected'],
  [MessageType.released, 'released'],
]);

const NAMES = new Map<unknown, string>(Object.entries(MessageType).map(([name, type]) => [type, name]));

/** That a rule was broken. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
}

export class Referee implements WireObserver, ClockObserver, Court {
  readonly trace = new Trace();
  readonly links = new Set<LinkView>();
  members: Member[] = [];
  violation: Violation | undefined = undefined;
  steps = 0;
  messages = 0;
  readonly #clock: () => VirtualClock;
  #reign: Reign | undefined = undefined;
  readonly #views = new Map<VirtualLink, LinkView>();
  /** What is on its way, by its sender: frames arrive in their order, or none does any more. */
  readonly #underway = new Map<VirtualLink, Record<Side, Message[][]>>();
  readonly #rules: readonly Rule[];
  readonly #stepped: readonly Rule[];
  #executions = 0;
  #isNews = false;
  #tickedAtMs = 0;

  constructor(clock: () => VirtualClock) {
    this.#clock = clock;
    this.#rules = [
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
    ];
    this.#stepped = this.#rules.filter((rule) => rule.stepped !== undefined);
  }

  get nowMs(): number {
    return this.#clock().now();
  }

  get reign(): Reign {
    if (this.#reign === undefined) throw new Error('Nobody reigns yet');
    return this.#reign;
  }

  /** From now on, this is the master to look at. */
  crown(reign: Reign): void {
    this.#reign = reign;
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
    for (const rule of this.#stepped) rule.stepped?.();
    if (this.violation !== undefined) throw new Error(`${this.violation.rule}: ${this.violation.what}`);
  }

  momentOver(): void {
    const { nowMs } = this;
    const isTick = nowMs - this.#tickedAtMs >= TICK_MS;
    if (!this.#isNews && !isTick) return;
    this.#isNews = false;
    for (const link of this.links) {
      const isIdle = link.isOpenAtMaster && link.unanswered < link.concurrency;
      if (!isIdle) link.idleSinceMs = Number.POSITIVE_INFINITY;
      else if (link.idleSinceMs === Number.POSITIVE_INFINITY) link.idleSinceMs = nowMs;
      if (!link.isOpenAtMaster && !link.isOpenAtWorker) this.links.delete(link);
    }
    for (const rule of this.#rules) rule.momentOver?.();
    if (isTick) {
      this.#tickedAtMs = nowMs;
      for (const rule of this.#rules) rule.ticked?.();
    }
    if (this.violation !== undefined) throw new Error(`${this.violation.rule}: ${this.violation.what}`);
  }

  // The wire.

  sent(link: VirtualLink, from: Side, frame: string | Uint8Array<ArrayBuffer>): void {
    const view = this.#viewOf(link);
    const messages = read(link, frame);
    this.#underwayOf(link)[from].push(messages);
    for (const message of messages) {
      this.messages += 1;
      this.note(`${view.member.name} ${from === 'server' ? '◀' : '▷'} ${inWords(message)}`);
      if (from === 'server') this.#masterSays(view, message);
      else this.#workerSays(view, message);
    }
  }

  received(link: VirtualLink, by: Side): void {
    const view = this.#viewOf(link);
    const messages = this.#underwayOf(link)[by === 'server' ? 'client' : 'server'].shift() ?? [];
    this.#isNews = true;
    if (by === 'server') {
      view.heardAtMs = this.nowMs;
      view.askedAtMs = Number.POSITIVE_INFINITY;
    } else {
      view.heardThereAtMs = this.nowMs;
    }
    for (const message of messages) {
      if (by === 'server') this.#masterHears(view, message);
      else this.#workerHears(view, message);
    }
  }

  ending(link: VirtualLink, by: Side, code: number): void {
    this.#ended(link, by, code, true);
  }

  closed(link: VirtualLink, side: Side, code: number): void {
    this.#ended(link, side, code, false);
  }

  #ended(link: VirtualLink, side: Side, code: number, isOwnDoing: boolean): void {
    const view = this.#views.get(link);
    if (view === undefined) return;
    this.note(`${view.member.name} ${side} ${isOwnDoing ? 'ends' : 'is closed'} ${code}`);
    if (side === 'server') {
      if (!view.isOpenAtMaster) return;
      if (isOwnDoing) for (const rule of this.#rules) rule.endedByMaster?.(view, code);
      view.isOpenAtMaster = false;
      view.endCode = code;
      this.#endLeases(view);
    } else {
      if (!view.isOpenAtWorker) return;
      if (isOwnDoing) for (const rule of this.#rules) rule.endedByWorker?.(view, code);
      view.isOpenAtWorker = false;
      view.endedThereAtMs = this.nowMs;
      // What it runs yet occupies slots that the next connection does not have.
      disturb(view.member, this.nowMs + view.member.plan.grace + 1500);
    }
  }

  /** The connection of these is over at the master. Where leases outlive connections, this is the place. */
  #endLeases(view: LinkView): void {
    for (const lease of view.open) {
      if (lease.state === 'live') lease.state = 'over';
      lease.task.live.delete(lease);
    }
  }

  /** The process at an end is gone: it closes nothing any more. */
  abandoned(isAtEnd: (view: LinkView) => boolean, side: Side): void {
    for (const view of this.links) {
      if (!isAtEnd(view)) continue;
      if (side === 'server') {
        view.isOpenAtMaster = false;
        this.#endLeases(view);
      } else {
        view.isOpenAtWorker = false;
      }
    }
  }

  #masterSays(view: LinkView, message: Message): void {
    const { nowMs } = this;
    switch (message[0]) {
      case MessageType.welcome: {
        const description = message[1] as { worker: string; pingInterval: number; socketTimeout: number };
        view.id = description.worker;
        view.pingInterval = description.pingInterval;
        view.socketTimeout = description.socketTimeout;
        break;
      }
      case MessageType.ping:
        view.pingedAtMs = nowMs;
        view.askedAtMs = Math.min(view.askedAtMs, nowMs);
        view.pings.set(Number(message[1]), nowMs);
        break;
      case MessageType.grant:
        this.#granted(view, message);
        break;
      case MessageType.cancel:
        this.#cancelled(view, Number(message[1]), String(message[2]));
        break;
      case MessageType.recall: {
        const lease = view.leases.get(Number(message[1]));
        if (lease !== undefined) lease.keptUntilMs = nowMs + patienceMs(view);
        break;
      }
    }
  }

  #granted(view: LinkView, [, id, attempt, , task]: Message): void {
    const view_ = view.reign.tasks.get((task as { readonly n: number }).n);
    if (view_ === undefined) {
      this.violated('what is granted was put', `lease ${id} to ${view.member.name}`);
      return;
    }
    const lease: LeaseView = {
      id: Number(id),
      link: view,
      task: view_,
      attempt: Number(attempt),
      grantedAtMs: this.nowMs,
      isSecond: view_.live.size > 0,
      state: 'live',
      cancelReason: undefined,
      keptUntilMs: Number.POSITIVE_INFINITY,
      answer: undefined,
      isDelivered: false,
      execution: undefined,
      cancelledThereAtMs: undefined,
      recalledThereAtMs: undefined,
      isAnsweredThere: false,
    };
    if (view.leases.has(lease.id)) this.violated('the number of a lease is used once', `${id} at ${view.member.name}`);
    if (!view.isOpenAtMaster) return;
    view.leases.set(lease.id, lease);
    view.open.add(lease);
    view.unanswered += 1;
    view_.live.add(lease);
    for (const rule of this.#rules) rule.granted?.(lease);
    view_.grantedAttempt = Math.max(view_.grantedAttempt, lease.attempt);
    view_.grantedAtMs = this.nowMs;
  }

  #cancelled(view: LinkView, id: number, reason: string): void {
    const lease = view.leases.get(id);
    if (lease === undefined) {
      this.violated('what is cancelled was granted', `lease ${id} at ${view.member.name}`);
      return;
    }
    const { task, answer } = lease;
    if (lease.state === 'answered' && answer?.atMs === this.nowMs) {
      // The cancel was waiting to leave when the answer came, which was late so.
      if (answer.kind === 'failed') task.failures -= 1;
      if (task.result?.execution === executionOf(answer.value) && task.outcome !== 'done') task.result = undefined;
    } else if (lease.state !== 'live') {
      this.violated('what is cancelled is live', `lease ${id} at ${view.member.name} is ${lease.state}`);
    }
    if (lease.state === 'live') lease.state = 'cancelled';
    lease.cancelReason = reason;
    task.live.delete(lease);
    if (reason === 'timeout') this.#spend(task, lease.attempt);
    for (const rule of this.#rules) rule.cancelled?.(lease, reason);
  }

  #masterHears(view: LinkView, message: Message): void {
    const { nowMs } = this;
    const kind = ANSWERS.get(message[0]);
    if (kind !== undefined) {
      this.#answered(view, Number(message[1]), kind, message[2]);
    } else if (message[0] === MessageType.hello) {
      const hello = message[1] as LinkView & { readonly accepts?: readonly string[] };
      view.accepts = hello.accepts === undefined ? undefined : new Set(hello.accepts);
      view.labels = hello.labels;
      view.isOpenAtMaster = true;
      view.pingedAtMs = nowMs;
      setCredit(view, hello.concurrency, hello.prefetch, nowMs);
    } else if (message[0] === MessageType.pong) {
      const sentAtMs = view.pings.get(Number(message[1])) ?? nowMs;
      view.pings.delete(Number(message[1]));
      view.roundTripMs = Math.max(view.roundTripMs, nowMs - sentAtMs);
    } else if (message[0] === MessageType.credit) {
      setCredit(view, Number(message[1]), message[2] === 'auto' ? 'auto' : Number(message[2]), nowMs);
    }
  }

  #answered(view: LinkView, id: number, kind: string, value: unknown): void {
    const lease = view.leases.get(id);
    if (lease === undefined || !view.isOpenAtMaster) return;
    const wasLive = lease.state === 'live';
    if (lease.state === 'live' || lease.state === 'cancelled') view.unanswered -= 1;
    if (lease.state !== 'over') lease.state = 'answered';
    view.open.delete(lease);
    if (wasLive) {
      const { task } = lease;
      lease.answer = { kind, value, atMs: this.nowMs };
      task.live.delete(lease);
      if (kind === 'failed') this.#spend(task, lease.attempt);
      if (kind === 'rejected') task.refusedBy.add(view);
      if (kind === 'done') task.result ??= { execution: executionOf(value), atMs: this.nowMs };
    }
    for (const rule of this.#rules) rule.answered?.(lease, kind, value, wasLive);
  }

  #spend(task: TaskView, attempt: number): void {
    task.failures += 1;
    task.spentAttempt = Math.max(task.spentAttempt, attempt);
    // `retrying` says how long, unless another attempt is made beside it.
    task.restsAtMostUntilMs = this.nowMs + task.reign.terms.backoff.cap;
  }

  #workerSays(view: LinkView, message: Message): void {
    if (ANSWERS.has(message[0])) {
      const lease = view.leases.get(Number(message[1]));
      if (lease?.isAnsweredThere) this.violated('a lease is answered once', `lease ${lease.id} at ${view.member.name}`);
      if (lease !== undefined) lease.isAnsweredThere = true;
    } else if (message[0] === MessageType.pong) {
      view.unponged.delete(Number(message[1]));
    } else if (message[0] === MessageType.credit) {
      disturb(view.member, this.nowMs + 1500);
    }
  }

  #workerHears(view: LinkView, message: Message): void {
    const lease = view.leases.get(Number(message[1]));
    switch (message[0]) {
      case MessageType.welcome:
        view.isWelcomedThere = true;
        break;
      case MessageType.ping:
        if (view.isOpenAtWorker) view.unponged.add(Number(message[1]));
        break;
      case MessageType.grant:
        if (lease !== undefined) lease.isDelivered = true;
        break;
      case MessageType.cancel:
        if (lease !== undefined && view.isOpenAtWorker) lease.cancelledThereAtMs ??= this.nowMs;
        break;
      case MessageType.recall:
        if (lease !== undefined && view.isOpenAtWorker) lease.recalledThereAtMs ??= this.nowMs;
        break;
    }
  }

  #viewOf(link: VirtualLink): LinkView {
    const known = this.#views.get(link);
    if (known !== undefined) return known;
    const member = this.members.find(({ worker }) => worker.network.links.includes(link));
    if (member === undefined || this.#reign === undefined) throw new Error('Nobody has made this connection');
    const { nowMs } = this;
    const view: LinkView = {
      number: this.#views.size,
      link,
      reign: this.#reign,
      member,
      leases: new Map(),
      open: new Set(),
      isOpenAtMaster: false,
      id: '',
      endCode: undefined,
      isOpenAtWorker: true,
      concurrency: 0,
      prefetch: 0,
      accepts: undefined,
      labels: {},
      mostCredit: 0,
      creditAtMs: nowMs,
      unanswered: 0,
      heardAtMs: nowMs,
      pingedAtMs: nowMs,
      askedAtMs: Number.POSITIVE_INFINITY,
      pings: new Map(),
      roundTripMs: 0,
      pingInterval: 0,
      socketTimeout: 0,
      idleSinceMs: Number.POSITIVE_INFINITY,
      isWelcomedThere: false,
      endedThereAtMs: Number.POSITIVE_INFINITY,
      heardThereAtMs: nowMs,
      unponged: new Set(),
      unreadAtMaster: (beforeMs) => link.unreadBy('server', beforeMs).flatMap((frame) => read(link, frame)),
    };
    this.#views.set(link, view);
    this.links.add(view);
    return view;
  }

  #underwayOf(link: VirtualLink): Record<Side, Message[][]> {
    const known = this.#underway.get(link);
    if (known !== undefined) return known;
    const none = { client: [], server: [] };
    this.#underway.set(link, none);
    return none;
  }

  // The handlers.

  /** A handler was called. Undefined if nobody can say for what. */
  started(member: Member, n: number, attempt: number, signal: AbortSignal): Execution | undefined {
    const lease = this.#leaseOf(member, n, attempt);
    this.note(`${member.name} starts ${n}/${attempt}`);
    if (lease === undefined) {
      this.violated('a handler is called once for each grant', `task ${n}, attempt ${attempt} at ${member.name}`);
      return undefined;
    }
    this.#executions += 1;
    const execution: Execution = {
      number: this.#executions,
      member,
      lease,
      signal,
      startedAtMs: this.nowMs,
      progressedAtMs: this.nowMs,
      isOver: false,
    };
    lease.execution = execution;
    member.running.add(execution);
    for (const rule of this.#rules) rule.started?.(execution);
    return execution;
  }

  /** A handler's call is over. */
  over(execution: Execution): void {
    this.note(`${execution.member.name} is through with ${execution.lease.task.n}/${execution.lease.attempt}`);
    execution.isOver = true;
    execution.member.running.delete(execution);
  }

  /** The oldest that has come to this worker and was not run. */
  #leaseOf(member: Member, n: number, attempt: number): LeaseView | undefined {
    let found: LeaseView | undefined;
    for (const view of this.links) {
      if (view.member !== member) continue;
      for (const lease of view.open) {
        if (lease.task.n !== n || lease.attempt !== attempt || !lease.isDelivered) continue;
        if (lease.execution !== undefined || lease.isAnsweredThere) continue;
        // On the connection that is open, if there is a choice.
        if (found === undefined || view.isOpenAtWorker) found = lease;
      }
    }
    return found;
  }

  // The scheduler.

  retrying(reign: Reign, n: number, attempt: number, delayMs: number): void {
    const task = reign.tasks.get(n);
    if (task === undefined) return;
    task.restsUntilMs = this.nowMs + delayMs;
    task.restsAtMostUntilMs = task.restsUntilMs;
    this.note(`task ${n} rests for ${delayMs.toFixed(3)}`);
    for (const rule of this.#rules) rule.retrying?.(task, attempt, delayMs);
  }

  settled(reign: Reign, n: number, outcome: string): void {
    const task = reign.tasks.get(n);
    this.note(`task ${n} is ${outcome}`);
    if (task === undefined || task.outcome !== undefined) {
      this.violated('a task is settled once', `task ${n} is ${outcome}, after ${task?.outcome ?? 'nothing'}`);
      return;
    }
    task.outcome = outcome;
    task.settledAtMs = this.nowMs;
    reign.unsettled.delete(task);
    reign.outcomes.set(outcome, (reign.outcomes.get(outcome) ?? 0) + 1);
    for (const rule of this.#rules) rule.settled?.(task);
  }

  putSettled(put: PutView, outcome: string, value: unknown): void {
    put.settled += 1;
    put.outcome = outcome;
    this.note(`put ${put.n} is ${outcome}`);
    for (const rule of this.#rules) rule.putSettled?.(put, value);
  }

  lost(reign: Reign, n: number, attempt: number, workerId: string): void {
    const task = reign.tasks.get(n);
    if (task === undefined) return;
    task.losses += 1;
    task.spentAttempt = Math.max(task.spentAttempt, attempt);
    // Its grant may have been about to leave.
    task.grantedAttempt = Math.max(task.grantedAttempt, attempt);
    const link = [...this.links].find((each) => each.reign === reign && each.id === workerId);
    for (const rule of this.#rules) rule.lost?.(task, link);
  }
}

/** Until then, its master cannot know what it does. */
export function disturb(member: Member, untilMs: number): void {
  member.disturbedUntilMs = Math.max(member.disturbedUntilMs, untilMs);
}

function setCredit(view: LinkView, concurrency: number, prefetch: number | 'auto', nowMs: number): void {
  const credit = creditOf(concurrency, prefetch);
  const before = view.creditAtMs === nowMs ? view.mostCredit : creditOf(view.concurrency, view.prefetch);
  view.mostCredit = Math.max(before, credit);
  view.creditAtMs = nowMs;
  view.concurrency = concurrency;
  view.prefetch = prefetch;
}

/** How long a worker that was asked for a lease may keep it. */
function patienceMs({ roundTripMs }: LinkView): number {
  return roundTripMs === 0 ? 2000 : Math.max(100, 4 * roundTripMs);
}

function executionOf(value: unknown): number {
  return typeof value === 'object' && value !== null && 'execution' in value ? Number(value.execution) : Number.NaN;
}

function read(link: VirtualLink, frame: string | Uint8Array<ArrayBuffer>): Message[] {
  const subprotocol = link.client.subprotocol || link.server?.subprotocol;
  const value = codecOf(subprotocol ?? '')?.read(typeof frame === 'string' ? frame : frame.buffer);
  return Array.isArray(value) ? value : [];
}

/** Short, as there are many. */
function inWords([type, id, more, , task]: Message): string {
  const name = NAMES.get(type) ?? String(type);
  if (typeof id === 'object') return name;
  if (type === MessageType.grant) return `${name} ${id} of ${(task as { readonly n: number }).n}/${more}`;
  return typeof more === 'number' || typeof more === 'string' ? `${name} ${id} ${more}` : `${name} ${id}`;
}
