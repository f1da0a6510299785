// A master's conversation with one worker: who hears what it says, and the end.
import type { ConversationListener } from '../connection/conversation.ts';
import { messageOf } from '../errors.ts';
import type { Labels } from '../labels.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { Limits } from '../protocol/decode.ts';
import {
  type Answer,
  type MasterMessage,
  MessageType,
  PROTOCOL_VERSION,
  type Prefetch,
  type ResumeRequest,
  type WorkerDescription,
  type WorkerMessage,
} from '../protocol/messages.ts';
import { profileKey } from '../scheduling/profiles.ts';
import type { Lease, RevokeReason } from '../scheduling/scheduler.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { Identity } from './authentication.ts';
import type { Connection, ServerConversation } from './connection.ts';
import type { WorkerInfo } from './events.ts';
import type { Guest } from './guest.ts';
import { Heartbeat } from './heartbeat.ts';
import { HeldLeases } from './held-leases.ts';
import { Intake, type Taker } from './intake.ts';
import { LeaseReports, type ReportedWorker, type ReportsContext } from './lease-reports.ts';
import { MessageBudget } from './message-budget.ts';
import { PrefetchWindow } from './prefetch-window.ts';

/** What all sessions of a master share. */
export interface SessionContext<T, R> extends ReportsContext<T, R> {
  readonly timers: TimerQueue;
  readonly taskTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly resumeWindowMs: number;
  /** A text that nobody can guess, another one each time. */
  readonly secret: () => string;
  /** Of messages that nobody asked for, per second; or Infinity. */
  readonly maxMessageRate: number;
  /** How many tasks it could start at once, or whether it holds any that wait, may have changed. */
  loadChanged(session: Session<T, R>): void;
  /** The connection is lost, and the worker given time to come back. */
  interrupted(session: Session<T, R>, code: number, reason: string): void;
  /** The session is over, and every lease given back. */
  left(session: Session<T, R>, code: number, reason: string): void;
}

/** How a connection was lost, and until when the worker may come back. */
interface Loss {
  readonly code: number;
  readonly reason: string;
  readonly untilMs: number;
}

/** The session of one worker, from its hello on: over one connection, or over several in turn if they are lost. */
export class Session<T, R> implements Taker<T>, ReportedWorker, ConversationListener<WorkerMessage> {
  readonly id: string;
  readonly name: string;
  readonly accepts: ReadonlySet<string> | undefined;
  readonly labels: Labels | undefined;
  /** The same for workers of the same `accepts` and labels. */
  readonly kind: string;
  readonly leases: HeldLeases<T, R>;
  /** Who the worker is, if somebody has said so. */
  readonly identity: Identity | undefined;
  /** Its connection, as the door sees it. */
  guest: Guest | undefined;
  readonly #platform: string;
  readonly #connectedAt: number;
  readonly #sinceMs: number;
  readonly #conversation: ServerConversation;
  readonly #context: SessionContext<T, R>;
  /** One for all deadlines: who is silent is lost, before its attempts are judged. */
  readonly #alarm: Alarm;
  readonly #window: PrefetchWindow;
  readonly #heartbeat: Heartbeat;
  readonly #reports: LeaseReports<T, R>;
  readonly #intake: Intake<T, R>;
  /** There if the worker can come back after a lost connection. */
  readonly #secret: string | undefined;
  /** There while the worker is given time to come back. */
  #loss: Loss | undefined = undefined;
  /** Whether the frame that is being heard has answered something. */
  #hasAnswered = false;
  /** There once it has said something of its own accord, or given something back. */
  #budget: MessageBudget | undefined = undefined;

