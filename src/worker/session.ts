// A worker's conversation with its master, from the welcome on: grants and their answers, heartbeat, and the end.
import type { ConversationListener } from '../connection/conversation.ts';
import { describeError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import { LeaseNumbers } from '../lease-numbers.ts';
import type { Clock } from '../ports.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import {
  type MasterDescription,
  type MasterMessage,
  MessageType,
  type Prefetch,
  type ResumeRequest,
  type WorkerMessage,
} from '../protocol/messages.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { ClientConversation, Connection } from './connection.ts';
import type { WorkerEvent } from './events.ts';
import { type GrantMessage, Lease, type LeaseHost } from './lease.ts';
import { type AddedAttempt, type AttemptResult, abortError } from './run.ts';
import { Tidings, type TidingsSender } from './tidings.ts';

/** What a session needs of its worker. */
export interface WorkerSessionContext<T> {
  readonly clock: Clock;
  readonly events: Emitter<WorkerEvent<T>>;
  readonly timers: TimerQueue;
  /** For how long what is read now may have lain unread, in milliseconds. */
  heldMs(): number;
  /** Runs a task; undefined if it was turned down. Ends it once, with what came of it. */
  run(lease: Lease<T>): AddedAttempt | undefined;
  /** The master reads too slowly for more results to be made, or does so no longer. */
  congested(isCongested: boolean): void;
  /** The connection is lost, and the session waits for another one. */
  interrupted(code: number, reason: string): void;
  /** Told once. */
  ended(code: number, reason: string): void;
}

/** In the midst of a turn, results are sent no more often than this: a frame costs a few hundredths of it. */
const MIN_FLUSH_INTERVAL_MS = 0.25;

/** The session with one master: over one connection, or over several in turn if they are lost. */
export class WorkerSession<T> implements ConversationListener<MasterMessage>, LeaseHost<T>, TidingsSender {
  readonly #context: WorkerSessionContext<T>;
  readonly #conversation: ClientConversation;
  readonly #master: MasterDescription;
  readonly #alarm: Alarm;
  /** What the master granted and has no answer to yet. */
  readonly #leases = new LeaseNumbers<Lease<T>>();
  /** What the master granted in the frame that is being read, and is to run when it is through. */
  #granted: GrantMessage[] = [];
  /** How many of a frame are yet to be run. */
  #ungranted = 0;
  /** How many leases occupy a slot. */
  #running = 0;
  /** Whether one that did was answered since the connection was lost. */
  #hasUntold = false;
  /** When results were sent in the midst of a turn. */
  #flushedAtMs = 0;
  #isCongested = false;
  readonly #tidings: Tidings;
  readonly events: Emitter<WorkerEvent<T>>;

  /** Takes the conversation over, on which this master has welcomed the worker. */
  constructor(conversation: ClientConversation, master: MasterDescription, context: WorkerSessionContext<T>) {
    this.#context = context;
    this.#conversation = conversation;
    this.#master = master;
    this.events = context.events;
    this.#alarm = context.timers.createAlarm(this);
    this.#tidings = new Tidings(this, context.clock, this.#alarm, master.maxMessageRate);
    conversation.maxFrameBytes = master.maxFrameBytes;
    if (master.resume === undefined) conversation.forgetFrames();
    conversation.handTo(this);
    this.#alarm.setBy(this.#silentAtMs);
  }

  /** What the master calls this worker. */
  get id(): string {
    return this.#master.worker;
  }

  /** How many leases occupy a slot. */
  get running(): number {
    return this.#running;
  }

  /** Whether there are results that wait for another connection. */
  get hasUntold(): boolean {
    return this.#hasUntold;
  }

