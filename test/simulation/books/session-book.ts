// Sessions: over which connections they go, how they are lost and go on, and when they are over, at either end.
import type { WorkerInfo } from '../../../src/master/events.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import type { Side } from '../../../src/testing/virtual-socket.ts';
import { isLoss, type Wire } from '../frames.ts';
import { type ResumeOffer, type ResumeRequest, unreadOf } from '../messages.ts';
import { mostCreditOf } from '../rules/credit.ts';
import { isEligible, type Member, type Reign, type SessionView } from '../views.ts';
import { CrashBook } from './crash-book.ts';
import { type Desk, disturb } from './desk.ts';
import type { LeaseBook } from './lease-book.ts';

export const COUNTED = 'no frame of a session is lost, and none heard twice';
export const OWN = 'a session goes on with who began it, if that is agreed, and with nobody else';

export class SessionBook {
  readonly #desk: Desk;
  readonly #leaseBook: LeaseBook;
  readonly #crashes: CrashBook;

  constructor(desk: Desk, leaseBook: LeaseBook) {
    this.#desk = desk;
    this.#leaseBook = leaseBook;
    this.#crashes = new CrashBook(desk);
  }

  // Their ends.

  endedAtMaster(session: SessionView, code: number, isOwnDoing: boolean): void {
    if (isOwnDoing) for (const rule of this.#desk.rules) rule.endedByMaster?.(session, code);
    session.linkAtMaster = undefined;
    session.endCode = code;
    if (session.canResume && isLoss(code)) {
      // Unless its master says in the next moment that it is over.
      session.isInterrupted = true;
      session.lostAtMs = this.#desk.nowMs;
      session.unsaid = 0;
      for (const lease of session.open) {
        if (lease.task.outcome !== undefined) lease.takenBack ??= 'settled';
        if (lease.takenBack !== undefined) this.#leaseBook.takeBack(lease, lease.takenBack);
      }
    } else {
      this.#endLeases(session);
    }
  }

  endedAtWorker(session: SessionView, code: number, isOwnDoing: boolean): void {
    if (isOwnDoing) for (const rule of this.#desk.rules) rule.endedByWorker?.(session, code);
    session.linkAtWorker = undefined;
    session.unponged.clear();
    session.isInterruptedThere = session.canResume && session.isWelcomedThere && isLoss(code);
    if (!session.isInterruptedThere) this.#endThere(session);
    // What it runs yet occupies slots that the next connection does not have.
    disturb(session.member, this.#desk.nowMs + session.member.plan.grace + 1500);
  }

  #endThere(session: SessionView): void {
    session.isOpenAtWorker = false;
    session.isInterruptedThere = false;
    session.endedThereAtMs = this.#desk.nowMs;
  }

  /** The session is over at the master, and all its leases with it. */
  #endLeases(session: SessionView): void {
    this.#crashes.ended(session);
    this.#excuseUnsaid(session);
    session.isOpenAtMaster = false;
    session.isInterrupted = false;
    session.unsaid = 0;
    session.takenBackUnsaid.clear();
    for (const lease of session.open) {
      if (lease.state === 'live') lease.state = 'over';
      lease.task.live.delete(lease);
    }
  }

  /**
   * It may have been given, in this very moment, what it had room for by what was heard from it in this moment, as when its
   * master reads all at once after it stood still. Such grants never leave: nobody can say that those tasks waited for others.
   */
  #excuseUnsaid(session: SessionView): void {
    const { nowMs } = this.#desk;
    if (session.heardAtMs !== nowMs || session.unanswered >= mostCreditOf(session, nowMs)) return;
    for (const task of session.reign.unsettled) {
      if (isEligible(session, task)) task.waitingSinceMs = Number.POSITIVE_INFINITY;
    }
  }

  /** The process at an end is gone: it closes nothing any more. */
  abandoned(isAtEnd: (session: SessionView) => boolean, side: Side): void {
    for (const session of this.#desk.sessions) {
      if (!isAtEnd(session)) continue;
      if (side === 'server') this.#endLeases(session);
      else this.#endThere(session);
    }
  }

  /** The worker's end of a session is over, though no connection is there to tell. */
  endedUnseen(session: SessionView): void {
    this.#desk.count('given up by the worker');
    this.#endThere(session);
  }

  // Those that go on.

