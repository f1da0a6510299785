// The start of a connection, until the worker has said hello.
import type { Conversation, ConversationListener } from '../connection/conversation.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { type MasterMessage, MessageType, type WorkerDescription, type WorkerMessage } from '../protocol/messages.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';

/** Waits for the first message, and judges it. */
export class Greeting implements ConversationListener<WorkerMessage> {
  readonly #conversation: () => Conversation<MasterMessage, WorkerMessage>;
  readonly #alarm: Alarm;
  readonly #onHello: (worker: WorkerDescription) => void;
  readonly #onRefused: (code: number, reason: string) => void;

  /** `conversation` is asked for later, as it is made with this listener. */
  constructor(
    conversation: () => Conversation<MasterMessage, WorkerMessage>,
    timers: TimerQueue,
    deadlineMs: number,
    onHello: (worker: WorkerDescription) => void,
    onRefused: (code: number, reason: string) => void,
  ) {
    this.#conversation = conversation;
    this.#onHello = onHello;
    this.#onRefused = onRefused;
    this.#alarm = timers.createAlarm(() => conversation().end(CloseCode.helloTimeout, 'No hello came in time'));
    this.#alarm.setBy(deadlineMs);
  }

  received(message: WorkerMessage): void {
    if (message[0] !== MessageType.hello) {
      this.#conversation().end(CloseCode.violation, 'The first message must be a hello');
      return;
    }
    this.#alarm.cancel();
    this.#onHello(message[1]);
  }

  ended(code: number, reason: string): void {
    this.#alarm.cancel();
    this.#onRefused(code, reason);
  }
}
