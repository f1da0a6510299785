// What a rule of a simulation hears, and how it says that it was broken.
import type { Execution, LeaseView, Member, PutView, Reign, SessionView, TaskView } from '../views.ts';

/** What all rules know. */
export interface Court {
  readonly nowMs: number;
  readonly reign: Reign;
  /** Of all reigns, those that are open at either end. */
  readonly sessions: ReadonlySet<SessionView>;
  readonly members: readonly Member[];
  /** How many leases of the present reign nobody has seen, as their connection was lost before their grants had left. */
  readonly unsaid: number;
  /** Whether a worker's wish to go on has come to its master before that moment, and was not read. */
  isReturnUnread(session: SessionView, beforeMs: number): boolean;
  /** A worker has given a session up, with no connection to tell of it. */
  endedUnseen(session: SessionView): void;
  /** Something that a simulation is to have had. */
  count(what: string): void;
  /** Ends the simulation. */
  violated(rule: string, what: string): void;
}

/** A timer that is later than that says that the process stood still: then what has come in is read before anything is judged. */
export const STALL_MS = 51;
/** Milliseconds are no integers here. */
export const ROUNDING_MS = 0.001;
/** How late what hangs on a timer may be in a process that runs: as long as it takes to catch up, and some more. */
export const LATE_MS = 300;

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
  pinged?(session: SessionView): void;
  /** The master ends the connection by itself. */
  endedByMaster?(session: SessionView, code: number): void;

  /** Its connection is lost, and the master waits for another one. */
  interrupted?(session: SessionView): void;
  /** It does so no longer. */
  expired?(session: SessionView): void;

  // At the worker:
  started?(execution: Execution): void;
  /** Its signal has aborted. */
  aborted?(execution: Execution): void;
  endedByWorker?(session: SessionView, code: number): void;

  // At the scheduler:
  retrying?(task: TaskView, attempt: number, delayMs: number): void;
  settled?(task: TaskView): void;
  putSettled?(put: PutView, value: unknown): void;
  lost?(task: TaskView, session: SessionView | undefined): void;

  /** A callback has run. Called very often. */
  stepped?(): void;
  /** All is said and done that is to be at this moment. Called only if something has happened at it. */
  momentOver?(): void;
  /** As `momentOver`, a few times for each second. */
  ticked?(): void;
}
