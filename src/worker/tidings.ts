// What a worker tells its master unasked: the latest of each alone, while there is more than the master takes.
import type { Clock } from '../ports.ts';
import { Limits } from '../protocol/decode.ts';
import type { Prefetch } from '../protocol/messages.ts';
import type { Alarm } from '../timer-queue.ts';
import { TokenBucket } from '../token-bucket.ts';

/** Of what the master takes, this share is sent: what it counts may come in one heap. */
const SHARE = 1 / 2;
/** What is held back is sent no more often than this. */
const HOLD_MS = 10;

/** Who sends what is told. */
export interface TidingsSender {
  sendCredit(concurrency: number, prefetch: Prefetch): void;
  /** Returns how many bytes it takes. @throws TaskdistError `TASKDIST_NOT_SERIALIZABLE`, `TASKDIST_TOO_LARGE` */
  sendProgress(lease: number, value: unknown): number;
}

/** The credit and the progress that one session tells of. */
export class Tidings {
  readonly #sender: TidingsSender;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  /** Undefined: the master takes any number. */
  readonly #allowance: TokenBucket | undefined = undefined;
  /** Of progress, which may be large. */
  readonly #bytes: TokenBucket | undefined = undefined;
  #credit: readonly [concurrency: number, prefetch: Prefetch] | undefined = undefined;
  /** Of each lease. */
  readonly #progress = new Map<number, unknown>();

  /** The master takes so many per second; undefined: any number. `alarm` is to ring for {@link look}. */
  constructor(sender: TidingsSender, clock: Clock, alarm: Alarm, perSecond: number | undefined) {
    this.#sender = sender;
    this.#clock = clock;
    this.#alarm = alarm;
    const rate = (perSecond ?? 0) * SHARE;
    if (perSecond === undefined) return;
    const bytesPerSecond = rate * Limits.unaskedBytes;
    this.#allowance = new TokenBucket(rate, Math.max(1, rate), clock.now());
    this.#bytes = new TokenBucket(bytesPerSecond, Math.max(1, bytesPerSecond), clock.now());
  }

  changeCredit(concurrency: number, prefetch: Prefetch): void {
    this.#credit = [concurrency, prefetch];
    this.look();
  }

  /** Returns whether it is told at once. It is not while `mayTell` is false. @throws as {@link TidingsSender.sendProgress} */
  progress(lease: number, value: unknown, mayTell: boolean): boolean {
    // What is held back goes first, and this may be the latest of it.
    if (mayTell && this.#progress.size === 0 && this.#takeProgress()) {
      this.#sendOne(lease, value);
      return true;
    }
    this.#progress.set(lease, value);
    if (mayTell) this.#awaitAllowance();
    return false;
  }

  /** Nobody wants to know any more how far it is. Called for every answer, and mostly there is nothing. */
  answered(lease: number): void {
    if (this.#progress.size > 0) this.#progress.delete(lease);
  }

  clear(): void {
    this.#progress.clear();
  }

  /** Sends what was held back, as far as it may be sent by now. */
  look(mayTellProgress = true): void {
    // However much progress there is to tell of, the master must know how many tasks it may grant.
    if (this.#credit !== undefined && this.#take(this.#allowance === undefined ? 0 : -this.#allowance.burst / 2)) {
      const credit = this.#credit;
      this.#credit = undefined;
      this.#sender.sendCredit(...credit);
    }
    if (mayTellProgress && this.#progress.size > 0) this.#sendProgress();
    if (this.#credit !== undefined || (mayTellProgress && this.#progress.size > 0)) this.#awaitAllowance();
  }

  #sendProgress(): void {
    for (const [lease, value] of [...this.#progress]) {
      if (!this.#takeProgress()) return;
      this.#progress.delete(lease);
      try {
        this.#sendOne(lease, value);
      } catch {
        // Nobody can be told any more what is wrong with it: its handler is past it. The next may do.
      }
    }
  }

  #sendOne(lease: number, value: unknown): void {
    const byteLength = this.#sender.sendProgress(lease, value);
    // It is known only now how much it is.
    this.#bytes?.take(this.#clock.now(), Number.NEGATIVE_INFINITY, byteLength);
  }

  #takeProgress(): boolean {
    return this.#waitMs(this.#bytes) === 0 && this.#take(0);
  }

  /** How long until there is something of it. */
  #waitMs(bucket: TokenBucket | undefined): number {
    return bucket?.waitMs(this.#clock.now(), 1) ?? 0;
  }

  #take(floor: number): boolean {
    return this.#allowance?.take(this.#clock.now(), floor) ?? true;
  }

  #awaitAllowance(): void {
    if (this.#allowance === undefined) return;
    const waitMs = Math.max(this.#waitMs(this.#allowance), this.#progress.size > 0 ? this.#waitMs(this.#bytes) : 0);
    this.#alarm.setBy(this.#clock.now() + Math.max(HOLD_MS, waitMs));
  }
}