  /** What to ask for on the next connection; undefined if the session ends with this one. */
  get request(): ResumeRequest | undefined {
    const { worker, resume } = this.#master;
    if (resume === undefined) return undefined;
    return { worker, secret: resume.secret, received: this.#conversation.framesReceived };
  }

  /** Goes on over another connection, where the master has got so many of its frames. Returns whether that can be. */
  resume(connection: Connection, received: number): boolean {
    if (!this.#conversation.canResume(received)) return false;
    this.#hasUntold = false;
    connection.resume(this.#conversation, received);
    // What there is room for now may have started, and a listener have stopped the worker.
    if (this.#conversation.isOpen) this.#alarm.setBy(this.#silentAtMs);
    return true;
  }

  /** Says goodbye: the master takes back what is not answered. */
  end(reason: string): void {
    this.#conversation.end(CloseCode.goodbye, reason);
  }

  /** Tells the master how many tasks this worker wants. */
  changeCredit(concurrency: number, prefetch: Prefetch): void {
    this.#tidings.changeCredit(concurrency, prefetch);
  }

  /** For the tidings. */
  sendCredit(concurrency: number, prefetch: Prefetch): void {
    this.#conversation.send([MessageType.credit, concurrency, prefetch, this.#running]);
  }

  /** For the tidings. */
  sendProgress(lease: number, value: unknown): number {
    return this.#conversation.send([MessageType.progress, lease, value]);
  }

  received(message: MasterMessage): void {
    if (message[0] === MessageType.grant) {
      this.#queue(message);
      return;
    }
    // What it says of leases may be about those.
    if (message[0] !== MessageType.ping) this.#runGranted();
    switch (message[0]) {
      case MessageType.welcome:
        this.#conversation.end(CloseCode.violation, 'A second welcome');
        break;
      case MessageType.cancel:
        this.#leases.get(message[1])?.added?.cancel(abortError(`The master cancelled the attempt: ${message[2]}`));
        break;
      case MessageType.recall:
        this.#leases.get(message[1])?.added?.recall();
        break;
      case MessageType.ping:
        this.#pong(message[1]);
        break;
    }
  }

  #pong(nonce: number): void {
    const heldMs = Math.ceil(this.#context.heldMs());
    this.#conversation.tellReceived();
    // Now, as a task that comes behind the ping may compute for long before this turn is over.
    this.#conversation.sendNow(heldMs === 0 ? [MessageType.pong, nonce] : [MessageType.pong, nonce, heldMs]);
  }

  roomAgain(): void {
    this.#lookForRoom();
  }

  interrupted(code: number, reason: string): boolean {
    // First, as a listener may stop the worker. There is none if it was silence that the alarm rang for.
    this.#alarm.setBy(this.#releasedAtMs);
    this.#context.interrupted(code, reason);
    // What waits for another connection is not what the lost one was full of.
    this.#lookForRoom();
    return true;
  }

  ended(code: number, reason: string): void {
    this.#alarm.cancel();
    this.#tidings.clear();
    for (const lease of this.#leases.all()) {
      this.#leases.delete(lease);
      lease.added?.leaveOver(abortError(`The connection ended: ${reason}`));
    }
    // Last, as whatever waits would start.
    this.#setCongested(false);
    this.#context.ended(code, reason);
  }

  /** Not run at once, as with the first of them it would not be known yet how much there is to do. */
  #queue(message: GrantMessage): void {
    this.#granted.push(message);
    if (this.#granted.length === 1) queueMicrotask(() => this.#runGranted());
  }

  #runGranted(): void {
    const granted = this.#granted;
    if (granted.length === 0) return;
    this.#granted = [];
    this.#ungranted = granted.length;
    for (const message of granted) {
      this.#ungranted -= 1;
      if (this.#conversation.isOpen) this.#run(message);
    }
  }

  #run(message: GrantMessage): void {
    const lease = new Lease(message, this);
    if (this.#leases.get(lease.id) !== undefined) {
      this.#conversation.end(CloseCode.violation, `Lease ${lease.id} cannot be granted now`);
      return;
    }
    lease.added = this.#context.run(lease);
    // It may have been over at once.
    if (!lease.isAnswered) this.#leases.add(lease);
  }

  /** For its leases: one of them occupies a slot from now on. */
  started(): void {
    this.#running += 1;
  }

  /** For its leases: sends how far one is. */
  progress(lease: number, value: unknown): void {
    if (this.#tidings.progress(lease, value, !this.#isCongested)) this.#lookForRoom();
  }

  /** For its leases: sends what came of one. */
  answer(lease: Lease<T>, result: AttemptResult<unknown>): AttemptResult<unknown> {
    const { id, isRunning } = lease;
    this.#leases.delete(lease);
    if (isRunning) {
      this.#running -= 1;
      this.#hasUntold ||= this.#conversation.isInterrupted;
    }
    this.#tidings.answered(id);
    const sent = this.#sendAnswer(id, result);
    this.#lookForRoom();
    this.#flushHalfway();
    return sent;
  }

  /**
   * With half of what there is done, results are sent: what the master grants for them is there when the other half is
   * through, if half of a window is worth a round trip.
   */
  #flushHalfway(): void {
    const left = this.#leases.size + this.#ungranted;
    // With the last one, the turn is about to end.
    if (left === 0 || this.#conversation.unsent < left) return;
    const nowMs = this.#context.clock.now();
    if (nowMs - this.#flushedAtMs < MIN_FLUSH_INTERVAL_MS) return;
    this.#flushedAtMs = nowMs;
    this.#conversation.flush();
  }

  #sendAnswer(id: number, result: AttemptResult<unknown>): AttemptResult<unknown> {
    try {
      this.#conversation.send(toMessage(id, result));
      return result;
    } catch (error) {
      const failed: AttemptResult<unknown> = { kind: 'failed', error };
      this.#conversation.send(toMessage(id, failed));
      return failed;
    }
  }

  #lookForRoom(): void {
    // What a socket has left when it is closed never leaves it.
    if (!this.#conversation.isOpen) return;
    // Before anything newer is said.
    if (this.#conversation.roomBytes > 0) this.#tidings.look();
    const isCongested = this.#conversation.roomBytes === 0;
    if (isCongested) this.#conversation.awaitRoom();
    this.#setCongested(isCongested);
  }

  #setCongested(isCongested: boolean): void {
    if (this.#isCongested === isCongested) return;
    this.#isCongested = isCongested;
    this.#context.congested(isCongested);
  }

  /** The master may have fallen silent; or have released by now, for certain, what it granted before the connection was lost. */
  alarmRang(nowMs: number): void {
    const { isInterrupted } = this.#conversation;
    const atMs = isInterrupted ? this.#releasedAtMs : this.#silentAtMs;
    if (nowMs < atMs) this.#alarm.setBy(atMs);
    else if (isInterrupted) this.end('The connection was lost for too long');
    else this.#conversation.giveUp(`The master was silent for ${this.#master.socketTimeout} ms`);
    this.#tidings.look(!this.#isCongested);
  }

  get #silentAtMs(): number {
    return this.#conversation.heardAtMs + this.#master.socketTimeout;
  }

  /** By then the master has noticed that the connection is lost, and waited for another one. */
  get #releasedAtMs(): number {
    return this.#silentAtMs + (this.#master.resume?.window ?? 0);
  }
}

function toMessage(lease: number, result: AttemptResult<unknown>): WorkerMessage {
  switch (result.kind) {
    case 'done':
      return [MessageType.done, lease, result.result];
    case 'failed':
      return [MessageType.failed, lease, describeError(result.error)];
    case 'rejected':
      return [MessageType.rejected, lease, result.reason];
    case 'released':
      return [MessageType.released, lease];
  }
}
