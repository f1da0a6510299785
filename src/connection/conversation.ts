// One conversation over a WebSocket, or over several in turn: messages out, coalesced into frames; frames in, decoded; and its
// one end.

import { messageOf } from '../errors.ts';
import type { Clock, Socket } from '../ports.ts';
import { CloseCode, closeReason, isLoss } from '../protocol/close-codes.ts';
import type { Codec } from '../protocol/codec.ts';
import { type Message, MessageType, type Received } from '../protocol/messages.ts';
import { Outbox } from './outbox.ts';
import { lengthOf, readFrame } from './reading.ts';
import { Replay } from './replay.ts';
import type { ReplayStore } from './replay-store.ts';

/** How long the peer has to answer the closing handshake before it is cut off. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * With so much waiting to leave, nothing is begun that would add to it: enough for a few large frames, and for what a
 * fast line carries within a round trip beside what the system buffers.
 */
const MAX_BUFFERED_BYTES = 1_048_576;
/** How often a full buffer is looked at, where nobody tells when something leaves it. */
const ROOM_CHECK_MS = 10;

/** What a conversation tells whoever leads it. */
export interface ConversationListener<Incoming> {
  /** A message came in; those of one frame come in its order, until the conversation ends. */
  received(message: Incoming): void;
  /** A frame of so many bytes came in, all of whose messages have been received. */
  frameHeard?(byteLength: number): void;
  /** The peer has sent what says nothing: a frame without messages, or that so much has come as was known to have. */
  heardNothing?(): void;
  /** There is room again for what is to be sent: told once for each {@link Conversation.awaitRoom}. */
  roomAgain?(): void;
  /**
   * The connection is lost, and all that is said is kept. Returns whether to wait for another one, on which the conversation
   * is to be resumed; it is over otherwise.
   */
  interrupted?(code: number, reason: string): boolean;
  /** The conversation is over: told once, whoever ended it. */
  ended(code: number, reason: string): void;
}

/** How a conversation is held. */
export interface ConversationOptions<Incoming> {
  readonly codec: Codec;
  readonly clock: Clock;
  /** The largest frame to send. */
  readonly maxFrameBytes: number;
  /** Decodes a frame's value. @throws FrameError, VersionError */
  readonly decode: (value: unknown) => readonly Incoming[];
}

/** Either side's end of a connection, from the moment the socket is open. */
export class Conversation<Outgoing extends Message, Incoming extends Message> {
  /** When the peer was last heard, on the clock. */
  heardAtMs: number;
  /** The largest frame to send; the peer's limit once it has told it. */
  maxFrameBytes: number;
  /** Undefined while the connection is lost. */
  #socket: Socket | undefined;
  /** How its frames are written. */
  readonly codec: Codec;
  readonly #clock: Clock;
  readonly #decode: (value: unknown) => readonly Incoming[];
  readonly #outbox: Outbox<Outgoing | Received>;
  /** There if the conversation can go on over another connection. */
  #replay: Replay | undefined = undefined;
  #listener: ConversationListener<Incoming>;
  #isOpen = true;
  #isFlushing = false;
  /** There while the peer is to answer the closing handshake. */
  #cancelCutOff: (() => void) | undefined = undefined;
  /** How to stop looking whether there is room again; there while somebody waits for it. */
  #cancelRoomCheck: (() => void) | undefined = undefined;

  constructor(socket: Socket, options: ConversationOptions<Incoming>, listener: ConversationListener<Incoming>) {
    this.#socket = socket;
    this.codec = options.codec;
    this.#clock = options.clock;
    this.#decode = options.decode;
    this.#outbox = new Outbox(options.codec);
    this.#listener = listener;
    this.maxFrameBytes = options.maxFrameBytes;
    this.heardAtMs = options.clock.now();
  }

