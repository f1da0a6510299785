// Whether a worker is alive, and how long its answers take: the pings of one connection.
import { MessageType } from '../protocol/messages.ts';
import type { Alarm } from '../timer-queue.ts';
import type { ServerConversation } from './connection.ts';
import type { PrefetchWindow } from './prefetch-window.ts';

/** Pings per `socketTimeout`: one may be lost, and the next still comes in time. */
const PINGS_PER_TIMEOUT = 3;
/** A round trip that is asked for is measured no more often than this. */
const PROBE_INTERVAL_MS = 1000;

/** Pings the worker, measures the round trip, and gives the worker up when it has been silent for too long. */
export class Heartbeat {
  readonly pingIntervalMs: number;
  readonly #conversation: ServerConversation;
  readonly #socketTimeoutMs: number;
  readonly #alarm: Alarm;
  readonly #window: PrefetchWindow;
  /** Of the last ping: its nonce, and when it was sent. */
  #nonce = 0;
  #pingedAtMs: number;
  /** When the first ping was sent that the worker has said nothing since. */
  #askedAtMs: number;
  /** The nonce of the one whose answer is timed, 0 for none. Others may follow before it comes, if that takes long. */
  #timedNonce = 0;
  #timedAtMs: number;
  /** The nonce of the last one that was answered. */
  #answered = 0;

  /** `alarm` is to ring for {@link look}; `window` is told every round trip, and for how long of it the ping may have lain unread. */
  constructor(conversation: ServerConversation, alarm: Alarm, socketTimeoutMs: number, window: PrefetchWindow) {
    this.pingIntervalMs = Math.ceil(socketTimeoutMs / PINGS_PER_TIMEOUT);
    this.#conversation = conversation;
    this.#socketTimeoutMs = socketTimeoutMs;
    this.#window = window;
    this.#pingedAtMs = conversation.heardAtMs;
    this.#timedAtMs = conversation.heardAtMs;
    this.#askedAtMs = conversation.heardAtMs;
    this.#alarm = alarm;
  }

  /** Pings at once, as nothing is known yet of the way to this worker, or as it is another one than before. */
  start(nowMs: number): void {
    this.#timedNonce = 0;
    this.#ping(nowMs);
    this.#alarm.setBy(this.#nextPingMs);
  }

  /** Measures the round trip again, unless that was done a short while ago. */
  probe(nowMs: number): void {
    if (nowMs - this.#pingedAtMs >= PROBE_INTERVAL_MS) this.#ping(nowMs);
  }

  /** The worker has answered a ping, which may have lain unread for so long. Returns whether there was one to answer. */
  ponged(nonce: number, heldMs: number, nowMs: number): boolean {
    if (nonce <= this.#answered || nonce > this.#nonce) return false;
    this.#answered = nonce;
    if (nonce !== this.#timedNonce) return true;
    this.#timedNonce = 0;
    this.#window.noteRoundTrip(nowMs - this.#timedAtMs, heldMs);
    return true;
  }

  /** It may be time for a ping, or to give the worker up. */
  look(nowMs: number): void {
    if (nowMs >= this.#silentAtMs) {
      this.#conversation.giveUp(`Nothing heard for ${this.#socketTimeoutMs} ms (\`socketTimeout\`)`);
      return;
    }
    if (nowMs >= this.#nextPingMs) this.#ping(nowMs);
    this.#alarm.setBy(Math.min(this.#nextPingMs, this.#silentAtMs));
  }

  get #nextPingMs(): number {
    return this.#pingedAtMs + this.pingIntervalMs;
  }

  /** Who was asked late, as we stood still, has had nothing to answer until then: it is given the time that it has as a rule. */
  get #silentAtMs(): number {
    const { heardAtMs } = this.#conversation;
    if (this.#askedAtMs < heardAtMs) return Number.POSITIVE_INFINITY;
    return Math.max(heardAtMs + this.#socketTimeoutMs, this.#askedAtMs + this.#socketTimeoutMs - this.pingIntervalMs);
  }

  #ping(nowMs: number): void {
    this.#nonce += 1;
    this.#pingedAtMs = nowMs;
    if (this.#timedNonce === 0) {
      this.#timedNonce = this.#nonce;
      this.#timedAtMs = nowMs;
    }
    if (this.#askedAtMs <= this.#conversation.heardAtMs) this.#askedAtMs = nowMs;
    this.#conversation.tellReceived();
    this.#conversation.send([MessageType.ping, this.#nonce]);
  }
}
