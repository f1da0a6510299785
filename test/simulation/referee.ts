// Looks on at every frame, event and callback, keeps what they say in views of its own, and asks the rules.
import type { WorkerInfo } from '../../src/master/events.ts';
import type { Frame } from '../../src/ports.ts';
import { MessageType } from '../../src/protocol/messages.ts';
import type { ClockObserver, VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Side, VirtualLink, WireObserver } from '../../src/testing/virtual-network.ts';
import { createWire, isLoss, isSameFrame, type Wire } from './frames.ts';
import {
  ANSWERS,
  executionOf,
  inWords,
  type Message,
  type ResumeOffer,
  type ResumeRequest,
  read,
  unreadOf,
  type WelcomeMap,
  welcomeBack,
} from './messages.ts';
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
  Told,
} from './rules/leases.ts';
import { Order, RecallPatience, Waiting, WorkConservation } from './rules/order.ts';
import type { Court, Rule } from './rules/rule.ts';
import { Awaited, GoesOn } from './rules/sessions.ts';
import { Backoff, Conservation, EachPutOnce, JustEnd, Patience, RightfulResult } from './rules/settlement.ts';
import { CalledOff, Heartbeats, Timeouts } from './rules/timing.ts';
import { Trace } from './trace.ts';
import {
  createSession,
  type Execution,
  type LeaseView,
  type Member,
  type PutView,
  type Reign,
  type SessionView,
  type TaskView,
} from './views.ts';

/** How often what has lasted for a while is looked at. */
const TICK_MS = 100;

const COUNTED = 'no frame of a session is lost, and none heard twice';
const OWN = 'a session goes on with who began it, if that is agreed, and with nobody else';

