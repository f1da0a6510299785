// Between a worker's hello and its welcome: while it is found out who it is.
import type { ConversationListener } from '../connection/conversation.ts';
import { messageOf } from '../errors.ts';
import { isPromiseLike } from '../promise-like.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { MessageType, type WorkerDescription, type WorkerMessage } from '../protocol/messages.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';
import type { Authenticator, ConnectionRequest, Identity, Verdict } from './authentication.ts';
import type { ServerConversation } from './connection.ts';
import type { Guest } from './guest.ts';

/** Whom the admission is about. */
export interface Admitted {
  letIn(worker: WorkerDescription, conversation: ServerConversation, identity: Identity | undefined): void;
  /** The connection ends before it was let in. */
  refused(code: number, reason: string): void;
}

/** More than a worker has reason to say before it is welcomed. */
const MAX_MESSAGES = 1000;

/** Of a connection that no door let in, as in tests. */
const UNKNOWN_REQUEST: ConnectionRequest = Object.freeze({ address: '', headers: Object.freeze({}), url: '/' });

/** One worker's admission. Of what it says meanwhile, only the last credit matters: nothing was granted yet. */
export class Admission implements ConversationListener<WorkerMessage> {
  readonly #admitted: Admitted;
  readonly #conversation: ServerConversation;
  readonly #guest: Guest | undefined;
  #worker: WorkerDescription;
  #alarm: Alarm | undefined = undefined;
  #messages = 0;

  constructor(
    admitted: Admitted,
    worker: WorkerDescription,
    conversation: ServerConversation,
    guest: Guest | undefined,
  ) {
    this.#admitted = admitted;
    this.#worker = worker;
    this.#conversation = conversation;
    this.#guest = guest;
  }

  /** Asks. The answer may be there at once. */
  start(authenticate: Authenticator, timers: TimerQueue, deadlineMs: number): void {
    const { token, name, ...worker } = this.#worker;
    // Not kept any longer than it is needed.
    this.#worker = { ...worker, name };
    const request = { ...(this.#guest?.request ?? UNKNOWN_REQUEST), name };
    this.#conversation.handTo(this);
    const verdict = authenticate(token, request);
    if (!isPromiseLike(verdict)) {
      this.#judge(verdict, token !== undefined);
      return;
    }
    const hasToken = token !== undefined;
    this.#alarm = timers.createAlarm(this);
    this.#alarm.setBy(deadlineMs);
    void verdict.then((settled) => this.#settled(settled, hasToken));
  }

  /** Not the worker's fault: it may try again. */
  alarmRang(): void {
    this.#conversation.end(CloseCode.internalError, 'It was not known in time who this is (`helloTimeout`)');
  }

  received(message: WorkerMessage): void {
    this.heardNothing();
    if (message[0] === MessageType.credit) {
      this.#worker = { ...this.#worker, concurrency: message[1], prefetch: message[2] };
    } else {
      this.#conversation.end(CloseCode.violation, 'Before the welcome, there is only credit to be told of');
    }
  }

  /** It counts all the same. */
  heardNothing(): void {
    this.#messages += 1;
    if (this.#messages > MAX_MESSAGES)
      this.#conversation.end(CloseCode.tooManyMessages, 'Too many messages before the welcome');
  }

  ended(code: number, reason: string): void {
    this.#alarm?.cancel();
    this.#admitted.refused(code, reason);
  }

  #settled(verdict: Verdict, hasToken: boolean): void {
    if (!this.#conversation.isOpen) {
      // Or whoever leaves before the answer could try one token after the other.
      if (verdict.kind === 'refused') this.#guest?.ended(CloseCode.unauthorized, refusalOf(hasToken));
      return;
    }
    this.#alarm?.cancel();
    try {
      this.#judge(verdict, hasToken);
    } catch (error) {
      this.#conversation.end(CloseCode.internalError, `Internal error: ${messageOf(error)}`);
    }
  }

  #judge(verdict: Verdict, hasToken: boolean): void {
    switch (verdict.kind) {
      case 'let in':
        this.#admitted.letIn(this.#worker, this.#conversation, verdict.identity);
        break;
      case 'refused':
        this.#conversation.end(CloseCode.unauthorized, refusalOf(hasToken));
        break;
      case 'failed':
        this.#conversation.end(CloseCode.internalError, 'The master could not find out who this is');
        break;
    }
  }
}

function refusalOf(hasToken: boolean): string {
  return hasToken ? 'The master does not take this token' : 'The master asks for a token (`token`)';
}
