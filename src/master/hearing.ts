// What a worker says once it is welcome: who is told of it, and whether it is more than it may say.
import type { ConversationListener } from '../connection/conversation.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { Limits } from '../protocol/decode.ts';
import { type Answer, MessageType, type WorkerMessage } from '../protocol/messages.ts';
import type { Alarm } from '../timer-queue.ts';
import type { ServerConversation } from './connection.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { HeldLeases } from './held-leases.ts';
import type { Intake } from './intake.ts';
import { MessageBudget } from './message-budget.ts';
import { limited, type Offer } from './offer.ts';
import type { PrefetchWindow } from './prefetch-window.ts';

/** The session that the worker speaks in. */
export interface HeardSession<T, R> {
  readonly leases: HeldLeases<T, R>;
  readonly window: PrefetchWindow;
  readonly heartbeat: Heartbeat;
  readonly intake: Intake<T, R>;
  /** Rings for {@link Hearing.lookAtRest}, among others. */
  readonly alarm: Alarm;
  /** When it began. */
  readonly sinceMs: number;
  readonly isOpen: boolean;
  /** As {@link ConversationListener.interrupted}. */
  interrupted(code: number, reason: string): boolean;
  /** As {@link ConversationListener.ended}. */
  ended(code: number, reason: string): void;
}

/** What a worker may say unasked. */
export interface HearingLimits {
  /** Of messages that nobody asked for, per second; or Infinity. */
  readonly maxMessageRate: number;
  /** How many tasks it runs at once at most, whatever it offers. */
  readonly maxConcurrency: number;
  readonly socketTimeoutMs: number;
}

/** Nobody rests for longer, in milliseconds. */
const MAX_REST_MS = 60_000;

/** Hears one worker. */
export class Hearing<T, R> implements ConversationListener<WorkerMessage> {
  readonly #session: HeardSession<T, R>;
  readonly #conversation: ServerConversation;
  readonly #limits: HearingLimits;
  /** Whether the worker has said anything since its welcome: so that has reached it. */
  hasSpoken = false;
  /** Whether the frame that is being heard has answered something. */
  #hasAnswered = false;
  /** When it may be granted tasks again; there while it rests. */
  #restsUntilMs: number | undefined = undefined;
  /** There once it has said something of its own accord, or given something back. */
  #budget: MessageBudget | undefined = undefined;

  constructor(session: HeardSession<T, R>, conversation: ServerConversation, limits: HearingLimits) {
    this.#session = session;
    this.#conversation = conversation;
    this.#limits = limits;
  }

  /** Whether the worker gets nothing for a while, as it has given too much back, or nothing that counts. */
  get isResting(): boolean {
    return this.#restsUntilMs !== undefined;
  }

  /** It is to rest for so much longer. */
  rest(ms: number, nowMs: number): void {
    this.restUntil(Math.min(nowMs + MAX_REST_MS, Math.max(nowMs, this.#restsUntilMs ?? 0) + ms));
  }

  /** It may have rested for long enough. */
  lookAtRest(nowMs: number): void {
    const { intake, alarm, isOpen } = this.#session;
    const untilMs = this.#restsUntilMs;
    if (untilMs === undefined) return;
    if (nowMs >= untilMs) {
      this.#restsUntilMs = undefined;
      intake.refillSoon();
    } else if (isOpen) {
      alarm.setBy(untilMs);
    }
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
        if (this.#takeUnasked(nowMs)) this.#session.leases.progressed(message[1], message[2], nowMs);
        break;
      case MessageType.credit:
        if (this.#takeUnasked(nowMs))
          this.#creditChanged(limited(message[1], message[2], this.#limits.maxConcurrency), message[3], nowMs);
        break;
      case MessageType.pong:
        // The window may be another one.
        if (this.#session.heartbeat.ponged(message[1], message[2] ?? 0, nowMs)) this.#session.intake.refillSoon();
        else this.#takeUnasked(nowMs);
        break;
      case MessageType.hello:
        this.#conversation.end(CloseCode.violation, 'A second hello');
        break;
    }
  }

  frameHeard(byteLength: number): void {
    this.hasSpoken = true;
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
    this.#session.intake.refillSoon();
  }

  interrupted(code: number, reason: string): boolean {
    return this.#session.interrupted(code, reason);
  }

  ended(code: number, reason: string): void {
    this.#session.ended(code, reason);
  }

  #answered(answer: Answer, nowMs: number): void {
    const { leases, window, heartbeat, intake } = this.#session;
    const state = leases.answered(answer, nowMs);
    if (state === undefined) this.#takeUnasked(nowMs);
    else this.#hasAnswered = true;

    // Unless it was asked for, or its slot was waited for.
    if (isReturn(answer) && (state === 'waiting' || state === 'running')) this.#noteReturned(nowMs);
    if (window.wanted === 'auto') heartbeat.probe(nowMs);
    intake.freed();
  }

  #creditChanged(offer: Offer, said: number | undefined, nowMs: number): void {
    const { leases, window, intake } = this.#session;
    const running = said === undefined ? undefined : Math.min(said, this.#limits.maxConcurrency);
    window.wanted = offer.prefetch;
    intake.interrupt();
    leases.changeConcurrency(offer.concurrency, running, nowMs);
    intake.refill();
  }

  /**
   * A message that nobody has asked for, or a large frame of them. Ends the connection if there are too many; returns whether it
   * goes on.
   */
  #takeUnasked(nowMs: number, byteLength?: number): boolean {
    const { maxMessageRate } = this.#limits;
    if (maxMessageRate === Number.POSITIVE_INFINITY) return true;
    const budget = this.#budgetOf(nowMs);
    if (byteLength === undefined ? budget.takeUnasked(nowMs) : budget.takeUnaskedBytes(nowMs, byteLength)) return true;
    const reason = `More than ${maxMessageRate} messages per second that nobody asked for`;
    this.#conversation.end(CloseCode.tooManyMessages, reason);
    return false;
  }

  /** To grant it the same again, and again, would cost the master work for nothing. */
  #noteReturned(nowMs: number): void {
    if (this.#limits.maxMessageRate === Number.POSITIVE_INFINITY) return;
    const ms = this.#budgetOf(nowMs).noteReturned(nowMs, this.isResting);
    if (ms > 0) this.restUntil(nowMs + ms);
  }

  /** It is to rest until then at the least. */
  restUntil(untilMs: number): void {
    const { intake, alarm, isOpen } = this.#session;
    this.#restsUntilMs = Math.max(untilMs, this.#restsUntilMs ?? 0);
    intake.interrupt();
    if (isOpen) alarm.setBy(this.#restsUntilMs);
  }

  #budgetOf(nowMs: number): MessageBudget {
    const { maxMessageRate, socketTimeoutMs } = this.#limits;
    this.#budget ??= new MessageBudget(maxMessageRate, socketTimeoutMs, nowMs - this.#session.sinceMs, nowMs);
    return this.#budget;
  }
}

function isReturn(answer: Answer): boolean {
  return answer[0] === MessageType.released || answer[0] === MessageType.rejected;
}
