// The start of a connection, until the worker has said hello.
import type { ConversationListener } from '../connection/conversation.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { MessageType, type WorkerDescription, type WorkerMessage } from '../protocol/messages.ts';
import type { Alarm, TimerQueue } from '../timer-queue.ts';

/** Whom the greeting is about. */
export interface Greeted {
  /** Ends the connection. */
  end(code: number, reason: string): void;
  /** It has until `deadlineMs` to be let in. */
  saidHello(worker: WorkerDescription, deadlineMs: number): void;
  /** The connection ends before anybody has said hello. */
  refused(code: number, reason: string): void;
}

/** Waits for the first message, and judges it. */
export class Greeting implements ConversationListener<WorkerMessage> {
  readonly #greeted: Greeted;
  readonly #alarm: Alarm;

  constructor(greeted: Greeted, timers: TimerQueue, deadlineMs: number) {
    this.#greeted = greeted;
    this.#alarm = timers.createAlarm(this);
    this.#alarm.setBy(deadlineMs);
  }

  alarmRang(): void {
    this.#greeted.end(CloseCode.helloTimeout, 'No hello came in time');
  }

  received(message: WorkerMessage): void {
    if (message[0] !== MessageType.hello) {
      this.#greeted.end(CloseCode.violation, 'The first message must be a hello');
      return;
    }
    const { atMs } = this.#alarm;
    this.#alarm.cancel();
    this.#greeted.saidHello(message[1], atMs);
  }

  ended(code: number, reason: string): void {
    this.#alarm.cancel();
    this.#greeted.refused(code, reason);
  }
}