/** That a rule was broken. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
}

export class Referee implements WireObserver, ClockObserver, Court {
  readonly trace = new Trace();
  readonly sessions = new Set<SessionView>();
  /** What has become of sessions, and how often. */
  readonly counts = new Map<string, number>();
  members: Member[] = [];
  violation: Violation | undefined = undefined;
  steps = 0;
  messages = 0;
  readonly #clock: () => VirtualClock;
  #reign: Reign | undefined = undefined;
  readonly #wires = new Map<VirtualLink, Wire>();
  readonly #calls = new Map<number, Execution>();
  /** In which step a worker came back that was awaited: what is sent in it was kept. */
  #keptStep = -1;
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

  get unsaid(): number {
    let unsaid = 0;
    for (const session of this.sessions) if (session.reign === this.#reign) unsaid += session.unsaid;
    return unsaid;
  }

  /** From now on, this is the master to look at. */
  crown(reign: Reign): void {
    this.#reign = reign;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
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
    for (const session of this.sessions) {
      const { isOpenAtMaster, isInterrupted, unanswered, concurrency } = session;
      const isIdle = isOpenAtMaster && !isInterrupted && unanswered < concurrency;
      if (!isIdle) session.idleSinceMs = Number.POSITIVE_INFINITY;
      else if (session.idleSinceMs === Number.POSITIVE_INFINITY) session.idleSinceMs = nowMs;
      if (!isOpenAtMaster && !session.isOpenAtWorker) this.sessions.delete(session);
    }
    for (const rule of this.#rules) rule.momentOver?.();
    if (isTick) {
      this.#tickedAtMs = nowMs;
      for (const rule of this.#rules) rule.ticked?.();
    }
    if (this.violation !== undefined) throw new Error(`${this.violation.rule}: ${this.violation.what}`);
  }

  // The wire.

  sent(link: VirtualLink, from: Side, frame: Frame): void {
    const wire = this.#wireOf(link);
    const session = from === 'server' ? wire.atMaster : wire.atWorker;
    const who = `${session.member.name} ${from === 'server' ? '◀' : '▷'}`;
    const log = session.frames[from];
    const index = wire.next[from];
    const before = log.sent[index];
    if (before !== undefined) {
      this.note(`${who} frame ${index} again`);
      this.count('frames sent again');
      if (!isSameFrame(before.frame, frame)) this.violated(COUNTED, `${who} frame ${index} is another one now`);
      wire.next[from] += 1;
      wire.underway[from].push({ index, messages: before.messages });
      return;
    }
    const messages = read(link, frame);
    const welcome = from === 'server' ? welcomeBack(messages) : undefined;
    if (welcome !== undefined) {
      this.note(`${who} welcome back`);
      wire.underway.server.push({ index: undefined, messages });
      this.#masterGoesOn(wire, welcome.worker, welcome.resume);
      return;
    }
    if (from === 'server' && messages[0]?.[0] === MessageType.welcome) this.#expectRefusal(wire);
    if (index > log.sent.length) this.violated(COUNTED, `${who} frame ${index} after ${log.sent.length}`);
    log.sent.push({ frame, messages });
    wire.next[from] += 1;
    wire.underway[from].push({ index, messages });
    for (const message of messages) {
      this.messages += 1;
      this.note(`${who} ${inWords(message)}`);
      if (from === 'server') this.#masterSays(session, message);
      else this.#workerSays(session, message, wire);
    }
  }

  received(link: VirtualLink, by: Side): void {
    const wire = this.#wireOf(link);
    const from = by === 'server' ? 'client' : 'server';
    const frame = wire.underway[from].shift();
    this.#isNews = true;
    if (frame === undefined || wire.closed[by]) return;
    const { index, messages } = frame;
    if (index === undefined) {
      this.#workerGoesOn(wire, welcomeBack(messages)?.resume.received ?? Number.NaN);
      return;
    }
    const session = by === 'server' ? wire.atMaster : wire.atWorker;
    const log = session.frames[from];
    if (index !== log.heard) this.violated(COUNTED, `${session.member.name} ${by} hears ${index} after ${log.heard}`);
    log.heard += 1;
    if (by === 'server') {
      session.heardAtMs = this.nowMs;
      if (session.askedAtMs < this.nowMs) session.askedAtMs = Number.POSITIVE_INFINITY;
    } else {
      session.heardThereAtMs = this.nowMs;
    }
    for (const message of messages) {
      if (by === 'server') this.#masterHears(session, message, link);
      else this.#workerHears(session, message);
    }
  }

  ending(link: VirtualLink, by: Side, code: number): void {
    this.#ended(link, by, code, true);
  }

  closed(link: VirtualLink, side: Side, code: number): void {
    this.#ended(link, side, code, false);
  }

  #ended(link: VirtualLink, side: Side, code: number, isOwnDoing: boolean): void {
    const wire = this.#wires.get(link);
    if (wire === undefined) return;
    const session = side === 'server' ? wire.atMaster : wire.atWorker;
    this.note(`${session.member.name} ${side} ${isOwnDoing ? 'ends' : 'is closed'} ${code}`);
    if (wire.closed[side]) return;
    wire.closed[side] = true;
    // It may go on elsewhere by now.
    if (side === 'server' && session.linkAtMaster === link) this.#endedAtMaster(session, code, isOwnDoing);
    if (side === 'client' && session.linkAtWorker === link) this.#endedAtWorker(session, code, isOwnDoing);
  }

  #endedAtMaster(session: SessionView, code: number, isOwnDoing: boolean): void {
    if (isOwnDoing) for (const rule of this.#rules) rule.endedByMaster?.(session, code);
    session.linkAtMaster = undefined;
    session.endCode = code;
    if (session.canResume && isLoss(code)) {
      // Unless its master says in the next moment that it is over.
      session.isInterrupted = true;
      session.lostAtMs = this.nowMs;
      session.unsaid = 0;
      for (const lease of session.open) {
        if (lease.task.outcome !== undefined) lease.takenBack ??= 'settled';
        if (lease.takenBack !== undefined) this.#takeBack(lease, lease.takenBack);
      }
    } else {
      this.#endLeases(session);
    }
  }

  #endedAtWorker(session: SessionView, code: number, isOwnDoing: boolean): void {
    if (isOwnDoing) for (const rule of this.#rules) rule.endedByWorker?.(session, code);
    session.linkAtWorker = undefined;
    session.unponged.clear();
    session.isInterruptedThere = session.canResume && session.isWelcomedThere && isLoss(code);
    if (!session.isInterruptedThere) this.#endThere(session);
    // What it runs yet occupies slots that the next connection does not have.
    disturb(session.member, this.nowMs + session.member.plan.grace + 1500);
  }

  #endThere(session: SessionView): void {
    session.isOpenAtWorker = false;
    session.isInterruptedThere = false;
    session.endedThereAtMs = this.nowMs;
  }

  /** The session is over at the master, and all its leases with it. */
  #endLeases(session: SessionView): void {
    session.isOpenAtMaster = false;
    session.isInterrupted = false;
    session.unsaid = 0;
    for (const lease of session.open) {
      if (lease.state === 'live') lease.state = 'over';
      lease.task.live.delete(lease);
    }
  }

  /** The process at an end is gone: it closes nothing any more. */
  abandoned(isAtEnd: (session: SessionView) => boolean, side: Side): void {
    for (const session of this.sessions) {
      if (!isAtEnd(session)) continue;
      if (side === 'server') this.#endLeases(session);
      else this.#endThere(session);
    }
  }

  // Sessions that go on.

  /** The master says that it goes on with an older session. */
  #masterGoesOn(wire: Wire, id: string, resume: ResumeOffer): void {
    const { atMaster: first, request, link } = wire;
    const session = this.#find(first.reign, id);
    const what = `${first.member.name} as ${id}`;
    if (session === undefined || request === undefined || session.member !== first.member) {
      this.violated(OWN, `${what}, which is over`);
      return;
    }
    if (request.secret !== session.secret || request.worker !== id) this.violated(OWN, `${what}, with a wrong secret`);
    const { client, server } = session.frames;
    if (request.received !== server.heard) this.violated(COUNTED, `${what} has heard ${server.heard}`);
    if (resume.received !== client.heard) this.violated(COUNTED, `${what} was heard ${client.heard} times`);
    this.count(session.isInterrupted ? 'resumed' : 'resumed before the loss was noticed');
    first.isOpenAtMaster = false;
    first.linkAtMaster = undefined;
    wire.atMaster = session;
    wire.next.server = request.received;
    this.#keptStep = session.isInterrupted ? this.steps : -1;
    session.link = link;
    session.linkAtMaster = link;
    if (!session.isInterrupted) session.unsaid = 0;
    session.isInterrupted = false;
    session.resumedAtMs = this.nowMs;
    session.heardAtMs = this.nowMs;
    session.pingedAtMs = this.nowMs;
    session.askedAtMs = Number.POSITIVE_INFINITY;
    // Nobody times their answers any more.
    session.pings.clear();
    for (const lease of session.open) lease.resumes += 1;
  }

  /** The master begins anew: a session that could go on does. */
  #expectRefusal({ request, atMaster: { reign, member } }: Wire): void {
    if (request === undefined) return;
    const session = this.#find(reign, request.worker);
    if (session !== undefined && session.secret === request.secret) this.violated(OWN, `${member.name} is refused`);
  }

  /** The worker hears it. */
  #workerGoesOn(wire: Wire, received: number): void {
    const { atWorker: first, atMaster: session, link } = wire;
    this.#endThere(first);
    if (!session.isInterruptedThere) {
      // It may have been given up, as lost for too long, since the worker asked for it: then it says goodbye.
      this.count('welcomed back too late');
      if (session.endedThereAtMs < first.heardThereAtMs) this.violated(OWN, `${first.member.name}, where it is over`);
      return;
    }
    wire.atWorker = session;
    wire.next.client = received;
    session.linkAtWorker = link;
    session.isInterruptedThere = false;
    session.heardThereAtMs = this.nowMs;
  }

  /** A worker that begins anew has given up what it had. */
  #beginsAnew(member: Member, session: SessionView | undefined): void {
    for (const other of this.sessions) {
      if (other.member !== member || other === session || !other.isOpenAtWorker || !other.isWelcomedThere) continue;
      this.count('begun anew');
      this.#endThere(other);
    }
  }

  #find(reign: Reign, id: string): SessionView | undefined {
    for (const session of this.sessions)
      if (session.reign === reign && session.id === id && session.isOpenAtMaster) return session;
    return undefined;
  }

  /** Of which the master tells its program. Its name may have been on its way when the connection was lost. */
  #findByInfo(reign: Reign, { id, name }: WorkerInfo): SessionView | undefined {
    const known = this.#find(reign, id);
    if (known !== undefined) return known;
    for (const session of this.sessions) {
      if (session.reign !== reign || session.id !== '' || session.member.name !== name) continue;
      if (!session.isInterrupted) continue;
      session.id = id;
      return session;
    }
    return undefined;
  }

  /** The master tells that it waits for a worker. */
  interrupted(reign: Reign, info: WorkerInfo): void {
    const session = this.#findByInfo(reign, info);
    if (session === undefined) {
      this.violated('who is awaited was there', info.name);
      return;
    }
    session.unsaid = info.running + info.waiting - session.unanswered;
    this.note(`${info.name} is awaited, with ${session.unsaid} leases that it has not heard of`);
    this.count('interrupted');
    for (const rule of this.#rules) rule.interrupted?.(session);
  }

  /** The master tells that a worker is gone. */
  left(reign: Reign, info: WorkerInfo): void {
    const session = this.#findByInfo(reign, info);
    // Of all others the wire tells.
    if (session === undefined || !session.isInterrupted) return;
    this.note(`${info.name} is awaited no longer`);
    if (session.lostAtMs < this.nowMs) this.count('expired');
    for (const rule of this.#rules) rule.expired?.(session);
    this.#endLeases(session);
  }

  /** The master tells that an attempt has started. */
  startedAtMaster(reign: Reign, n: number, workerId: string): void {
    const lease = this.#leaseAtMaster(reign, n, workerId);
    if (lease !== undefined) lease.startedAtMs = Math.max(lease.startedAtMs, this.nowMs);
  }

  /** The master tells that it has taken a lease back. If the connection is lost, that is told to nobody else. */
  takenBack(reign: Reign, n: number, attempt: number, workerId: string, reason: string): void {
    const lease = this.#leaseAtMaster(reign, n, workerId);
    const task = reign.tasks.get(n);
    // Its grant has not left yet, and may never.
    if (lease === undefined && task !== undefined && reason === 'timeout' && this.unsaid > 0) {
      this.#spend(task, attempt);
      task.grantedAttempt = Math.max(task.grantedAttempt, attempt);
    }
    if (lease === undefined) return;
    lease.takenBack = reason;
    if (lease.session.isInterrupted) this.#takeBack(lease, reason);
  }

  #takeBack(lease: LeaseView, reason: string): void {
    if (lease.state !== 'live') return;
    this.note(`${lease.session.member.name} is to lose ${lease.id}: ${reason}`);
    this.count('taken back while away');
    lease.state = 'cancelled';
    lease.isUnsaid = true;
    lease.cancelReason = reason;
    lease.task.live.delete(lease);
    if (reason === 'timeout') this.#spend(lease.task, lease.attempt);
    for (const rule of this.#rules) rule.cancelled?.(lease, reason);
  }

  #leaseAtMaster(reign: Reign, n: number, workerId: string): LeaseView | undefined {
    for (const lease of reign.tasks.get(n)?.live ?? []) if (lease.session.id === workerId) return lease;
    return undefined;
  }

  #masterSays(view: SessionView, message: Message): void {
    const { nowMs } = this;
    switch (message[0]) {
      case MessageType.welcome: {
        const description = message[1] as WelcomeMap;
        view.id = description.worker;
        view.secret = description.resume?.secret;
        if ((view.secret !== undefined) !== view.canResume)
          this.violated(OWN, `${view.member.name} may not as it asked`);
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

  #granted(view: SessionView, [, id, attempt, , task]: Message): void {
    // It was about to leave when the connection was lost.
    const isLate = this.#keptStep === this.steps;
    if (isLate) view.unsaid -= 1;
    if (view.unsaid < 0)
      this.violated('nothing is granted while the connection is lost', `${id} to ${view.member.name}`);
    const view_ = view.reign.tasks.get((task as { readonly n: number }).n);
    if (view_ === undefined) {
      this.violated('what is granted was put', `lease ${id} to ${view.member.name}`);
      return;
    }
    const lease: LeaseView = {
      id: Number(id),
      session: view,
      task: view_,
      attempt: Number(attempt),
      grantedAtMs: isLate ? view.lostAtMs : this.nowMs,
      isSecond: view_.live.size > 0,
      state: 'live',
      cancelReason: undefined,
      isUnsaid: false,
      takenBack: undefined,
      resumes: isLate ? 1 : 0,
      startedAtMs: Number.NEGATIVE_INFINITY,
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
    if (isLate && lease.attempt <= view_.spentAttempt) {
      lease.state = 'cancelled';
      lease.isUnsaid = true;
    } else {
      view_.live.add(lease);
    }
    if (!isLate) for (const rule of this.#rules) rule.granted?.(lease);
    view_.grantedAttempt = Math.max(view_.grantedAttempt, lease.attempt);
    view_.grantedAtMs = this.nowMs;
  }

  #cancelled(view: SessionView, id: number, reason: string): void {
    const lease = view.leases.get(id);
    if (lease === undefined) {
      this.violated('what is cancelled was granted', `lease ${id} at ${view.member.name}`);
      return;
    }
    const { task, answer } = lease;
    if (lease.isUnsaid) {
      lease.isUnsaid = false;
      return;
    }
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

  #masterHears(view: SessionView, message: Message, link: VirtualLink): void {
    const { nowMs } = this;
    const kind = ANSWERS.get(message[0]);
    if (kind !== undefined) {
      this.#answered(view, Number(message[1]), kind, message[2]);
    } else if (message[0] === MessageType.hello) {
      const hello = message[1] as SessionView & { readonly accepts?: readonly string[] };
      view.accepts = hello.accepts === undefined ? undefined : new Set(hello.accepts);
      view.labels = hello.labels;
      view.isOpenAtMaster = true;
      view.linkAtMaster = link;
      // The worker may have given it up already.
      this.sessions.add(view);
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

  #answered(view: SessionView, id: number, kind: string, value: unknown): void {
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

  #workerSays(view: SessionView, message: Message, wire: Wire): void {
    if (ANSWERS.has(message[0])) {
      const lease = view.leases.get(Number(message[1]));
      if (lease?.isAnsweredThere) this.violated('a lease is answered once', `lease ${lease.id} at ${view.member.name}`);
      if (lease !== undefined) lease.isAnsweredThere = true;
      const call = this.#calls.get(executionOf(message[2]));
      if (lease === undefined || (call !== undefined && call.lease !== lease)) {
        this.violated('an answer is given in the session of its grant', `${message[1]} of ${view.member.name}`);
      }
    } else if (message[0] === MessageType.hello) {
      const { resume } = message[1] as { readonly resume?: ResumeRequest | true };
      view.canResume = resume !== undefined && view.reign.resumeWindow > 0;
      if (typeof resume === 'object') wire.request = resume;
      else this.#beginsAnew(view.member, view);
    } else if (message[0] === MessageType.pong) {
      view.unponged.delete(Number(message[1]));
    } else if (message[0] === MessageType.credit) {
      disturb(view.member, this.nowMs + 1500);
    }
  }

  #workerHears(view: SessionView, message: Message): void {
    const lease = view.leases.get(Number(message[1]));
    switch (message[0]) {
      case MessageType.welcome:
        view.isWelcomedThere = true;
        this.#beginsAnew(view.member, view);
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

  #wireOf(link: VirtualLink): Wire {
    const known = this.#wires.get(link);
    if (known !== undefined) return known;
    const member = this.members.find(({ worker }) => worker.network.links.includes(link));
    if (member === undefined || this.#reign === undefined) throw new Error('Nobody has made this connection');
    const session = createSession(link, this.#reign, member, this.nowMs);
    const wire = createWire(link, session);
    this.#wires.set(link, wire);
    this.sessions.add(session);
    return wire;
  }

  /** Whether a worker's wish to go on has come to its master before that moment, and was not read. */
  isReturnUnread({ member, id }: SessionView, beforeMs: number): boolean {
    const link = member.worker.network.links.at(-1);
    return unreadOf(link, beforeMs).some((message) => {
      const resume = (message[1] as { readonly resume?: ResumeRequest } | undefined)?.resume;
      return message[0] === MessageType.hello && resume?.worker === id;
    });
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
      abortedAtMs: Number.POSITIVE_INFINITY,
      progressedAtMs: this.nowMs,
      isOver: false,
    };
    lease.execution = execution;
    member.running.add(execution);
    this.#calls.set(execution.number, execution);
    signal.addEventListener('abort', () => this.#aborted(execution));
    for (const rule of this.#rules) rule.started?.(execution);
    return execution;
  }

  #aborted(execution: Execution): void {
    execution.abortedAtMs = this.nowMs;
    this.note(`${execution.member.name} is to stop ${execution.lease.task.n}/${execution.lease.attempt}`);
    for (const rule of this.#rules) rule.aborted?.(execution);
  }

  /** The worker's end of a session is over, though no connection is there to tell. */
  endedUnseen(session: SessionView): void {
    this.count('given up by the worker');
    this.#endThere(session);
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
    for (const view of this.sessions) {
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
    for (const lease of [...task.live]) {
      if (lease.session.isInterrupted) this.#takeBack(lease, outcome === 'done' ? 'superseded' : 'aborted');
    }
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
    const session = [...this.sessions].find((each) => each.reign === reign && each.id === workerId);
    for (const rule of this.#rules) rule.lost?.(task, session);
  }
}

/** Until then, its master cannot know what it does. */
export function disturb(member: Member, untilMs: number): void {
  member.disturbedUntilMs = Math.max(member.disturbedUntilMs, untilMs);
}

function setCredit(view: SessionView, concurrency: number, prefetch: number | 'auto', nowMs: number): void {
  const credit = creditOf(concurrency, prefetch);
  const before = view.creditAtMs === nowMs ? view.mostCredit : creditOf(view.concurrency, view.prefetch);
  view.mostCredit = Math.max(before, credit);
  view.creditAtMs = nowMs;
  view.concurrency = concurrency;
  view.prefetch = prefetch;
}

/** How long a worker that was asked for a lease may keep it. */
function patienceMs({ roundTripMs }: SessionView): number {
  return roundTripMs === 0 ? 2000 : Math.max(100, 4 * roundTripMs);
}