  /** The master says that it goes on with an older session. */
  masterGoesOn(wire: Wire, id: string, resume: ResumeOffer): void {
    const { atMaster: first, request, link } = wire;
    const session = this.#find(first.reign, id);
    const what = `${first.member.name} as ${id}`;
    if (session === undefined || request === undefined || session.member !== first.member) {
      this.#desk.violated(OWN, `${what}, which is over`);
      return;
    }
    if (request.secret !== session.secret || request.worker !== id)
      this.#desk.violated(OWN, `${what}, with a wrong secret`);
    const { client, server } = session.frames;
    if (request.received !== server.heard) this.#desk.violated(COUNTED, `${what} has heard ${server.heard}`);
    if (resume.received !== client.heard) this.#desk.violated(COUNTED, `${what} was heard ${client.heard} times`);
    this.#desk.count(session.isInterrupted ? 'resumed' : 'resumed before the loss was noticed');
    first.isOpenAtMaster = false;
    first.linkAtMaster = undefined;
    wire.atMaster = session;
    wire.next.server = request.received;
    this.#leaseBook.keptStep = session.isInterrupted ? this.#desk.steps : -1;
    session.link = link;
    session.linkAtMaster = link;
    if (!session.isInterrupted) session.unsaid = 0;
    session.isInterrupted = false;
    session.resumedAtMs = this.#desk.nowMs;
    session.heardAtMs = this.#desk.nowMs;
    session.pingedAtMs = this.#desk.nowMs;
    session.askedAtMs = Number.POSITIVE_INFINITY;
    // Nobody times their answers any more.
    session.pings.clear();
    for (const lease of session.open) lease.resumes += 1;
  }

  /** The master begins anew: a session that could go on does. */
  expectRefusal({ request, atMaster: { reign, member } }: Wire): void {
    if (request === undefined) return;
    const session = this.#find(reign, request.worker);
    if (session !== undefined && session.secret === request.secret)
      this.#desk.violated(OWN, `${member.name} is refused`);
  }

  /** The worker hears it. */
  workerGoesOn(wire: Wire, received: number): void {
    const { atWorker: first, atMaster: session, link } = wire;
    this.#endThere(first);
    if (!session.isInterruptedThere) {
      // It may have been given up, as lost for too long, since the worker asked for it: then it says goodbye.
      this.#desk.count('welcomed back too late');
      if (session.endedThereAtMs < first.heardThereAtMs)
        this.#desk.violated(OWN, `${first.member.name}, where it is over`);
      return;
    }
    wire.atWorker = session;
    wire.next.client = received;
    session.linkAtWorker = link;
    session.isInterruptedThere = false;
    session.heardThereAtMs = this.#desk.nowMs;
  }

  /** A worker that begins anew has given up what it had. */
  beginsAnew(member: Member, session: SessionView | undefined): void {
    for (const other of this.#desk.sessions) {
      if (other.member !== member || other === session || !other.isOpenAtWorker || !other.isWelcomedThere) continue;
      this.#desk.count('begun anew');
      this.#endThere(other);
    }
  }

  /** Whether a worker's wish to go on has come to its master before that moment, and was not read. */
  isReturnUnread({ member, id }: SessionView, beforeMs: number): boolean {
    const link = member.worker.network.links.at(-1);
    return unreadOf(link, beforeMs).some((message) => {
      const resume = (message[1] as { readonly resume?: ResumeRequest } | undefined)?.resume;
      return message[0] === MessageType.hello && resume?.worker === id;
    });
  }

  // What the master tells its program.

  /** The master tells that it waits for a worker. */
  interrupted(reign: Reign, info: WorkerInfo): void {
    const session = this.#findByInfo(reign, info);
    if (session === undefined) {
      this.#desk.violated('who is awaited was there', info.name);
      return;
    }
    session.unsaid = info.running + info.waiting - session.unanswered;
    this.#desk.note(`${info.name} is awaited, with ${session.unsaid} leases that it has not heard of`);
    this.#desk.count('interrupted');
    for (const rule of this.#desk.rules) rule.interrupted?.(session);
  }

  /** The master tells that a worker is gone. */
  left(reign: Reign, info: WorkerInfo): void {
    const session = this.#findByInfo(reign, info);
    // Of all others the wire tells.
    if (session === undefined || !session.isInterrupted) return;
    this.#desk.note(`${info.name} is awaited no longer`);
    if (session.lostAtMs < this.#desk.nowMs) this.#desk.count('expired');
    for (const rule of this.#desk.rules) rule.expired?.(session);
    this.#endLeases(session);
  }

  #find(reign: Reign, id: string): SessionView | undefined {
    for (const session of this.#desk.sessions)
      if (session.reign === reign && session.id === id && session.isOpenAtMaster) return session;
    return undefined;
  }

  /** Of which the master tells its program. Its name may have been on its way when the connection was lost. */
  #findByInfo(reign: Reign, { id, name }: WorkerInfo): SessionView | undefined {
    const known = this.#find(reign, id);
    if (known !== undefined) return known;
    for (const session of this.#desk.sessions) {
      if (session.reign !== reign || session.id !== '' || session.member.name !== name) continue;
      if (!session.isInterrupted) continue;
      session.id = id;
      return session;
    }
    return undefined;
  }
}
