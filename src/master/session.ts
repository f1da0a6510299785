// A master's session with one worker: what it is to the scheduler, how its connection is lost and found again, and the end.
import { messageOf } from '../errors.ts';
import type { Labels } from '../labels.ts';
import { CloseCode, isGoodbye } from '../protocol/close-codes.ts';
import {
  type MasterMessage,
  MessageType,
  PROTOCOL_VERSION,
  type ResumeRequest,
  type WorkerDescription,
} from '../protocol/messages.ts';
import { profileKey } from '../scheduling/profiles.ts';
import type { Lease, RevokeReason } from '../scheduling/scheduler.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { Identity } from './authentication.ts';
import type { Connection, ServerConversation } from './connection.ts';
import { isSameSecret } from './constant-time.ts';
import type { Sourced } from './crash-loops.ts';
import type { WorkerInfo } from './events.ts';
import type { Guest } from './guest.ts';
import { type HeardSession, Hearing, type HearingLimits } from './hearing.ts';
import { Heartbeat } from './heartbeat.ts';
import { HeldLeases } from './held-leases.ts';
import { Intake, type Taker } from './intake.ts';
import { LeaseReports, type ReportedWorker, type ReportsContext } from './lease-reports.ts';
import { limited } from './offer.ts';
import { PrefetchWindow } from './prefetch-window.ts';

/** What all sessions of a master share. */
export interface SessionContext<T, R> extends ReportsContext<T, R>, HearingLimits {
  readonly timers: TimerQueue;
  readonly taskTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly resumeWindowMs: number;
  /** How many tasks a worker runs at once at most. */
  readonly maxConcurrency: number;
  /** A text that nobody can guess, another one each time. */
  readonly secret: () => string;
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
export class Session<T, R> implements Taker<T>, ReportedWorker, HeardSession<T, R>, Sourced {
  readonly id: string;
  readonly name: string;
  readonly accepts: ReadonlySet<string> | undefined;
  readonly labels: Labels | undefined;
  /** The same for workers of the same `accepts` and labels. */
  readonly kind: string;
  /** Who the worker is, if somebody has said so. */
  readonly identity: Identity | undefined;
  /** Its connection, as the door sees it. */
  guest: Guest | undefined;
  readonly source: string | undefined;
  wasFruitless = false;
  readonly leases: HeldLeases<T, R>;
  readonly intake: Intake<T, R>;
  readonly heartbeat: Heartbeat;
  readonly window: PrefetchWindow;
  /** One for all deadlines: who is silent is lost, before its attempts are judged. */
  readonly alarm: Alarm;
  readonly sinceMs: number;
  readonly #connectedAt: number;
  readonly #platform: string;
  readonly #conversation: ServerConversation;
  readonly #context: SessionContext<T, R>;
  readonly #hearing: Hearing<T, R>;
  readonly #reports: LeaseReports<T, R>;
  /** There if the worker can come back after a lost connection. */
  readonly #secret: string | undefined;
  /** There while the worker is given time to come back. */
  #loss: Loss | undefined = undefined;
  /** Whether the worker has come back, and cannot go on: then nothing that it ran has killed it. */
  #isBack = false;