  /** From now on, somebody else leads the conversation. */
  handTo(listener: ConversationListener<Incoming>): void {
    this.#listener = listener;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the connection is lost, and another one awaited. */
  get isInterrupted(): boolean {
    return this.#isOpen && this.#socket === undefined;
  }

  /** How many frames of the peer have come, as far as they are counted. */
  get framesReceived(): number {
    return this.#replay?.received ?? 0;
  }

  /**
   * From now on, frames are counted and kept until they have come, so that the conversation can be resumed; so many of the
   * peer's have come before. With a store, it is kept with that of others.
   */
  keepFrames(received: number, store?: ReplayStore): void {
    this.#replay = new Replay(received, store);
  }

  /** From now on, no more. */
  forgetFrames(): void {
    this.#replay?.drop();
    this.#replay = undefined;
  }

  /** Whether it could go on with a peer that has got so many of its frames. */
  canResume(received: number): boolean {
    return this.#isOpen && this.#replay?.reachesBackTo(received) === true;
  }

  /** Goes on over another socket, in place of the present one if there is still one: sends again what has not come. */
  resume(socket: Socket, received: number): void {
    if (!this.#isOpen || this.#replay === undefined) return;
    const before = this.#socket;
    this.#socket = socket;
    before?.terminate();
    this.heardAtMs = this.#clock.now();
    this.#replay.confirm(received);
    // By the hello, or the welcome.
    this.#replay.noteTold();
    for (const frame of this.#replay.kept) socket.send(frame);
    this.#stopAwaitingRoom();
    this.#listener.roomAgain?.();
  }

  /** Leaves the socket to another conversation. Nobody is told. */
  abandon(): void {
    this.#isOpen = false;
    this.#replay?.drop();
  }

  /** How much more should be sent before some of what waits has left; 0 if the peer reads too slowly, or not at all. */
  get roomBytes(): number {
    const room = MAX_BUFFERED_BYTES - (this.#socket?.bufferedBytes ?? 0);
    const keepable = this.#replay === undefined ? room : Math.min(room, this.#replay.roomBytes);
    return Math.max(0, keepable - this.#outbox.byteLength);
  }

  /** Has the listener told when there is room again. */
  awaitRoom(): void {
    // There is none before another socket is there, and then it is told.
    if (!this.#isOpen || this.#socket === undefined || this.#cancelRoomCheck !== undefined) return;
    this.#cancelRoomCheck = this.#clock.setTimer(ROOM_CHECK_MS, () => {
      this.#cancelRoomCheck = undefined;
      if (this.roomBytes > 0) this.#listener.roomAgain?.();
      else this.awaitRoom();
    });
  }

  /** The socket has written some of what was sent. */
  socketDrained(): void {
    if (this.#cancelRoomCheck === undefined || this.roomBytes === 0) return;
    this.#stopAwaitingRoom();
    this.#listener.roomAgain?.();
  }

  /**
   * Sends a message, in one frame with all others that come before this turn is at rest. Returns how many bytes it takes, as
   * far as that is known.
   * @throws TaskdistError `TASKDIST_NOT_SERIALIZABLE`, `TASKDIST_TOO_LARGE`; nothing is sent then
   */
  send(message: Outgoing | Received): number {
    if (!this.#isOpen) return 0;
    if (this.#outbox.isWriting) {
      this.#outbox.afterwards(() => this.#interject(message));
      return 0;
    }
    const byteLength = this.#outbox.add(message, this.maxFrameBytes);
    if (this.#outbox.isFull) {
      this.flush();
    } else if (!this.#isFlushing) {
      this.#isFlushing = true;
      this.#clock.atRest(() => {
        this.#isFlushing = false;
        this.flush();
      });
    }
    return byteLength;
  }

  /** Sends a message at once, behind what is waiting: this turn may be a long one. @throws as {@link send} */
  sendNow(message: Outgoing): void {
    this.send(message);
    this.flush();
  }

  /** How many messages wait for the end of the turn. */
  get unsent(): number {
    return this.#outbox.messages;
  }

  /** Tells the peer how many of its frames have come, if it does not know. */
  tellReceived(): void {
    if (this.#replay?.isUntold !== true) return;
    this.#replay.noteTold();
    this.send([MessageType.received, this.#replay.received]);
  }

  /** Sends what is waiting. */
  flush(): void {
    // What is being written is sent when it is complete.
    if (this.#outbox.isWriting || !this.#isOpen || this.#outbox.isEmpty) return;
    for (const frame of this.#outbox.take(this.maxFrameBytes)) {
      this.#replay?.keep(frame);
      this.#socket?.send(frame);
    }
    if (this.#replay?.isOverfull === true) this.end(CloseCode.violation, 'It does not tell what has come');
    // The system may have taken it all at once.
    this.socketDrained();
  }

  /** Sends what is waiting, then closes the socket with this code; by force, if the peer does not answer. */
  end(code: number, reason: string): void {
    if (!this.#isOpen) return;
    if (this.#outbox.isWriting) {
      this.#outbox.afterwards(() => this.end(code, reason));
      return;
    }
    // What leaves now makes room for nothing more.
    this.#stopAwaitingRoom();
    this.flush();
    // It may have been one frame too many.
    if (!this.#isOpen) return;
    if (this.#socket !== undefined) this.#close(this.#socket, code, reason);
    this.#finish(code, reason);
  }

  /** Gives the peer up: it cannot be told any more. */
  giveUp(reason: string): void {
    if (!this.#isOpen) return;
    this.#socket?.terminate();
    this.#lose(CloseCode.silent, reason);
  }

  /** A socket received a frame; nobody listens any more to one that was given up for another. */
  frameReceived(socket: Socket, frame: unknown): void {
    if (!this.#isOpen || socket !== this.#socket) return;
    this.heardAtMs = this.#clock.now();
    const byteLength = lengthOf(frame);
    const isTimeToTell = this.#replay?.noteReceived(byteLength) ?? false;
    // Whom it was for, as it may hand the conversation to somebody else.
    const listener = this.#listener;
    const messages = readFrame(frame, this.codec, this.#decode);
    if ('code' in messages) {
      this.end(messages.code, messages.reason);
      return;
    }
    if (messages.length === 0) this.#listener.heardNothing?.();
    for (const message of messages) {
      if (!this.#isOpen) return;
      if (message[0] === MessageType.received) this.#confirmed(message[1]);
      else this.#deliver(message);
    }
    listener.frameHeard?.(byteLength);
    if (isTimeToTell) this.tellReceived();
  }

  /** A socket is closed. */
  socketClosed(socket: Socket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#cancelCutOff?.();
    this.#lose(code, reason);
  }

  #close(socket: Socket, code: number, reason: string): void {
    this.#cancelCutOff = this.#clock.setTimer(CLOSE_TIMEOUT_MS, () => socket.terminate());
    socket.close(code, closeReason(reason));
  }

  #confirmed(frames: number): void {
    if (this.#replay === undefined || frames > this.#replay.sent) {
      this.end(CloseCode.violation, `${frames} frames cannot have come`);
      return;
    }
    // There may be room again.
    if (this.#replay.confirm(frames)) this.socketDrained();
    else this.#listener.heardNothing?.();
  }

  /** The connection is lost, or the peer has closed it. */
  #lose(code: number, reason: string): void {
    if (!this.#isOpen) return;
    if (this.#replay !== undefined && isLoss(code)) {
      this.#socket = undefined;
      this.#stopAwaitingRoom();
      if (this.#listener.interrupted?.(code, reason) === true) return;
    }
    this.#finish(code, reason);
  }

  /** Whatever goes wrong behind, e.g. in a scheduler of the user's, ends this conversation and no other. */
  #deliver(message: Incoming): void {
    try {
      this.#listener.received(message);
    } catch (error) {
      this.end(CloseCode.internalError, `Internal error: ${messageOf(error)}`);
    }
  }

  /** A message that a getter has said: nobody is there any more to be told if it cannot be sent. */
  #interject(message: Outgoing | Received): void {
    try {
      this.send(message);
    } catch (error) {
      this.end(CloseCode.internalError, `Internal error: ${messageOf(error)}`);
    }
  }

  #stopAwaitingRoom(): void {
    this.#cancelRoomCheck?.();
    this.#cancelRoomCheck = undefined;
  }

  #finish(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#replay?.drop();
    this.#stopAwaitingRoom();
    this.#listener.ended(code, reason);
  }
}
