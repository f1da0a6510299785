// One socket to the master, from the try to connect until it is closed: hello, and the wait for the welcome.
import { Conversation, type ConversationListener } from '../connection/conversation.ts';
import { messageOf } from '../errors.ts';
import type { Clock, Connect, Socket } from '../ports.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { type Codec, codecOf } from '../protocol/codec.ts';
import { decodeMasterFrame, Limits } from '../protocol/decode.ts';
import {
  type MasterDescription,
  type MasterMessage,
  MessageType,
  type WorkerDescription,
  type WorkerMessage,
} from '../protocol/messages.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import { askToken, type TokenSource } from './token.ts';

/** A conversation of a worker. */
export type ClientConversation = Conversation<WorkerMessage, MasterMessage>;

/** What a connection needs of its link. */
export interface ConnectionContext {
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly connectTimeoutMs: number;
  /** What goes with the hello. */
  readonly token: TokenSource | undefined;
  /** What the hello says. */
  describe(): WorkerDescription;
  /** The master has answered the hello. Somebody takes the conversation over, or resumes another one here. */
  welcomed(master: MasterDescription, conversation: ClientConversation): void;
  /** The connection ends before that. Told once. */
  failed(code: number, reason: string): void;
}

/** The socket is not open yet; the hello is sent; somebody else leads the conversation; it has failed. */
type ConnectionState = 'dialling' | 'greeting' | 'welcomed' | 'failed';

/** A try to connect, and what comes of it. */
export class Connection implements ConversationListener<MasterMessage> {
  readonly #context: ConnectionContext;
  readonly #socket: Socket;
  readonly #alarm: Alarm;
  /** Resolves when the socket is closed: a little after the conversation's end, if that was our doing. */
  readonly socketClosed: Promise<void>;
  #onSocketClosed = (): void => {};
  /** From the moment the socket is open. */
  #conversation: ClientConversation | undefined = undefined;
  #state: ConnectionState = 'dialling';

  /** Starts to connect. @throws whatever `connect` throws; the connection is void then */
  constructor(url: string, subprotocols: readonly string[], connect: Connect, context: ConnectionContext) {
    this.#context = context;
    this.socketClosed = new Promise((resolve) => {
      this.#onSocketClosed = resolve;
    });
    this.#alarm = context.timers.createAlarm(this);
    this.#socket = connect(url, subprotocols, {
      opened: () => this.#opened(),
      received: (frame) => this.#conversation?.frameReceived(this.#socket, frame),
      drained: () => this.#conversation?.socketDrained(),
      closed: (code, reason) => this.#closed(code, reason),
    });
    this.#alarm.setBy(context.clock.now() + context.connectTimeoutMs);
  }

  /** Gives the try up. */
  end(code: number, reason: string): void {
    if (this.#state === 'dialling') this.#hangUp(code, reason);
    else this.#conversation?.end(code, reason);
  }

  /** An older conversation goes on here, whose peer has got so many of its frames. */
  resume(conversation: ClientConversation, received: number): void {
    this.#conversation?.abandon();
    this.#conversation = conversation;
    conversation.resume(this.#socket, received);
  }

  received(message: MasterMessage): void {
    if (message[0] === MessageType.welcome && this.#conversation !== undefined) {
      this.#state = 'welcomed';
      this.#alarm.cancel();
      this.#context.welcomed(message[1], this.#conversation);
    } else {
      this.end(CloseCode.violation, 'The first message must be a welcome');
    }
  }

  ended(code: number, reason: string): void {
    if (this.#state === 'welcomed' || this.#state === 'failed') return;
    this.#state = 'failed';
    this.#alarm.cancel();
    this.#context.failed(code, reason);
  }

  alarmRang(): void {
    this.#hangUp(CloseCode.silent, `No welcome within ${this.#context.connectTimeoutMs} ms (\`connectTimeout\`)`);
  }

  #opened(): void {
    if (this.#state !== 'dialling') return;
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
    if (this.#state !== 'dialling') return;
    this.#state = 'greeting';
    const { clock } = this.#context;
    const options = { codec, clock, maxFrameBytes: Limits.frameBytes, decode: decodeMasterFrame };
    this.#conversation = new Conversation(this.#socket, options, this);
    this.#conversation.keepFrames(0);
    // Alone: whatever else there is to say comes after the welcome.
    const description = this.#context.describe();
    this.#conversation.sendNow([MessageType.hello, token === undefined ? description : { ...description, token }]);
  }

  #closed(code: number, reason: string): void {
    this.#onSocketClosed();
    // The conversation outlives its session by the closing handshake.
    this.#conversation?.socketClosed(this.#socket, code, reason);
    this.ended(code, reason);
  }

  #hangUp(code: number, reason: string): void {
    this.#socket.terminate();
    // What was read already comes too late.
    this.#conversation?.abandon();
    this.ended(code, reason);
  }
}
