// A worker's conversation with its master: hello, grants and their answers, heartbeat, and the end.
import { Conversation, type ConversationListener } from '../connection/conversation.ts';
import { describeError, messageOf } from '../errors.ts';
import type { Emitter } from '../events.ts';
import { LeaseNumbers } from '../lease-numbers.ts';
import type { Clock, Connect, Socket } from '../ports.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { type Codec, codecOf } from '../protocol/codec.ts';
import { decodeMasterFrame, Limits } from '../protocol/decode.ts';
import {
  type MasterDescription,
  type MasterMessage,
  MessageType,
  type Prefetch,
  type WorkerDescription,
  type WorkerMessage,
} from '../protocol/messages.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { WorkerEvent } from './events.ts';
import { type GrantMessage, Lease, type LeaseHost } from './lease.ts';
import { type AddedAttempt, type AttemptResult, abortError } from './run.ts';
import { Tidings, type TidingsSender } from './tidings.ts';
import { askToken, type TokenSource } from './token.ts';

/** What a session needs of its worker. */
export interface WorkerSessionContext<T> {
  readonly clock: Clock;
  readonly events: Emitter<WorkerEvent<T>>;
  readonly timers: TimerQueue;
  readonly connectTimeoutMs: number;
  /** What the hello says. */
  describe(): WorkerDescription;
  /** What goes with it. */
  readonly token: TokenSource | undefined;
  /** For how long what is read now may have lain unread, in milliseconds. */
  heldMs(): number;
  welcomed(id: string): void;
  /** Runs a task; undefined if it was turned down. Ends it once, with what came of it. */
  run(lease: Lease<T>): AddedAttempt | undefined;
  /** The master reads too slowly for more results to be made, or does so no longer. */
  congested(isCongested: boolean): void;
  /** Told once. */
  ended(code: number, reason: string): void;
}

/** The socket is not open yet; the hello is sent; the master has welcomed us; it is over. */
type SessionState =
  | { readonly kind: 'dialling' }
  | { readonly kind: 'greeting' }
  | { readonly kind: 'welcomed'; readonly socketTimeoutMs: number }
  | { readonly kind: 'ended' };

/** In the midst of a turn, results are sent no more often than this: a frame costs a few hundredths of it. */
const MIN_FLUSH_INTERVAL_MS = 0.25;

/** The session of one connection. */
export class WorkerSession<T> implements ConversationListener<MasterMessage>, LeaseHost<T>, TidingsSender {
  readonly #context: WorkerSessionContext<T>;
  readonly #socket: Socket;
  readonly #alarm: Alarm;
  /** What the master granted and has no answer to yet. */
  readonly #leases = new LeaseNumbers<Lease<T>>();
  /** What the master granted in the frame that is being read, and is to run when it is through. */
  #granted: GrantMessage[] = [];
  /** How many of a frame are yet to be run. */
  #ungranted = 0;
  /** How many leases occupy a slot. */
  #running = 0;
  /** When results were sent in the midst of a turn. */
  #flushedAtMs = 0;
  #isCongested = false;
  readonly #tidings: Tidings;
  readonly events: Emitter<WorkerEvent<T>>;
  /** Resolves when the socket is closed: a little after the session's end, if that was our doing. */
  readonly socketClosed: Promise<void>;
  #onSocketClosed = (): void => {};
  /** From the moment the socket is open. */
  #conversation: Conversation<WorkerMessage, MasterMessage> | undefined = undefined;
  #state: SessionState = { kind: 'dialling' };

