// The leases that one worker holds: which of them run, how long they may, and which are asked back.
import { deferred } from '../deferred.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { isSendable } from '../protocol/codec.ts';
import { type Answer, type CancelReason, type MasterMessage, MessageType } from '../protocol/messages.ts';
import type { Lease, RevokeReason } from '../scheduling/scheduler.ts';
import type { Alarm } from '../timer-queue.ts';
import type { ServerConversation } from './connection.ts';
import { type Grant, GrantTable } from './grants.ts';
import type { LeaseReports } from './lease-reports.ts';
import type { PrefetchWindow } from './prefetch-window.ts';

/** How long a worker has to give a lease back that it was asked for: this, or some round trips. */
const RECALL_PATIENCE_MS = 100;
const RECALL_PATIENCE_ROUND_TRIPS = 4;
/** The same, until a round trip is known: enough for a line around the world, and not for ever if the worker is blocked. */
const FIRST_RECALL_PATIENCE_MS = 2000;

/** Who is overtaken runs by then, or was given back; see docs/protocol.md, section 5. */
const OVERTAKING_MS = 100;

/** The weight of the latest grant in what grants take on average. */
const GRANT_WEIGHT = 1 / 8;

/** How long a worker that has come back has to tell of attempts that were through before their time was over. */
const CATCH_UP_MS = 1000;

/** Of all workers that have not had a lease yet. Nothing is added to it. */
const NO_GRANTS = new GrantTable<never>();

/** The leases of one connection, from their grant to their end. */
export class HeldLeases<T, R> {
  #grants: GrantTable<T> = NO_GRANTS;
  readonly #conversation: ServerConversation;
  readonly #window: PrefetchWindow;
  readonly #reports: LeaseReports<T, R>;
  readonly #taskTimeoutMs: number;
  readonly #alarm: Alarm;
  #concurrency: number;
  /** How many bytes a grant takes, of late. */
  #grantBytes = 0;
  /** Settled when nothing runs any more; there once the master drains. */
  #drained: ReturnType<typeof deferred> | undefined = undefined;

  /** `alarm` is to ring for {@link look}. */
  constructor(
    conversation: ServerConversation,
    concurrency: number,
    window: PrefetchWindow,
    reports: LeaseReports<T, R>,
    alarm: Alarm,
    taskTimeoutMs: number,
  ) {
    this.#conversation = conversation;
    this.#concurrency = concurrency;
    this.#window = window;
    this.#reports = reports;
    this.#taskTimeoutMs = taskTimeoutMs;
    this.#alarm = alarm;
  }

  /** How many the worker runs at once. */
  get concurrency(): number {
    return this.#concurrency;
  }

  /** All that the worker has not answered. */
  get size(): number {
    return this.#grants.size;
  }

  /** Those that occupy a slot of the worker. */
  get running(): number {
    return this.#grants.running;
  }

  /** Those that have not started. */
  get waiting(): number {
    return this.#grants.waiting;
  }

  /** Those of them that the worker has been asked to give back, and has not yet. */
  get recalled(): Iterable<Grant<T>> {
    return this.#grants.recalled;
  }

  /** Those that the scheduler still waits for. */
  get live(): number {
    return this.#grants.live;
  }

  get isDraining(): boolean {
    return this.#drained !== undefined;
  }

