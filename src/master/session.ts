// A master's conversation with one worker: credit, grants and their answers, deadlines, heartbeat, and the end.
import type { Conversation, ConversationListener } from '../connection/conversation.ts';
import { messageOf, RemoteError, TaskdistError, TaskTimeoutError } from '../errors.ts';
import type { Labels } from '../labels.ts';
import type { Clock } from '../ports.ts';
import { CloseCode, isGoodbye } from '../protocol/close-codes.ts';
import { isSendable } from '../protocol/codec.ts';
import {
  type CancelReason,
  type MasterMessage,
  MessageType,
  PROTOCOL_VERSION,
  type Prefetch,
  type WorkerDescription,
  type WorkerMessage,
} from '../protocol/messages.ts';
import { RateMeter } from '../rate.ts';
import { profileKey } from '../scheduling/profiles.ts';
import type { Ended, Lease, LeaseHolder, RevokeReason, TaskScheduler } from '../scheduling/scheduler.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { AttemptOutcome, WorkerInfo } from './events.ts';
import { type Grant, GrantTable } from './grants.ts';
import { PrefetchWindow } from './prefetch-window.ts';

/** What all sessions of a master share. */
export interface SessionContext<T, R> {
  readonly scheduler: TaskScheduler<T, R>;
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly taskTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** An attempt has started; told after the scheduler knows. */
  attemptStarted(session: Session<T, R>, grant: Grant<T>): void;
  /** An attempt has something to tell; told before the scheduler knows, as that may end it. */
  attemptProgressed(session: Session<T, R>, grant: Grant<T>, value: unknown): void;
  /** An attempt of which `attemptStarted` was told ended; told before the scheduler knows. */
  attemptEnded(session: Session<T, R>, grant: Grant<T>, outcome: AttemptOutcome): void;
  /** A lease that had not started was taken back for another worker; told before the scheduler knows. */
  leaseRecalled(session: Session<T, R>, grant: Grant<T>): void;
  /** How many tasks it could start at once, or whether it holds any that wait, may have changed. */
  loadChanged(session: Session<T, R>): void;
  /** The connection is over, and every lease given back. */
  left(session: Session<T, R>, code: number, reason: string): void;
}

/** Pings per `socketTimeout`: one may be lost, and the next still comes in time. */
const PINGS_PER_TIMEOUT = 3;
/** While tasks flow, and the window depends on it, the round trip is measured this often. */
const PROBE_INTERVAL_MS = 1000;
/** How long a worker has to give a lease back that it was asked for: this, or some round trips. */
const RECALL_PATIENCE_MS = 100;
const RECALL_PATIENCE_ROUND_TRIPS = 4;
/** The same, until a round trip is known: enough for a line around the world, and not for ever if the worker is blocked. */
const FIRST_RECALL_PATIENCE_MS = 2000;
/** Over how long the rate of a worker is averaged. */
const RATE_WINDOW_MS = 10_000;

/** A ping that was sent. */
interface Ping {
  readonly nonce: number;
  readonly sentAtMs: number;
}

/** The `take` that is under way. */
interface Taking {
  readonly controller: AbortController;
  /** How many tasks the worker could start at once when it was asked. */
  readonly idleSlots: number;
}

/** The session of one worker's connection, from its hello on. */
export class Session<T, R> implements LeaseHolder<T>, ConversationListener<WorkerMessage> {
  readonly id: string;
  readonly name: string;
  readonly accepts: ReadonlySet<string> | undefined;
  readonly labels: Labels | undefined;
  /** The same for workers of the same `accepts` and labels. */
  readonly kind: string;
  readonly #platform: string;
  readonly #connectedAt: number;
  readonly #conversation: Conversation<MasterMessage, WorkerMessage>;
  readonly #context: SessionContext<T, R>;
  readonly #grants = new GrantTable<T>();
  readonly #window: PrefetchWindow;
  readonly #alarm: Alarm;
  readonly #pingIntervalMs: number;
  readonly #rate: RateMeter;
  readonly #counts = { done: 0, failed: 0, late: 0, recalled: 0 };
  #concurrency: number;
  #lastPing: Ping;
  /** The one whose answer is timed. Others may follow before it comes, if that takes long. */
  #timedPing: Ping | undefined = undefined;
  #taking: Taking | undefined = undefined;
  #isRefilling = false;
  #onDrained: (() => void) | undefined = undefined;

