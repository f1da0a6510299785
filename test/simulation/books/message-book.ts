// Messages: what each says of its session, at the end where it leaves and where it comes.
import { MessageType } from '../../../src/protocol/messages.ts';
import type { VirtualLink } from '../../../src/testing/virtual-link.ts';
import type { Wire } from '../frames.ts';
import { ANSWERS, executionOf, type Message, type ResumeRequest, type WelcomeMap } from '../messages.ts';
import { creditOf } from '../rules/credit.ts';
import type { SessionView } from '../views.ts';
import { type Desk, disturb } from './desk.ts';
import type { ExecutionBook } from './execution-book.ts';
import type { LeaseBook } from './lease-book.ts';
import { OWN, type SessionBook } from './session-book.ts';

export class MessageBook {
  readonly #desk: Desk;
  readonly #sessionBook: SessionBook;
  readonly #leaseBook: LeaseBook;
  readonly #executionBook: ExecutionBook;

  constructor(desk: Desk, sessionBook: SessionBook, leaseBook: LeaseBook, executionBook: ExecutionBook) {
    this.#desk = desk;
    this.#sessionBook = sessionBook;
    this.#leaseBook = leaseBook;
    this.#executionBook = executionBook;
  }

  masterSays(view: SessionView, message: Message): void {
    const { nowMs } = this.#desk;
    switch (message[0]) {
      case MessageType.welcome: {
        const description = message[1] as WelcomeMap;
        view.id = description.worker;
        view.secret = description.resume?.secret;
        if ((view.secret !== undefined) !== view.canResume)
          this.#desk.violated(OWN, `${view.member.name} may not as it asked`);
        view.pingInterval = description.pingInterval;
        view.socketTimeout = description.socketTimeout;
        break;
      }
      case MessageType.ping:
        view.pingedAtMs = nowMs;
        view.askedAtMs = Math.min(view.askedAtMs, nowMs);
        view.pings.set(Number(message[1]), nowMs);
        break;
      case MessageType.grant:
        this.#leaseBook.granted(view, message);
        break;
      case MessageType.cancel:
        this.#leaseBook.cancelled(view, Number(message[1]), String(message[2]));
        break;
      case MessageType.recall: {
        const lease = view.leases.get(Number(message[1]));
        if (lease !== undefined) lease.keptUntilMs = nowMs + patienceMs(view);
        break;
      }
    }
  }

  masterHears(view: SessionView, message: Message, link: VirtualLink): void {
    const { nowMs } = this.#desk;
    const kind = ANSWERS.get(message[0]);
    if (kind !== undefined) {
      this.#leaseBook.answered(view, Number(message[1]), kind, message[2]);
    } else if (message[0] === MessageType.hello) {
      const hello = message[1] as SessionView & { readonly accepts?: readonly string[] };
      view.accepts = hello.accepts === undefined ? undefined : new Set(hello.accepts);
      view.labels = hello.labels;
      view.isOpenAtMaster = true;
      view.linkAtMaster = link;
      // The worker may have given it up already.
      this.#desk.sessions.add(view);
      view.pingedAtMs = nowMs;
      setCredit(view, hello.concurrency, hello.prefetch, nowMs);
    } else if (message[0] === MessageType.pong) {
      const sentAtMs = view.pings.get(Number(message[1])) ?? nowMs;
      view.pings.delete(Number(message[1]));
      view.roundTripMs = Math.max(view.roundTripMs, nowMs - sentAtMs);
    } else if (message[0] === MessageType.progress) {
      const lease = view.leases.get(Number(message[1]));
      if (lease !== undefined) lease.progressedAtMs = nowMs;
    } else if (message[0] === MessageType.credit) {
      setCredit(view, Number(message[1]), message[2] === 'auto' ? 'auto' : Number(message[2]), nowMs);
      this.#leaseBook.takenToRun(view, Math.max(view.concurrency, Number(message[3] ?? 0)));
    }
  }

  workerSays(view: SessionView, message: Message, wire: Wire): void {
    if (ANSWERS.has(message[0])) {
      const lease = view.leases.get(Number(message[1]));
      if (lease?.isAnsweredThere)
        this.#desk.violated('a lease is answered once', `lease ${lease.id} at ${view.member.name}`);
      if (lease !== undefined) lease.isAnsweredThere = true;
      const call = this.#executionBook.call(executionOf(message[2]));
      if (lease === undefined || (call !== undefined && call.lease !== lease)) {
        this.#desk.violated('an answer is given in the session of its grant', `${message[1]} of ${view.member.name}`);
      }
    } else if (message[0] === MessageType.hello) {
      const { resume } = message[1] as { readonly resume?: ResumeRequest | true };
      view.canResume = resume !== undefined && view.reign.resumeWindow > 0;
      if (typeof resume === 'object') wire.request = resume;
      else this.#sessionBook.beginsAnew(view.member, view);
    } else if (message[0] === MessageType.pong) {
      view.unponged.delete(Number(message[1]));
    } else if (message[0] === MessageType.credit) {
      disturb(view.member, this.#desk.nowMs + 1500);
    }
  }

  workerHears(view: SessionView, message: Message): void {
    const lease = view.leases.get(Number(message[1]));
    switch (message[0]) {
      case MessageType.welcome:
        view.isWelcomedThere = true;
        this.#sessionBook.beginsAnew(view.member, view);
        break;
      case MessageType.ping:
        if (view.isOpenAtWorker) view.unponged.add(Number(message[1]));
        break;
      case MessageType.grant:
        if (lease !== undefined) lease.isDelivered = true;
        break;
      case MessageType.cancel:
        if (lease !== undefined && view.isOpenAtWorker) lease.cancelledThereAtMs ??= this.#desk.nowMs;
        break;
      case MessageType.recall:
        if (lease !== undefined && view.isOpenAtWorker) lease.recalledThereAtMs ??= this.#desk.nowMs;
        break;
    }
  }
}

function setCredit(view: SessionView, concurrency: number, prefetch: number | 'auto', nowMs: number): void {
  const credit = creditOf(concurrency, prefetch);
  const before = view.creditAtMs === nowMs ? view.mostCredit : creditOf(view.concurrency, view.prefetch);
  view.mostCredit = Math.max(before, credit);
  view.creditAtMs = nowMs;
  view.concurrency = concurrency;
  view.prefetch = prefetch;
}

/** How long a worker that was asked for a lease may keep it. */
function patienceMs({ roundTripMs }: SessionView): number {
  return roundTripMs === 0 ? 2000 : Math.max(100, 4 * roundTripMs);
}