  /** For how many more grants there is room, before what waits to be sent has left; as far as is known. */
  get room(): number {
    return Math.ceil(this.#conversation.roomBytes / Math.max(1, this.#grantBytes));
  }

  /** Has the session told when there is room again. */
  awaitRoom(): void {
    this.#conversation.awaitRoom();
  }

  /** Sends a lease to the worker. */
  grant(lease: Lease<T>, nowMs: number): void {
    if (this.#grants === NO_GRANTS) this.#grants = new GrantTable();
    const grant = this.#grants.add(lease, nowMs);
    const message: MasterMessage = [MessageType.grant, grant.id, lease.attempt, lease.key, lease.task];
    try {
      this.#grantBytes += (this.#conversation.send(message) - this.#grantBytes) * GRANT_WEIGHT;
    } catch (error) {
      this.#grants.remove(grant);
      // JSON takes more room than MessagePack: what does not fit here may fit for another worker.
      this.#reports.notSendable(lease, isSendable(message, this.#conversation.maxFrameBytes), error);
    }
  }

  /** Starts the oldest of those that wait, as the worker does: so many occupy a slot then, if there are as many. */
  start(nowMs: number, occupied = this.#concurrency): void {
    for (
      let grant = this.#grants.start(occupied, nowMs);
      grant !== undefined;
      grant = this.#grants.start(occupied, nowMs)
    ) {
      this.#setDeadline(grant, nowMs);
      this.#reports.started(grant);
    }
  }

  /** The worker has answered a lease. Returns in what state it was; undefined if it was answered before. */
  answered(answer: Answer, nowMs: number): Grant<T>['state'] | undefined {
    const grant = this.#find(answer[1]);
    if (grant === undefined) {
      if (this.#grants.wasGranted(answer[1])) this.#reports.late();
      return undefined;
    }
    // What was declined, or given back, says nothing of how long tasks take.
    const hasRun = answer[0] === MessageType.done || answer[0] === MessageType.failed;
    if (hasRun) this.#mustHaveStarted(grant, nowMs);
    const hadStarted = this.#grants.remove(grant);
    if (hasRun && hadStarted && grant.startedAtMs !== undefined) {
      this.#window.noteEnd(grant.grantedAtMs, grant.startedAtMs, nowMs);
    }
    if (grant.state !== 'cancelled') this.#reports.answered(grant, answer, nowMs);
    else if (answer[0] === MessageType.done) this.#reports.late();
    this.start(nowMs);
    this.#tellIfDrained();
    return grant.state;
  }

  /** The worker tells how far it is with a lease. */
  progressed(id: number, value: unknown, nowMs: number): void {
    const grant = this.#find(id);
    if (grant === undefined) return;
    this.#mustHaveStarted(grant, nowMs);
    // What is cancelled has nothing to tell; nor what a listener has ended just now, with all others.
    if (grant.state !== 'running' || !this.#conversation.isOpen) return;
    this.#grants.prove(grant);
    if (grant.lease.timeoutFrom === 'progress') this.#setDeadline(grant, nowMs);
    this.#reports.progressed(grant, value);
  }

  /** The worker runs so many at once from now on, and says how many do now, if it does. */
  changeConcurrency(concurrency: number, running: number | undefined, nowMs: number): void {
    this.#concurrency = concurrency;
    const occupied = Math.max(concurrency, running ?? 0);
    for (const grant of this.#grants.turnBack(occupied, running !== undefined)) this.#reports.turnedBack(grant);
    this.start(nowMs, occupied);
    if (this.isDraining) this.#recallAll(nowMs);
  }

  /** Leases that could be asked back, the last first, each with how long it will probably wait yet, in milliseconds. */
  *recallable(nowMs: number): Generator<readonly [grant: Grant<T>, waitMs: number]> {
    const perPositionMs = (this.#window.taskMs ?? Number.POSITIVE_INFINITY) / Math.max(1, this.#concurrency);
    for (const [grant, position] of this.#grants.recallable()) {
      // What has waited for long may have to wait as long again, whatever the average says.
      yield [grant, Math.max(position * perPositionMs, nowMs - grant.grantedAtMs)];
    }
  }

  /** Asks for a lease back that has not started; it is taken back without an answer if none comes in time. */
  recall(grant: Grant<T>, nowMs: number): void {
    if (grant.state !== 'waiting') return;
    this.#grants.recall(grant, nowMs + this.#recallPatienceMs);
    this.#conversation.send([MessageType.recall, grant.id]);
    this.#alarm.setBy(grant.dueMs);
  }

  /** Deadlines may have passed. While the connection is lost, an attempt may be through, and nobody here know it. */
  look(nowMs: number): void {
    const isJudged = !this.#conversation.isInterrupted;
    for (const grant of this.#grants.overdue(nowMs, isJudged)) {
      // Listeners and the settling of the one before may have ended this one too, or the whole session.
      if (this.#conversation.isOpen) this.#overdue(grant);
    }
    if (this.#conversation.isOpen) this.#alarm.setBy(this.#grants.nextDueMs(isJudged));
  }

  /** The worker has come back, over another connection. */
  resumed(nowMs: number): void {
    this.#grants.postpone(nowMs + CATCH_UP_MS);
    this.#alarm.setBy(this.#grants.nextDueMs());
  }

  /** The scheduler has taken a lease back. Returns whether it was held. */
  revoke(lease: Lease<T>, reason: RevokeReason): boolean {
    const grant = this.#grants.find(lease);
    if (grant === undefined) return false;
    this.#cancel(grant, reason);
    this.#reports.revoked(grant, reason);
    this.#tellIfDrained();
    return true;
  }

  /** Asks back what has not started. Resolves when nothing runs any more, and the scheduler knows. */
  async drain(nowMs: number): Promise<void> {
    this.#drained ??= deferred();
    this.#recallAll(nowMs);
    this.#tellIfDrained();
    await this.#drained.promise;
    await this.#reports.settled();
  }

  /** The session is over: gives all back; of what ran, so many are lost with it, the oldest. */
  end(code: number, reason: string, maxLost: number): void {
    let lost = 0;
    for (const grant of this.#grants) {
      const hasRun = grant.state === 'running';
      this.#grants.remove(grant);
      if (grant.state !== 'cancelled') this.#reports.disconnected(grant, code, reason, hasRun && lost < maxLost);
      if (hasRun) lost += 1;
    }
    this.#tellIfDrained();
  }

  /** The grant of that number; undefined if it was answered before. Ends the connection if it was never granted. */
  #find(id: number): Grant<T> | undefined {
    const grant = this.#grants.get(id);
    if (grant === undefined && !this.#grants.wasGranted(id)) {
      this.#conversation.end(CloseCode.violation, `Lease ${id} was never granted on this connection`);
    }
    return grant;
  }

  /**
   * The worker says what only one that has started can tell: if it was taken to wait, that is known better now. For how
   * long it has run is not: the time of its slot was counted for one that was taken to run.
   */
  #mustHaveStarted(grant: Grant<T>, nowMs: number): void {
    if (grant.state !== 'waiting' && grant.state !== 'recalled') return;
    this.#grants.startOutOfTurn(grant, nowMs);
    this.#setDeadline(grant, nowMs);
    this.#reports.started(grant);
  }

  get #recallPatienceMs(): number {
    const { roundTripMs } = this.#window;
    if (roundTripMs === undefined) return FIRST_RECALL_PATIENCE_MS;
    return Math.max(RECALL_PATIENCE_MS, RECALL_PATIENCE_ROUND_TRIPS * roundTripMs);
  }

  #recallAll(nowMs: number): void {
    for (const [grant] of [...this.#grants.recallable()]) this.recall(grant, nowMs);
  }

  #setDeadline(grant: Grant<T>, fromMs: number): void {
    grant.dueMs = fromMs + this.#timeoutOf(grant);
    grant.postponed = 0;
    this.#alarm.setBy(grant.dueMs);
  }

  #timeoutOf({ lease }: Grant<T>): number {
    return lease.timeout ?? this.#taskTimeoutMs;
  }

  #overdue(grant: Grant<T>): void {
    if (grant.state === 'running') {
      this.#timedOut(grant);
    } else if (grant.state === 'recalled') {
      // The worker is blocked, or frozen: it will find out when it comes to it.
      this.#cancel(grant, 'recalled');
      this.#reports.recalled(grant);
    }
    this.#tellIfDrained();
  }

  /** An attempt is not timed out for having waited: one that may have, while others overtook it, gets its time anew, once. */
  #timedOut(grant: Grant<T>): void {
    const { overtakenAtMs, isProven } = grant;
    grant.isProven = true;
    if (isProven || overtakenAtMs === undefined) {
      this.#cancel(grant, 'timeout');
      this.#reports.timedOut(grant, this.#timeoutOf(grant));
    } else {
      grant.startedAtMs = overtakenAtMs + OVERTAKING_MS;
      this.#setDeadline(grant, grant.startedAtMs);
    }
  }

  /** The lease is over; the worker keeps its slot until it answers. */
  #cancel(grant: Grant<T>, reason: CancelReason): void {
    this.#grants.cancel(grant);
    this.#conversation.send([MessageType.cancel, grant.id, reason]);
  }

  #tellIfDrained(): void {
    if (this.#grants.live === 0) this.#drained?.resolve();
  }
}