  /** Starts to connect. @throws whatever `connect` throws; the session is void then */
  constructor(url: string, subprotocols: readonly string[], connect: Connect, context: WorkerSessionContext<T>) {
    this.#context = context;
    this.events = context.events;
    this.socketClosed = new Promise((resolve) => {
      this.#onSocketClosed = resolve;
    });
    this.#alarm = context.timers.createAlarm((nowMs) => this.#look(nowMs));
    this.#tidings = new Tidings(this, context.clock, this.#alarm);
    this.#socket = connect(url, subprotocols, {
      opened: () => this.#opened(),
      received: (frame) => this.#conversation?.frameReceived(frame),
      drained: () => this.#conversation?.socketDrained(),
      closed: (code, reason) => this.#closed(code, reason),
    });
    this.#alarm.setBy(context.clock.now() + context.connectTimeoutMs);
  }

  /** Says goodbye: the master takes back what is not answered. */
  end(reason: string): void {
    if (this.#state.kind === 'dialling') this.#hangUp(CloseCode.goodbye, reason);
    else this.#conversation?.end(CloseCode.goodbye, reason);
  }

  /** Tells the master how many tasks this worker wants. */
  changeCredit(concurrency: number, prefetch: Prefetch): void {
    // Before the welcome too: the hello on its way may say something else.
    if (this.#conversation !== undefined) this.#tidings.changeCredit(concurrency, prefetch);
  }

  /** For the tidings. */
  sendCredit(concurrency: number, prefetch: Prefetch): void {
    this.#conversation?.send([MessageType.credit, concurrency, prefetch, this.#running]);
  }

  /** For the tidings. */
  sendProgress(lease: number, value: unknown): void {
    this.#conversation?.send([MessageType.progress, lease, value]);
  }

  received(message: MasterMessage): void {
    const conversation = this.#conversation;
    if (conversation === undefined) return;
    if (message[0] === MessageType.grant) {
      this.#queue(message);
      return;
    }
    // What it says of leases may be about those.
    if (message[0] !== MessageType.ping) this.#runGranted();
    switch (message[0]) {
      case MessageType.welcome:
        this.#welcomed(conversation, message[1]);
        break;
      case MessageType.cancel:
        this.#leases.get(message[1])?.added?.cancel(abortError(`The master cancelled the attempt: ${message[2]}`));
        break;
      case MessageType.recall:
        this.#leases.get(message[1])?.added?.recall();
        break;
      case MessageType.ping:
        this.#pong(conversation, message[1]);
        break;
    }
  }

  #pong(conversation: Conversation<WorkerMessage, MasterMessage>, nonce: number): void {
    const heldMs = Math.ceil(this.#context.heldMs());
    // Now, as a task that comes behind the ping may compute for long before this turn is over.
    conversation.sendNow(heldMs === 0 ? [MessageType.pong, nonce] : [MessageType.pong, nonce, heldMs]);
  }

  roomAgain(): void {
    this.#lookForRoom();
  }

  ended(code: number, reason: string): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended' };
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

  #opened(): void {
    if (this.#state.kind !== 'dialling') return;
    const codec = codecOf(this.#socket.subprotocol);
    if (codec === undefined) {
      this.#hangUp(CloseCode.unsupportedVersion, 'The server does not speak a subprotocol of taskdist');
      return;
    }
    askToken(
      this.#context.token,
      (token) => this.#greet(codec, token),
      (error) => this.#hangUp(CloseCode.abnormal, `There is no hello to say: ${messageOf(error)}`),
    );
  }

  #greet(codec: Codec, token: string | undefined): void {
    // It may have taken so long that the connection is over.
    if (this.#state.kind !== 'dialling') return;
    this.#state = { kind: 'greeting' };
    this.#conversation = this.#converse(codec);
    const description = this.#context.describe();
    this.#conversation.send([MessageType.hello, token === undefined ? description : { ...description, token }]);
  }

  #closed(code: number, reason: string): void {
    this.#onSocketClosed();
    // The conversation outlives its session by the closing handshake.
    this.#conversation?.socketClosed(code, reason);
    this.ended(code, reason);
  }

  #converse(codec: Codec): Conversation<WorkerMessage, MasterMessage> {
    const { clock } = this.#context;
    const options = { codec, clock, maxFrameBytes: Limits.frameBytes, decode: decodeMasterFrame };
    return new Conversation(this.#socket, options, this);
  }

  #welcomed(conversation: Conversation<WorkerMessage, MasterMessage>, master: MasterDescription): void {
    if (this.#state.kind !== 'greeting') {
      conversation.end(CloseCode.violation, 'A second welcome');
      return;
    }
    this.#state = { kind: 'welcomed', socketTimeoutMs: master.socketTimeout };
    conversation.maxFrameBytes = master.maxFrameBytes;
    this.#alarm.cancel();
    this.#alarm.setBy(conversation.heardAtMs + master.socketTimeout);
    this.#tidings.welcomed(master.maxMessageRate);
    this.#context.welcomed(master.worker);
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
      if (this.#conversation?.isOpen) this.#run(this.#conversation, message);
    }
  }

  #run(conversation: Conversation<WorkerMessage, MasterMessage>, message: GrantMessage): void {
    const lease = new Lease(message, this);
    if (this.#state.kind !== 'welcomed' || this.#leases.get(lease.id) !== undefined) {
      conversation.end(CloseCode.violation, `Lease ${lease.id} cannot be granted now`);
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
    if (isRunning) this.#running -= 1;
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
    if (this.#conversation === undefined || left === 0 || this.#conversation.unsent < left) return;
    const nowMs = this.#context.clock.now();
    if (nowMs - this.#flushedAtMs < MIN_FLUSH_INTERVAL_MS) return;
    this.#flushedAtMs = nowMs;
    this.#conversation.flush();
  }

  #sendAnswer(id: number, result: AttemptResult<unknown>): AttemptResult<unknown> {
    try {
      this.#conversation?.send(toMessage(id, result));
      return result;
    } catch (error) {
      const failed: AttemptResult<unknown> = { kind: 'failed', error };
      this.#conversation?.send(toMessage(id, failed));
      return failed;
    }
  }

  #lookForRoom(): void {
    // What a socket has left when it is closed never leaves it.
    if (this.#conversation === undefined || this.#state.kind === 'ended') return;
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

  /** The connection took too long, or the master has fallen silent. */
  #look(nowMs: number): void {
    const { connectTimeoutMs } = this.#context;
    if (this.#state.kind !== 'welcomed' || this.#conversation === undefined) {
      this.#hangUp(CloseCode.silent, `No welcome within ${connectTimeoutMs} ms (\`connectTimeout\`)`);
      return;
    }
    const { socketTimeoutMs } = this.#state;
    const deadlineMs = this.#conversation.heardAtMs + socketTimeoutMs;
    if (nowMs >= deadlineMs) this.#conversation.giveUp(`The master was silent for ${socketTimeoutMs} ms`);
    else this.#alarm.setBy(deadlineMs);
    this.#tidings.look(!this.#isCongested);
  }

  #hangUp(code: number, reason: string): void {
    this.#socket.terminate();
    this.ended(code, reason);
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