  constructor(
    id: string,
    worker: WorkerDescription,
    conversation: ServerConversation,
    context: SessionContext<T, R>,
    identity: Identity | undefined,
    guest: Guest | undefined,
  ) {
    const { scheduler, clock, timers, socketTimeoutMs, taskTimeoutMs } = context;
    const { concurrency, prefetch } = limited(worker.concurrency, worker.prefetch, context.maxConcurrency);
    this.id = id;
    this.name = worker.name;
    this.accepts = worker.accepts === undefined ? undefined : new Set(worker.accepts);
    this.labels = worker.labels;
    this.kind = profileKey(this);
    this.guest = guest;
    this.identity = identity;
    this.source = sourceOf(identity, guest);
    this.#platform = worker.platform;
    this.#connectedAt = clock.epochNow();
    this.sinceMs = clock.now();
    this.#conversation = conversation;
    this.#context = context;
    this.#secret = worker.resume === undefined || context.resumeWindowMs === 0 ? undefined : context.secret();
    this.alarm = timers.createAlarm(this);
    this.window = new PrefetchWindow(prefetch, this.sinceMs);
    this.heartbeat = new Heartbeat(conversation, this.alarm, socketTimeoutMs, this.window);
    this.#reports = new LeaseReports(context, this);
    this.leases = new HeldLeases(conversation, concurrency, this.window, this.#reports, this.alarm, taskTimeoutMs);
    this.#hearing = new Hearing(this, conversation, context);
    this.intake = new Intake(scheduler, clock, this.leases, this.window, this.#reports, this);
  }

  /** Welcomes the worker, and starts to grant it leases. */
  start(): void {
    const { scheduler, clock } = this.#context;
    this.#conversation.handTo(this.#hearing);
    if (this.#secret === undefined) this.#conversation.forgetFrames();
    this.#conversation.send(this.#welcome());
    this.heartbeat.start(clock.now());
    scheduler.join(this);
    // Everybody hears of the worker before they hear of what it is given.
    this.intake.refillSoon();
  }

  /** Goes on over another connection, if it is the worker who asks. Returns whether it does. */
  resume({ secret, received }: ResumeRequest, connection: Connection, identity: Identity | undefined): boolean {
    if (this.#secret === undefined || !isSameSecret(secret, this.#secret) || !this.#isOf(identity)) return false;
    const welcome = this.#welcome(this.#conversation.framesReceived);
    if (!connection.resume(this.#conversation, received, welcome)) {
      this.#cannotGoOn();
      return false;
    }
    const nowMs = this.#context.clock.now();
    this.guest = connection.guest;
    this.#loss = undefined;
    this.heartbeat.start(nowMs);
    this.leases.resumed(nowMs);
    return true;
  }

  /** Waits until then at the least: whoever has this secret is back, and yet to be judged. */
  waitUntil(untilMs: number, secret: string): void {
    if (this.#loss === undefined || this.#secret === undefined || !isSameSecret(secret, this.#secret)) return;
    this.#loss = { ...this.#loss, untilMs: Math.max(this.#loss.untilMs, untilMs) };
  }

  /** The worker is back, and begins anew: nobody will ever answer what it was granted before. */
  #cannotGoOn(): void {
    this.#isBack = true;
    if (this.#loss === undefined) this.#conversation.giveUp('The worker has come back, and the session cannot go on');
    this.stopWaiting();
  }

  /** Gives the worker no more time to come back. */
  stopWaiting(): void {
    if (this.#loss !== undefined) this.end(this.#loss.code, this.#loss.reason);
  }

  /** What is known of the worker. */
  get info(): WorkerInfo {
    const { roundTripMs } = this.window;
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
      prefetch: this.window.wanted,
      credit: this.intake.credit,
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
    return this.#hearing.isResting;
  }

  /** How many tasks it could start at once. */
  get idleSlots(): number {
    return Math.max(0, this.leases.concurrency - this.leases.size);
  }

  /** Whether it waits for tasks that it could start at once. */
  get isIdle(): boolean {
    return this.intake.isTaking && this.isOpen && this.idleSlots > 0;
  }

  /** How long an answer of the worker takes, in milliseconds; 0 if that is not known. */
  get roundTripMs(): number {
    return this.window.roundTripMs ?? 0;
  }

  /** Takes no more leases, and asks back what has not started. Resolves when nothing runs any more. */
  drain(): Promise<void> {
    this.intake.interrupt();
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

  /** That of one slot among several is a part of the time of all. */
  rest(ms: number, slots: number): void {
    this.#hearing.rest(ms / Math.max(1, Math.min(slots, this.leases.concurrency)), this.#context.clock.now());
  }

  restUntil(untilMs: number): void {
    this.#hearing.restUntil(untilMs);
  }

  get isUnproven(): boolean {
    return this.leases.running >= this.#reports.done;
  }

  loadChanged(): void {
    this.#context.loadChanged(this);
  }

  /** Ends the connection, unless it is over already. */
  schedulerFailed(error: unknown): void {
    this.end(CloseCode.internalError, `The scheduler failed: ${messageOf(error)}`);
  }

  alarmRang(nowMs: number): void {
    try {
      if (this.#loss === undefined) this.heartbeat.look(nowMs);
      else if (nowMs >= this.#loss.untilMs) this.stopWaiting();
      else this.alarm.setBy(this.#loss.untilMs);
      this.leases.look(nowMs);
      this.#hearing.lookAtRest(nowMs);
    } catch (error) {
      this.schedulerFailed(error);
    }
  }

  interrupted(code: number, reason: string): boolean {
    // Without leases there is nothing to go on with.
    if (this.leases.live === 0) return false;
    const untilMs = this.#context.clock.now() + this.#context.resumeWindowMs;
    this.#loss = { code, reason, untilMs };
    this.intake.interrupt();
    this.alarm.setBy(untilMs);
    this.loadChanged();
    this.#context.interrupted(this, code, reason);
    return true;
  }

  ended(code: number, reason: string): void {
    this.#loss = undefined;
    this.alarm.cancel();
    this.intake.interrupt();
    // What it was granted may never have reached it, until it has said something.
    const isLoss = this.#hearing.hasSpoken && !this.#isBack && !isGoodbye(code);
    this.wasFruitless = isLoss && this.leases.running > this.#reports.done;
    // Whatever it says that it runs.
    this.leases.end(code, reason, isLoss ? this.#context.maxConcurrency : 0);
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
        pingInterval: this.heartbeat.pingIntervalMs,
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
}

function sourceOf(identity: Identity | undefined, guest: Guest | undefined): string | undefined {
  // Apart, as anybody may have any name.
  return identity === undefined ? guest?.network : `identity ${identity.id}`;
}