  constructor(
    id: string,
    worker: WorkerDescription,
    conversation: ServerConversation,
    context: SessionContext<T, R>,
    identity: Identity | undefined,
    guest: Guest | undefined,
  ) {
    const { scheduler, clock, timers, socketTimeoutMs, taskTimeoutMs } = context;
    const { concurrency, prefetch } = worker;
    this.id = id;
    this.name = worker.name;
    this.accepts = worker.accepts === undefined ? undefined : new Set(worker.accepts);
    this.labels = worker.labels;
    this.kind = profileKey(this);
    this.guest = guest;
    this.identity = identity;
    this.#platform = worker.platform;
    this.#connectedAt = clock.epochNow();
    this.#sinceMs = clock.now();
    this.#conversation = conversation;
    this.#context = context;
    this.#secret = worker.resume === undefined || context.resumeWindowMs === 0 ? undefined : context.secret();
    this.#alarm = timers.createAlarm(this);
    this.#window = new PrefetchWindow(prefetch, this.#sinceMs);
    this.#heartbeat = new Heartbeat(conversation, this.#alarm, socketTimeoutMs, this.#window);
    this.#reports = new LeaseReports(context, this);
    this.leases = new HeldLeases(conversation, concurrency, this.#window, this.#reports, this.#alarm, taskTimeoutMs);
    this.#intake = new Intake(scheduler, clock, this.leases, this.#window, this.#reports, this);
  }

  /** Welcomes the worker, and starts to grant it leases. */
  start(): void {
    const { scheduler, clock } = this.#context;
    this.#conversation.handTo(this);
    if (this.#secret === undefined) this.#conversation.forgetFrames();
    this.#conversation.send(this.#welcome());
    this.#heartbeat.start(clock.now());
    scheduler.join(this);
    // Everybody hears of the worker before they hear of what it is given.
    this.#intake.refillSoon();
  }

  /** Goes on over another connection, if it is the worker who asks. Returns whether it does. */
  resume({ secret, received }: ResumeRequest, connection: Connection, identity: Identity | undefined): boolean {
    if (this.#secret === undefined || !isSame(secret, this.#secret) || !this.#isOf(identity)) return false;
    const welcome = this.#welcome(this.#conversation.framesReceived);
    if (!connection.resume(this.#conversation, received, welcome)) return false;
    const nowMs = this.#context.clock.now();
    this.guest = connection.guest;
    this.#loss = undefined;
    this.#heartbeat.start(nowMs);
    this.leases.resumed(nowMs);
    return true;
  }

  /** Gives the worker no more time to come back. */
  stopWaiting(): void {
    if (this.#loss !== undefined) this.end(this.#loss.code, this.#loss.reason);
  }

  /** What is known of the worker. */
  get info(): WorkerInfo {
    const { roundTripMs } = this.#window;
    return {
      id: this.id,
      name: this.name,
      ...(this.identity === undefined ? {} : { identity: this.identity.id }),
      platform: this.#platform,
      labels: this.labels ?? {},
      ...(this.accepts === undefined ? {} : { accepts: [...this.accepts] }),
      connectedAt: this.#connectedAt,
      isInterrupted: this.#loss !== undefined,
      concurrency: this.leases.concurrency,
      prefetch: this.#window.wanted,
      credit: this.#intake.credit,
      running: this.leases.running,
      waiting: this.leases.waiting,
      ...this.#reports.figures,
      ...(roundTripMs === undefined ? {} : { roundTrip: roundTripMs }),
    };
  }

  /** Who stands behind it: of several connections of one person, it is the same. */
  get principal(): string | undefined {
    return this.identity?.id;
  }

  /** Whether its results need not be checked. */
  get isTrusted(): boolean {
    return this.identity?.isTrusted === true;
  }

  get isOpen(): boolean {
    return this.#conversation.isOpen && this.#loss === undefined;
  }

  get isResting(): boolean {
    return this.#budget?.restsUntilMs !== undefined;
  }

  /** How many tasks it could start at once. */
  get idleSlots(): number {
    return Math.max(0, this.leases.concurrency - this.leases.size);
  }

  /** Whether it waits for tasks that it could start at once. */
  get isIdle(): boolean {
    return this.#intake.isTaking && this.isOpen && this.idleSlots > 0;
  }

  /** How long an answer of the worker takes, in milliseconds; 0 if that is not known. */
  get roundTripMs(): number {
    return this.#window.roundTripMs ?? 0;
  }

  /** Takes no more leases, and asks back what has not started. Resolves when nothing runs any more. */
  drain(): Promise<void> {
    this.#intake.interrupt();
    return this.leases.drain(this.#context.clock.now());
  }

  /** Says goodbye. */
  end(code: number, reason: string): void {
    this.#conversation.end(code, reason);
  }

  revoke(lease: Lease<T>, reason: RevokeReason): void {
    // It may have been on its way to somebody idle.
    if (this.leases.revoke(lease, reason)) this.loadChanged();
  }

  loadChanged(): void {
    this.#context.loadChanged(this);
  }

  /** Ends the connection, unless it is over already. */
  schedulerFailed(error: unknown): void {
    this.end(CloseCode.internalError, `The scheduler failed: ${messageOf(error)}`);
  }

  received(message: WorkerMessage): void {
    // All that one frame says is heard at the same time: the clock is read once.
    const nowMs = this.#conversation.heardAtMs;
    switch (message[0]) {
      case MessageType.done:
      case MessageType.failed:
      case MessageType.rejected:
      case MessageType.released:
        this.#answered(message, nowMs);
        break;
      case MessageType.progress:
        if (this.#takeUnasked(nowMs)) this.leases.progressed(message[1], message[2], nowMs);
        break;
      case MessageType.credit:
        if (this.#takeUnasked(nowMs)) this.#creditChanged(message[1], message[2], message[3], nowMs);
        break;
      case MessageType.pong:
        // The window may be another one.
        if (this.#heartbeat.ponged(message[1], message[2] ?? 0, nowMs)) this.#intake.refillSoon();
        else this.#takeUnasked(nowMs);
        break;
      case MessageType.hello:
        this.end(CloseCode.violation, 'A second hello');
        break;
    }
  }

  frameHeard(byteLength: number): void {
    const hasAnswered = this.#hasAnswered;
    this.#hasAnswered = false;
    // Whoever answers may send a result as large as a frame, and else little that is large.
    if (!hasAnswered && byteLength >= Limits.unaskedBytes) {
      this.#takeUnasked(this.#conversation.heardAtMs, byteLength);
    }
  }

  heardNothing(): void {
    this.#takeUnasked(this.#conversation.heardAtMs);
  }

  roomAgain(): void {
    // Not now: it may be told in the midst of grants, and what is taken then would overtake the rest of them.
    this.#intake.refillSoon();
  }

  alarmRang(nowMs: number): void {
    try {
      if (this.#loss === undefined) this.#heartbeat.look(nowMs);
      else if (nowMs >= this.#loss.untilMs) this.stopWaiting();
      else this.#alarm.setBy(this.#loss.untilMs);
      this.leases.look(nowMs);
      this.#lookAtRest(nowMs);
    } catch (error) {
      this.schedulerFailed(error);
    }
  }

  interrupted(code: number, reason: string): boolean {
    // Without leases there is nothing to go on with.
    if (this.leases.live === 0) return false;
    const untilMs = this.#context.clock.now() + this.#context.resumeWindowMs;
    this.#loss = { code, reason, untilMs };
    this.#intake.interrupt();
    this.#alarm.setBy(untilMs);
    this.loadChanged();
    this.#context.interrupted(this, code, reason);
    return true;
  }

  ended(code: number, reason: string): void {
    this.#loss = undefined;
    this.#alarm.cancel();
    this.#intake.interrupt();
    this.leases.end(code, reason);
    try {
      this.#context.scheduler.leave(this);
    } catch (error) {
      this.schedulerFailed(error);
    }
    this.#context.left(this, code, reason);
  }

  /** `received`: how many of the worker's frames had come, if it goes on. */
  #welcome(received?: number): MasterMessage {
    const { socketTimeoutMs, maxFrameBytes, maxMessageRate, resumeWindowMs } = this.#context;
    const offer = {
      secret: this.#secret ?? '',
      window: resumeWindowMs,
      ...(received === undefined ? {} : { received }),
    };
    return [
      MessageType.welcome,
      {
        version: PROTOCOL_VERSION,
        worker: this.id,
        pingInterval: this.#heartbeat.pingIntervalMs,
        socketTimeout: socketTimeoutMs,
        maxFrameBytes,
        ...(maxMessageRate === Number.POSITIVE_INFINITY ? {} : { maxMessageRate }),
        ...(this.#secret === undefined ? {} : { resume: offer }),
      },
    ];
  }

  /** Not if it is trusted by now, or no more: what the scheduler knows of a session does not change. */
  #isOf(identity: Identity | undefined): boolean {
    return identity?.id === this.identity?.id && (identity?.isTrusted === true) === this.isTrusted;
  }

  #answered(answer: Answer, nowMs: number): void {
    const state = this.leases.answered(answer, nowMs);
    if (state === undefined) this.#takeUnasked(nowMs);
    else this.#hasAnswered = true;

    // Unless it was asked for, or its slot was waited for.
    if (isReturn(answer) && (state === 'waiting' || state === 'running')) this.#noteReturned(nowMs);
    if (this.#window.wanted === 'auto') this.#heartbeat.probe(nowMs);
    this.#intake.freed();
  }

  /**
   * A message that nobody has asked for, or a large frame of them. Ends the connection if there are too many; returns whether it
   * goes on.
   */
  #takeUnasked(nowMs: number, byteLength?: number): boolean {
    const { maxMessageRate } = this.#context;
    if (maxMessageRate === Number.POSITIVE_INFINITY) return true;
    const budget = this.#budgetOf(nowMs);
    if (byteLength === undefined ? budget.takeUnasked(nowMs) : budget.takeUnaskedBytes(nowMs, byteLength)) return true;
    this.end(CloseCode.tooManyMessages, `More than ${maxMessageRate} messages per second that nobody asked for`);
    return false;
  }

  /** To grant it the same again, and again, would cost the master work for nothing. */
  #noteReturned(nowMs: number): void {
    if (this.#context.maxMessageRate === Number.POSITIVE_INFINITY) return;
    const budget = this.#budgetOf(nowMs);
    budget.noteReturned(nowMs);
    if (budget.restsUntilMs === undefined) return;
    this.#intake.interrupt();
    this.#alarm.setBy(budget.restsUntilMs);
  }

  #lookAtRest(nowMs: number): void {
    const budget = this.#budget;
    if (budget === undefined) return;
    if (budget.hasRested(nowMs)) this.#intake.refillSoon();
    else if (budget.restsUntilMs !== undefined && this.isOpen) this.#alarm.setBy(budget.restsUntilMs);
  }

  #budgetOf(nowMs: number): MessageBudget {
    const { maxMessageRate, socketTimeoutMs } = this.#context;
    this.#budget ??= new MessageBudget(maxMessageRate, socketTimeoutMs, nowMs - this.#sinceMs, nowMs);
    return this.#budget;
  }

  #creditChanged(concurrency: number, prefetch: Prefetch, running: number | undefined, nowMs: number): void {
    this.#window.wanted = prefetch;
    this.#intake.interrupt();
    this.leases.changeConcurrency(concurrency, running, nowMs);
    this.#intake.refill();
  }
}

/** Takes as long whatever the difference: how much of a guess was right cannot be told by the time. */
function isSame(guess: string, secret: string): boolean {
  let difference = guess.length ^ secret.length;
  for (let index = 0; index < secret.length; index += 1)
    difference |= guess.charCodeAt(index) ^ secret.charCodeAt(index);
  return difference === 0;
}

function isReturn(answer: Answer): boolean {
  return answer[0] === MessageType.released || answer[0] === MessageType.rejected;
}
