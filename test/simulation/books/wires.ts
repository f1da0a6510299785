// Connections: which frames leave and come over them, counted as the protocol says, and how they end.
import type { Frame } from '../../../src/ports.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import type { VirtualLink, WireObserver } from '../../../src/testing/virtual-link.ts';
import type { Side } from '../../../src/testing/virtual-socket.ts';
import { createWire, isSameFrame, type Wire } from '../frames.ts';
import { inWords, read, welcomeBack } from '../messages.ts';
import { createSession } from '../views.ts';
import type { Desk } from './desk.ts';
import type { MessageBook } from './message-book.ts';
import { COUNTED, type SessionBook } from './session-book.ts';

export class Wires implements WireObserver {
  /** How many messages were sent. */
  messages = 0;
  readonly #desk: Desk;
  readonly #sessionBook: SessionBook;
  readonly #messageBook: MessageBook;
  readonly #wires = new Map<VirtualLink, Wire>();

  constructor(desk: Desk, sessionBook: SessionBook, messageBook: MessageBook) {
    this.#desk = desk;
    this.#sessionBook = sessionBook;
    this.#messageBook = messageBook;
  }

  sent(link: VirtualLink, from: Side, frame: Frame): void {
    const wire = this.#wireOf(link);
    const session = from === 'server' ? wire.atMaster : wire.atWorker;
    const who = `${session.member.name} ${from === 'server' ? '◀' : '▷'}`;
    const log = session.frames[from];
    const index = wire.next[from];
    const before = log.sent[index];
    if (before !== undefined) {
      this.#desk.note(`${who} frame ${index} again`);
      this.#desk.count('frames sent again');
      if (!isSameFrame(before.frame, frame)) this.#desk.violated(COUNTED, `${who} frame ${index} is another one now`);
      wire.next[from] += 1;
      wire.underway[from].push({ index, messages: before.messages });
      return;
    }
    const messages = read(link, frame);
    const welcome = from === 'server' ? welcomeBack(messages) : undefined;
    if (welcome !== undefined) {
      this.#desk.note(`${who} welcome back`);
      wire.underway.server.push({ index: undefined, messages });
      this.#sessionBook.masterGoesOn(wire, welcome.worker, welcome.resume);
      return;
    }
    if (from === 'server' && messages[0]?.[0] === MessageType.welcome) this.#sessionBook.expectRefusal(wire);
    if (index > log.sent.length) this.#desk.violated(COUNTED, `${who} frame ${index} after ${log.sent.length}`);
    log.sent.push({ frame, messages });
    wire.next[from] += 1;
    wire.underway[from].push({ index, messages });
    for (const message of messages) {
      this.messages += 1;
      this.#desk.note(`${who} ${inWords(message)}`);
      if (from === 'server') this.#messageBook.masterSays(session, message);
      else this.#messageBook.workerSays(session, message, wire);
    }
  }

  received(link: VirtualLink, by: Side): void {
    const wire = this.#wireOf(link);
    const from = by === 'server' ? 'client' : 'server';
    const frame = wire.underway[from].shift();
    this.#desk.isNews();
    if (frame === undefined || wire.closed[by]) return;
    const { index, messages } = frame;
    if (index === undefined) {
      this.#sessionBook.workerGoesOn(wire, welcomeBack(messages)?.resume.received ?? Number.NaN);
      return;
    }
    const session = by === 'server' ? wire.atMaster : wire.atWorker;
    const log = session.frames[from];
    if (index !== log.heard)
      this.#desk.violated(COUNTED, `${session.member.name} ${by} hears ${index} after ${log.heard}`);
    log.heard += 1;
    if (by === 'server') {
      session.heardAtMs = this.#desk.nowMs;
      if (session.askedAtMs < this.#desk.nowMs) session.askedAtMs = Number.POSITIVE_INFINITY;
    } else {
      session.heardThereAtMs = this.#desk.nowMs;
    }
    for (const message of messages) {
      if (by === 'server') this.#messageBook.masterHears(session, message, link);
      else this.#messageBook.workerHears(session, message);
    }
  }

  ending(link: VirtualLink, by: Side, code: number): void {
    this.#ended(link, by, code, true);
  }

  closed(link: VirtualLink, side: Side, code: number): void {
    this.#ended(link, side, code, false);
  }

  #ended(link: VirtualLink, side: Side, code: number, isOwnDoing: boolean): void {
    const wire = this.#wires.get(link);
    if (wire === undefined) return;
    const session = side === 'server' ? wire.atMaster : wire.atWorker;
    this.#desk.note(`${session.member.name} ${side} ${isOwnDoing ? 'ends' : 'is closed'} ${code}`);
    if (wire.closed[side]) return;
    wire.closed[side] = true;
    // It may go on elsewhere by now.
    if (side === 'server' && session.linkAtMaster === link) this.#sessionBook.endedAtMaster(session, code, isOwnDoing);
    if (side === 'client' && session.linkAtWorker === link) this.#sessionBook.endedAtWorker(session, code, isOwnDoing);
  }

  #wireOf(link: VirtualLink): Wire {
    const known = this.#wires.get(link);
    if (known !== undefined) return known;
    const member = this.#desk.members.find(({ worker }) => worker.network.links.includes(link));
    if (member === undefined) throw new Error('Nobody has made this connection');
    const session = createSession(link, this.#desk.reign, member, this.#desk.nowMs);
    const wire = createWire(link, session);
    this.#wires.set(link, wire);
    this.#desk.sessions.add(session);
    return wire;
  }
}