  constructor(
    id: string,
    worker: WorkerDescription,
    conversation: Conversation<MasterMessage, WorkerMessage>,
    context: SessionContext<T, R>,
  ) {
    const nowMs = context.clock.now();
    this.id = id;
    this.name = worker.name;
    this.accepts = worker.accepts === undefined ? undefined : new Set(worker.accepts);
    this.labels = worker.labels;
    this.kind = profileKey(this);
    this.#platform = worker.platform;
    this.#concurrency = worker.concurrency;
    this.#window = new PrefetchWindow(worker.prefetch, nowMs);
    this.#rate = new RateMeter(RATE_WINDOW_MS, nowMs);
    this.#connectedAt = context.clock.epochNow();
    this.#conversation = conversation;
    this.#context = context;
    this.#pingIntervalMs = Math.ceil(context.socketTimeoutMs / PINGS_PER_TIMEOUT);
    this.#lastPing = { nonce: 0, sentAtMs: nowMs };
    this.#alarm = context.timers.createAlarm((nowMs) => {
      try {
        this.#look(nowMs);
      } catch (error) {
        this.#schedulerFailed(error);
      }
    });
  }

  /** Welcomes the worker, and starts to grant it leases. */
  start(): void {
    this.#conversation.handTo(this);
    this.#conversation.send([
      MessageType.welcome,
      {
        version: PROTOCOL_VERSION,
        worker: this.id,
        pingInterval: this.#pingIntervalMs,
        socketTimeout: this.#context.socketTimeoutMs,
        maxFrameBytes: this.#context.maxFrameBytes,
      },
    ]);
    // Nothing is known yet of the way to this worker.
    this.#ping(this.#context.clock.now());
    this.#alarm.setBy(this.#nextPingMs);
    this.#context.scheduler.join(this);
    this.#refill();
  }

  /** What is known of the worker. */
  get info(): WorkerInfo {
    const { roundTripMs } = this.#window;
    return {
      id: this.id,
      name: this.name,
      platform: this.#platform,
      labels: this.labels ?? {},
      connectedAt: this.#connectedAt,
      concurrency: this.#concurrency,
      credit: this.#credit,
      running: this.#grants.running,
      waiting: this.#grants.waiting,
      ...this.#counts,
      rate: this.#rate.perSecond(this.#context.clock.now()),
      ...(roundTripMs === undefined ? {} : { roundTrip: roundTripMs }),
    };
  }

  /** How many tasks it could start at once. */
  get idleSlots(): number {
    return Math.max(0, this.#concurrency - this.#grants.size);
  }

  /** Whether it waits for tasks that it could start at once. */
  get isIdle(): boolean {
    return this.#taking !== undefined && this.#conversation.isOpen && this.idleSlots > 0;
  }

  /** How many leases it holds that have not started. */
  get waiting(): number {
    return this.#grants.waiting;
  }

  /** Those of them that it has been asked to give back, and has not yet. */
  get recalled(): Iterable<Grant<T>> {
    return this.#grants.recalled;
  }

  /** How long an answer of the worker takes, in milliseconds; 0 if that is not known. */
  get roundTripMs(): number {
    return this.#window.roundTripMs ?? 0;
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
  recall(grant: Grant<T>): void {
    if (grant.state !== 'waiting') return;
    this.#grants.recall(grant, this.#context.clock.now() + this.#recallPatienceMs);
    this.#conversation.send([MessageType.recall, grant.id]);
    this.#alarm.setBy(grant.dueMs);
  }

  get #recallPatienceMs(): number {
    const { roundTripMs } = this.#window;
    if (roundTripMs === undefined) return FIRST_RECALL_PATIENCE_MS;
    return Math.max(RECALL_PATIENCE_MS, RECALL_PATIENCE_ROUND_TRIPS * roundTripMs);
  }

  /** Takes no more leases, asks back what has not started, and calls back once, when nothing runs any more. */
  drain(onDrained: () => void): void {
    this.#onDrained = onDrained;
    this.#taking?.controller.abort();
    this.#recallAll();
    this.#tellIfDrained();
  }

  /** Says goodbye. */
  end(code: number, reason: string): void {
    this.#conversation.end(code, reason);
  }

  revoke(lease: Lease<T>, reason: RevokeReason): void {
    const grant = this.#grants.find(lease);
    if (grant === undefined) return;
    this.#cancel(grant, reason);
    // It may have been on its way to somebody idle.
    this.#context.loadChanged(this);
  }

  received(message: WorkerMessage): void {
    switch (message[0]) {
      case MessageType.done:
      case MessageType.failed:
      case MessageType.rejected:
      case MessageType.released:
        this.#answered(message[1], message);
        break;
      case MessageType.progress:
        this.#progressed(message[1], message[2]);
        break;
      case MessageType.credit:
        this.#creditChanged(message[1], message[2], message[3]);
        break;
      case MessageType.pong:
        this.#ponged(message[1]);
        break;
      case MessageType.hello:
        this.end(CloseCode.violation, 'A second hello');
        break;
    }
  }

  ended(code: number, reason: string): void {
    this.#alarm.cancel();
    this.#taking?.controller.abort();
    for (const grant of [...this.#grants]) this.#takeBack(grant, code, reason);
    this.#context.scheduler.leave(this);
    this.#context.left(this, code, reason);
    this.#tellIfDrained();
  }

  #answered(id: number, answer: Extract<WorkerMessage, readonly [unknown, number, ...unknown[]]>): void {
    const grant = this.#find(id);
    if (grant === undefined) {
      if (this.#grants.wasGranted(id)) this.#counts.late += 1;
      return;
    }
    const hadStarted = this.#grants.remove(grant);
    // What was declined, or given back, says nothing of how long tasks take.
    const hasRun = hadStarted && (answer[0] === MessageType.done || answer[0] === MessageType.failed);
    if (hasRun && grant.startedAtMs !== undefined) {
      this.#window.noteEnd(grant.grantedAtMs, grant.startedAtMs, this.#context.clock.now());
    }
    if (grant.state === 'cancelled') {
      if (answer[0] === MessageType.done) this.#counts.late += 1;
    } else {
      this.#settle(grant, answer);
    }
    this.#startOldest();
    this.#refillSoon();
    this.#tellIfDrained();
  }

  /** The grant of that number; undefined if it was answered before. Ends the connection if it was never granted. */
  #find(id: number): Grant<T> | undefined {
    const grant = this.#grants.get(id);
    if (grant === undefined && !this.#grants.wasGranted(id)) {
      this.end(CloseCode.violation, `Lease ${id} was never granted on this connection`);
    }
    return grant;
  }

  #settle(grant: Grant<T>, answer: WorkerMessage): void {
    const { scheduler, clock } = this.#context;
    switch (answer[0]) {
      case MessageType.done:
        this.#counts.done += 1;
        this.#rate.count(clock.now());
        this.#tellAttempt(grant, 'done');
        // The handler's type promises it; what crosses the wire is as trustworthy as the worker.
        this.#expect(scheduler.complete(grant.lease, answer[2] as R));
        break;
      case MessageType.failed:
        this.#counts.failed += 1;
        this.#tellAttempt(grant, 'failed');
        this.#expect(scheduler.fail(grant.lease, new RemoteError(answer[2])));
        break;
      case MessageType.rejected:
        this.#tellAttempt(grant, 'rejected');
        this.#expect(scheduler.release(grant.lease, { kind: 'rejected' }));
        break;
      default:
        if (grant.state === 'recalled') this.#tellRecalled(grant);
        this.#tellAttempt(grant, 'returned');
        this.#expect(scheduler.release(grant.lease, { kind: grant.state === 'recalled' ? 'recalled' : 'returned' }));
    }
  }

  #recallAll(): void {
    for (const [grant] of [...this.#grants.recallable()]) this.recall(grant);
  }

  #progressed(id: number, value: unknown): void {
    const grant = this.#find(id);
    // What is cancelled, or not known to run yet, has nothing to tell.
    if (grant?.state !== 'running') return;
    const { lease } = grant;
    if (lease.timeoutFrom === 'progress') this.#setDeadline(grant, this.#context.clock.now());
    this.#context.attemptProgressed(this, grant, value);
    this.#context.scheduler.progressed(lease, value);
  }

  #creditChanged(concurrency: number, prefetch: Prefetch, running: number | undefined): void {
    this.#concurrency = concurrency;
    this.#window.wanted = prefetch;
    // It was asked for another number of tasks.
    this.#taking?.controller.abort();
    const occupied = Math.max(concurrency, running ?? 0);
    this.#grants.turnBack(occupied, running !== undefined);
    this.#startOldest(occupied);
    if (this.#onDrained !== undefined) this.#recallAll();
    this.#refill();
  }

  /**
   * Refills once the frame that is being read is through, so that all that it frees is taken together; and once the
   * scheduler has handed out what the frame gave back, as somebody idle may wait for it.
   */
  #refillSoon(): void {
    if (this.#isRefilling) return;
    this.#isRefilling = true;
    queueMicrotask(() =>
      queueMicrotask(() => {
        this.#isRefilling = false;
        this.#refill();
      }),
    );
  }

  /** Takes tasks while there is credit. One `take` at a time; called again whenever credit comes free. */
  #refill(): void {
    this.#window.reckon(this.#context.clock.now());
    const free = this.#free;
    if (free <= 0) this.#window.noteFull();
    const { idleSlots } = this;
    if (this.#taking !== undefined) {
      // Who could start a task at once goes before those who could not; the scheduler must know.
      if (idleSlots > this.#taking.idleSlots) this.#taking.controller.abort();
    } else if (free > 0 && this.#conversation.isOpen) {
      const taking: Taking = { controller: new AbortController(), idleSlots };
      this.#taking = taking;
      this.#context.scheduler.take(this, free, taking.controller.signal).then(
        (leases) => {
          this.#taking = undefined;
          this.#grantAll(leases);
          this.#refill();
        },
        (error: unknown) => this.#schedulerFailed(error),
      );
    }
    this.#context.loadChanged(this);
  }

  /** How many leases it may hold. */
  get #credit(): number {
    if (this.#concurrency === 0 || this.#onDrained !== undefined) return 0;
    return this.#concurrency + this.#window.size(this.#concurrency);
  }

  get #free(): number {
    return this.#credit - this.#grants.size;
  }

  #grantAll(leases: readonly Lease<T>[]): void {
    const nowMs = this.#context.clock.now();
    for (const lease of leases) {
      // It may have been aborted since it was taken, which there was no grant to revoke for.
      if (!lease.isLive) continue;
      if (this.#conversation.isOpen && this.#free > 0) this.#grant(lease, nowMs);
      else this.#expect(this.#context.scheduler.release(lease, { kind: 'returned' }));
    }
    if (leases.length > 0 && this.#window.wanted === 'auto' && nowMs - this.#lastPing.sentAtMs >= PROBE_INTERVAL_MS) {
      this.#ping(nowMs);
    }
    this.#startOldest();
  }

  #grant(lease: Lease<T>, nowMs: number): void {
    const grant = this.#grants.add(lease, nowMs);
    const message: MasterMessage = [MessageType.grant, grant.id, lease.attempt, lease.key, lease.task];
    try {
      this.#conversation.send(message);
    } catch (error) {
      this.#grants.remove(grant);
      // JSON takes more room than MessagePack: what does not fit here may fit for another worker.
      const isForOthers = isSendable(message, this.#conversation.maxFrameBytes);
      const { scheduler } = this.#context;
      if (isForOthers) this.#expect(scheduler.release(lease, { kind: 'rejected' }));
      else this.#expect(scheduler.discard(lease, error instanceof Error ? error : new Error(messageOf(error))));
    }
  }

  /** A scheduler over a store answers later, and may fail. */
  #expect(ended: Ended): void {
    if (typeof ended !== 'boolean') ended.catch((error: unknown) => this.#schedulerFailed(error));
  }

  #schedulerFailed(error: unknown): void {
    this.end(CloseCode.internalError, `The scheduler failed: ${messageOf(error)}`);
  }

  #startOldest(occupied = this.#concurrency): void {
    const nowMs = this.#context.clock.now();
    for (
      let grant = this.#grants.start(occupied, nowMs);
      grant !== undefined;
      grant = this.#grants.start(occupied, nowMs)
    ) {
      this.#setDeadline(grant, nowMs);
      // It may have been turned back since.
      if (grant.isTold) continue;
      grant.isTold = true;
      this.#context.scheduler.started(grant.lease);
      this.#context.attemptStarted(this, grant);
    }
  }

  #setDeadline(grant: Grant<T>, fromMs: number): void {
    grant.dueMs = fromMs + this.#timeoutOf(grant);
    this.#alarm.setBy(grant.dueMs);
  }

  #timeoutOf({ lease }: Grant<T>): number {
    return lease.timeout ?? this.#context.taskTimeoutMs;
  }

  /** The scheduler has taken the lease back; the worker keeps its slot until it answers. */
  #cancel(grant: Grant<T>, reason: CancelReason): void {
    // First, as a listener may end the session.
    this.#grants.cancel(grant);
    this.#tellAttempt(grant, reason === 'recalled' ? 'returned' : reason);
    this.#conversation.send([MessageType.cancel, grant.id, reason]);
    this.#tellIfDrained();
  }

  /** The time may have come for a ping, for a deadline, or to give the worker up. */
  #look(nowMs: number): void {
    const { socketTimeoutMs } = this.#context;
    if (nowMs - this.#conversation.heardAtMs >= socketTimeoutMs) {
      this.#conversation.giveUp(`Nothing heard for ${socketTimeoutMs} ms (\`socketTimeout\`)`);
      return;
    }
    for (const grant of this.#grants.overdue(nowMs)) {
      // Listeners and the settling of the one before may have ended this one too, or the whole session.
      if (this.#conversation.isOpen) this.#overdue(grant);
    }
    if (!this.#conversation.isOpen) return;
    if (nowMs >= this.#nextPingMs) this.#ping(nowMs);
    this.#alarm.setBy(this.#conversation.heardAtMs + socketTimeoutMs);
    this.#alarm.setBy(this.#nextPingMs);
    this.#alarm.setBy(this.#grants.nextDueMs());
  }

  #overdue(grant: Grant<T>): void {
    const { scheduler } = this.#context;
    if (grant.state === 'running') {
      this.#counts.failed += 1;
      this.#cancel(grant, 'timeout');
      this.#expect(scheduler.fail(grant.lease, new TaskTimeoutError(this.#timeoutOf(grant), grant.lease.timeoutFrom)));
    } else if (grant.state === 'recalled') {
      // The worker is blocked, or frozen: it will find out when it comes to it.
      this.#tellRecalled(grant);
      this.#cancel(grant, 'recalled');
      this.#expect(scheduler.release(grant.lease, { kind: 'recalled' }));
    }
  }

  get #nextPingMs(): number {
    return this.#lastPing.sentAtMs + this.#pingIntervalMs;
  }

  #ping(nowMs: number): void {
    this.#lastPing = { nonce: this.#lastPing.nonce + 1, sentAtMs: nowMs };
    this.#timedPing ??= this.#lastPing;
    this.#conversation.send([MessageType.ping, this.#lastPing.nonce]);
  }

  #ponged(nonce: number): void {
    if (nonce !== this.#timedPing?.nonce) return;
    this.#window.noteRoundTrip(this.#context.clock.now() - this.#timedPing.sentAtMs);
    this.#timedPing = undefined;
    this.#refillSoon();
  }

  #takeBack(grant: Grant<T>, code: number, reason: string): void {
    this.#grants.remove(grant);
    if (grant.state === 'cancelled') return;
    const isLost = grant.state === 'running' && !isGoodbye(code);
    this.#tellAttempt(grant, isLost ? 'lost' : 'returned');
    if (!isLost) {
      this.#expect(this.#context.scheduler.release(grant.lease, { kind: 'returned' }));
      return;
    }
    const error = new TaskdistError(
      'TASKDIST_WORKER_LOST',
      `The connection to ${this.name} ended (${code}): ${reason}`,
    );
    this.#expect(this.#context.scheduler.release(grant.lease, { kind: 'lost', error }));
  }

  #tellAttempt(grant: Grant<T>, outcome: AttemptOutcome): void {
    if (!grant.isTold) return;
    grant.isTold = false;
    this.#context.attemptEnded(this, grant, outcome);
  }

  #tellRecalled(grant: Grant<T>): void {
    this.#counts.recalled += 1;
    this.#context.leaseRecalled(this, grant);
  }

  #tellIfDrained(): void {
    if (this.#onDrained === undefined || this.#grants.live > 0) return;
    const onDrained = this.#onDrained;
    // Still draining: nothing is taken any more.
    this.#onDrained = () => {};
    onDrained();
  }
}
