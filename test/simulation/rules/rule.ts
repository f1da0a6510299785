// What a rule of a simulation hears, and how it says that it was broken.
import type { Execution, LeaseView, LinkView, Member, PutView, Reign, TaskView } from '../views.ts';

/** What all rules know. */
export interface Court {
  readonly nowMs: number;
  readonly reign: Reign;
  /** Of all reigns, those that are open at either end. */
  readonly links: ReadonlySet<LinkView>;
  readonly members: readonly Member[];
  /** Ends the simulation. */
  violated(rule: string, what: string): void;
}

/** Something that must hold. Each method is told of one kind of event; most rules hear of few. */
export abstract class Rule {
  abstract readonly name: string;
  readonly court: Court;

  constructor(court: Court) {
    this.court = court;
  }

  protected fail(what: string): void {
    this.court.violated(this.name, what);
  }

  // At the master, as the frames leave and come:
  granted?(lease: LeaseView): void;
  cancelled?(lease: LeaseView, reason: string): void;
  /** `wasLive`: it was the first answer, and nothing had ended the lease before. */
  answered?(lease: LeaseView, kind: string, value: unknown, wasLive: boolean): void;
  pinged?(link: LinkView): void;
  /** The master ends the connection by itself. */
  endedByMaster?(link: LinkView, code: number): void;

  // At the worker:
  started?(execution: Execution): void;
  endedByWorker?(link: LinkView, code: number): void;

  // At the scheduler:
  retrying?(task: TaskView, attempt: number, delayMs: number): void;
  settled?(task: TaskView): void;
  putSettled?(put: PutView, value: unknown): void;
  lost?(task: TaskView, link: LinkView | undefined): void;

  /** A callback has run. Called very often. */
  stepped?(): void;
  /** All is said and done that is to be at this moment. Called only if something has happened at it. */
  momentOver?(): void;
  /** As `momentOver`, a few times for each second. */
  ticked?(): void;
}
