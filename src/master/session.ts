// A master's conversation with one worker: credit, grants and their answers, deadlines, heartbeat, and the end.
import type { Conversation, ConversationListener } from '../connection/conversation.ts';
import { messageOf, RemoteError, TaskdistError, TaskTimeoutError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { CloseCode, isGoodbye } from '../protocol/close-codes.ts';
import { isSendable } from '../protocol/codec.ts';
import {
  type CancelReason,
  type MasterMessage,
  MessageType,
  PROTOCOL_VERSION,
  type WorkerDescription,
  type WorkerMessage,
} from '../protocol/messages.ts';
import type { Ended, Lease, LeaseHolder, TaskScheduler } from '../scheduling/scheduler.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { AttemptOutcome, WorkerInfo } from './events.ts';
import { type Grant, GrantTable } from './grants.ts';

/** What all sessions of a master share. */
export interface SessionContext<T, R> {
  readonly scheduler: TaskScheduler<T, R>;
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly taskTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** An attempt that had started ended; told before the scheduler knows. */
  attemptEnded(session: Session<T, R>, grant: Grant<T>, outcome: AttemptOutcome): void;
  /** The connection is over, and every lease given back. */
  left(session: Session<T, R>, code: number, reason: string): void;
}

/** Pings per `socketTimeout`: one may be lost, and the next still comes in time. */
const PINGS_PER_TIMEOUT = 3;

/** The session of one worker's connection, from its hello on. */
export class Session<T, R> implements LeaseHolder<T>, ConversationListener<WorkerMessage> {
  readonly id: string;
  readonly name: string;
  readonly accepts: ReadonlySet<string> | undefined;
  readonly #platform: string;
  readonly #connectedAt: number;
  readonly #conversation: Conversation<MasterMessage, WorkerMessage>;
  readonly #context: SessionContext<T, R>;
  readonly #grants = new GrantTable<T>();
  readonly #alarm: Alarm;
  readonly #pingIntervalMs: number;
  #concurrency: number;
  #prefetch: number;
  #nextPingMs: number;
  #nonce = 0;
  /** The `take` that is under way; aborted when what it was asked for no longer holds. */
  #taking: AbortController | undefined = undefined;
  readonly #counts = { done: 0, failed: 0, late: 0 };

  constructor(
    id: string,
    worker: WorkerDescription,
    conversation: Conversation<MasterMessage, WorkerMessage>,
    context: SessionContext<T, R>,
  ) {
    this.id = id;
    this.name = worker.name;
    this.accepts = worker.accepts === undefined ? undefined : new Set(worker.accepts);
    this.#platform = worker.platform;
    this.#concurrency = worker.concurrency;
    this.#prefetch = worker.prefetch;
    this.#connectedAt = context.clock.epochNow();
    this.#conversation = conversation;
    this.#context = context;
    this.#pingIntervalMs = Math.ceil(context.socketTimeoutMs / PINGS_PER_TIMEOUT);
    this.#nextPingMs = context.clock.now() + this.#pingIntervalMs;
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
    this.#alarm.setBy(this.#nextPingMs);
    this.#refill();
  }

  /** What is known of the worker. */
  get info(): WorkerInfo {
    return {
      id: this.id,
      name: this.name,
      platform: this.#platform,
      connectedAt: this.#connectedAt,
      concurrency: this.#concurrency,
      running: this.#grants.running,
      ...this.#counts,
    };
  }

  /** Says goodbye. */
  end(code: number, reason: string): void {
    this.#conversation.end(code, reason);
  }

  revoke(lease: Lease<T>): void {
    const grant = this.#grants.find(lease);
    if (grant === undefined) return;
    this.#cancel(grant, 'aborted');
  }

  received(message: WorkerMessage): void {
    switch (message[0]) {
      case MessageType.done:
      case MessageType.failed:
      case MessageType.rejected:
      case MessageType.released:
        this.#answered(message[1], message);
        break;
      case MessageType.credit:
        this.#creditChanged(message[1], message[2]);
        break;
      case MessageType.pong:
        // That it came is all it says; the conversation has noted the time.
        break;
      case MessageType.hello:
        this.end(CloseCode.violation, 'A second hello');
        break;
    }
  }

  ended(code: number, reason: string): void {
    this.#alarm.cancel();
    this.#taking?.abort();
    for (const grant of [...this.#grants]) this.#takeBack(grant, code, reason);
    this.#context.scheduler.leave(this);
    this.#context.left(this, code, reason);
  }

  #answered(id: number, answer: Extract<WorkerMessage, readonly [unknown, number, ...unknown[]]>): void {
    const grant = this.#grants.get(id);
    if (grant === undefined) {
      if (this.#grants.wasGranted(id)) this.#counts.late += 1;
      else this.end(CloseCode.violation, `Lease ${id} was never granted on this connection`);
      return;
    }
    this.#grants.remove(grant);
    if (grant.state === 'cancelled') {
      if (answer[0] === MessageType.done) this.#counts.late += 1;
    } else {
      this.#settle(grant, answer);
    }
    this.#startOldest();
    this.#refill();
  }

  #settle(grant: Grant<T>, answer: WorkerMessage): void {
    const { scheduler } = this.#context;
    switch (answer[0]) {
      case MessageType.done:
        this.#counts.done += 1;
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
        this.#tellAttempt(grant, 'returned');
        this.#expect(scheduler.release(grant.lease, { kind: 'returned' }));
    }
  }

  #creditChanged(concurrency: number, prefetch: number): void {
    this.#concurrency = concurrency;
    this.#prefetch = prefetch;
    // It was asked for another number of tasks.
    this.#taking?.abort();
    this.#startOldest();
    this.#refill();
  }

  /** Takes tasks while there is credit. One `take` at a time; called again whenever credit comes free. */
  #refill(): void {
    const free = this.#free;
    if (free <= 0 || this.#taking !== undefined || !this.#conversation.isOpen) return;
    const taking = new AbortController();
    this.#taking = taking;
    this.#context.scheduler.take(this, free, taking.signal).then(
      (leases) => {
        this.#taking = undefined;
        this.#grantAll(leases);
        this.#refill();
      },
      (error: unknown) => this.#schedulerFailed(error),
    );
  }

  /** How many more leases the worker wants. */
  get #free(): number {
    return this.#concurrency === 0 ? 0 : this.#concurrency + this.#prefetch - this.#grants.size;
  }

  #grantAll(leases: readonly Lease<T>[]): void {
    for (const lease of leases) {
      // It may have been aborted since it was taken, which there was no grant to revoke for.
      if (!lease.isLive) continue;
      if (this.#conversation.isOpen && this.#free > 0) this.#grant(lease);
      else this.#expect(this.#context.scheduler.release(lease, { kind: 'returned' }));
    }
    this.#startOldest();
  }

  #grant(lease: Lease<T>): void {
    const grant = this.#grants.add(lease);
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

  #startOldest(): void {
    const { clock, taskTimeoutMs } = this.#context;
    this.#alarm.setBy(this.#grants.start(this.#concurrency, clock.now(), taskTimeoutMs));
  }

  /** The scheduler has taken the lease back; the worker keeps its slot until it answers. */
  #cancel(grant: Grant<T>, reason: CancelReason): void {
    const wasRunning = grant.state === 'running';
    // First, as a listener may end the session, which must not tell of this attempt again.
    grant.state = 'cancelled';
    if (wasRunning) this.#context.attemptEnded(this, grant, reason);
    this.#conversation.send([MessageType.cancel, grant.id, reason]);
  }

  /** The time may have come for a ping, for a deadline, or to give the worker up. */
  #look(nowMs: number): void {
    const { scheduler, socketTimeoutMs, taskTimeoutMs } = this.#context;
    if (nowMs - this.#conversation.heardAtMs >= socketTimeoutMs) {
      this.#conversation.giveUp(`Nothing heard for ${socketTimeoutMs} ms (\`socketTimeout\`)`);
      return;
    }
    for (const grant of this.#grants.overdue(nowMs)) {
      // Listeners and the settling of the one before may have ended this one too, or the whole session.
      if (grant.state !== 'running' || !this.#conversation.isOpen) continue;
      this.#counts.failed += 1;
      this.#cancel(grant, 'timeout');
      this.#expect(scheduler.fail(grant.lease, new TaskTimeoutError(taskTimeoutMs)));
    }
    if (!this.#conversation.isOpen) return;
    if (nowMs >= this.#nextPingMs) {
      this.#nonce += 1;
      this.#conversation.send([MessageType.ping, this.#nonce]);
      this.#nextPingMs = nowMs + this.#pingIntervalMs;
    }
    this.#alarm.setBy(this.#conversation.heardAtMs + socketTimeoutMs);
    this.#alarm.setBy(this.#nextPingMs);
    this.#alarm.setBy(this.#grants.nextDeadlineMs());
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
    if (grant.state === 'running') this.#context.attemptEnded(this, grant, outcome);
  }
}
