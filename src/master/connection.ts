// One socket of a master, from its acceptance until it is closed, and the conversation on it, which may be an older one.
import { Conversation } from '../connection/conversation.ts';
import { unsupported } from '../connection/reading.ts';
import type { ReplayStore } from '../connection/replay-store.ts';
import type { Clock, Socket, SocketListener } from '../ports.ts';
import { CloseCode, closeReason } from '../protocol/close-codes.ts';
import { codecOf } from '../protocol/codec.ts';
import { decodeWorkerFrame } from '../protocol/decode.ts';
import type { MasterMessage, WorkerDescription, WorkerMessage } from '../protocol/messages.ts';
import type { TimerQueue } from '../timer-queue.ts';
import { Admission } from './admission.ts';
import type { Authenticator, Identity } from './authentication.ts';
import { type Greeted, Greeting } from './greeting.ts';
import type { Guest } from './guest.ts';

/** A conversation of a master. */
export type ServerConversation = Conversation<MasterMessage, WorkerMessage>;

/** What all connections of a master share. */
export interface ConnectionContext {
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly maxFrameBytes: number;
  readonly helloTimeoutMs: number;
  readonly authenticate: Authenticator | undefined;
  /** Where the frames are kept that may have to be sent again. */
  readonly replayStore: ReplayStore;
  /** A worker has said hello; whether it is let in is known by then. */
  judging(worker: WorkerDescription, untilMs: number): void;
  /** A worker has said hello, and is let in. */
  joined(
    worker: WorkerDescription,
    conversation: ServerConversation,
    connection: Connection,
    identity: Identity | undefined,
  ): void;
  /** The connection ends, or has ended, before anybody was let in. */
  refused(code: number, reason: string, address?: string): void;
  /** The socket is closed. */
  closed(connection: Connection): void;
}

/** An object with methods, as a master may have thousands of them: a closure takes as much memory. */
export class Connection implements SocketListener, Greeted {
  readonly #context: ConnectionContext;
  readonly #socket: Socket;
  /** Undefined if the peer speaks another version: it is told so, and not listened to. */
  #conversation: ServerConversation | undefined;
  /** Who the door has let in; absent if there is none, as in tests. */
  readonly guest: Guest | undefined;

  /** `adopt` connects the socket to the listener it is given; `guest` is whoever the door let in. */
  constructor(context: ConnectionContext, adopt: (listener: SocketListener) => Socket, guest?: Guest) {
    this.#context = context;
    this.guest = guest;
    if (guest !== undefined) guest.connection = this;
    this.#socket = adopt(this);
    this.#conversation = this.#converse();
  }

  /** Says goodbye, or cuts off who would not understand it. */
  end(code: number, reason: string): void {
    if (this.#conversation === undefined) this.#socket.terminate();
    else this.#conversation.end(code, reason);
  }

  dismiss(code: number, reason: string): void {
    this.end(code, reason);
    this.#socket.terminate();
  }

  opened(): void {}

  received(frame: unknown): void {
    this.#conversation?.frameReceived(this.#socket, frame);
  }

  drained(): void {
    this.#conversation?.socketDrained();
  }

  closed(code: number, reason: string, isFault = false): void {
    this.guest?.leaves(isFault);
    this.#conversation?.socketClosed(this.#socket, code, reason);
    this.guest?.left();
    this.#context.closed(this);
  }

  saidHello(worker: WorkerDescription, deadlineMs: number): void {
    if (this.#conversation === undefined) return;
    // The hello's frame is the first of a session.
    if (worker.resume !== undefined) this.#conversation.keepFrames(1, this.#context.replayStore);
    this.guest?.greeted();
    const { authenticate } = this.#context;
    if (authenticate === undefined) {
      this.letIn(worker, this.#conversation, undefined);
      return;
    }
    this.#context.judging(worker, deadlineMs);
    new Admission(this, worker, this.#conversation, this.guest).start(authenticate, this.#context.timers, deadlineMs);
  }

  letIn(worker: WorkerDescription, conversation: ServerConversation, identity: Identity | undefined): void {
    this.guest?.letIn();
    this.#context.joined(worker, conversation, this, identity);
  }

  /**
   * An older conversation goes on here, whose peer has got so many of its frames; `welcome` goes before it. Returns whether it
   * can.
   */
  resume(conversation: ServerConversation, received: number, welcome: MasterMessage): boolean {
    if (this.#conversation === undefined || this.#conversation.codec !== conversation.codec) return false;
    if (!conversation.canResume(received)) return false;
    // This welcome is not counted; and to keep it could cost the other conversation what it has kept.
    this.#conversation.forgetFrames();
    this.#conversation.sendNow(welcome);
    this.#conversation.abandon();
    this.#conversation = conversation;
    conversation.resume(this.#socket, received);
    return true;
  }

  refused(code: number, reason: string): void {
    this.guest?.ended(code, reason);
    this.#context.refused(code, reason, this.guest?.address);
  }

  #converse(): ServerConversation | undefined {
    const { clock, timers, maxFrameBytes, helloTimeoutMs } = this.#context;
    const { subprotocol } = this.#socket;
    const codec = codecOf(subprotocol);
    if (codec === undefined) {
      const reason = unsupported(subprotocol || 'names no subprotocol');
      this.#socket.close(CloseCode.unsupportedVersion, closeReason(reason));
      this.refused(CloseCode.unsupportedVersion, reason);
      return undefined;
    }
    const greeting = new Greeting(this, timers, clock.now() + helloTimeoutMs);
    const options = { codec, clock, maxFrameBytes, decode: decodeWorkerFrame };
    return new Conversation(this.#socket, options, greeting);
  }
}
