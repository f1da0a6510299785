// What the referee knows, from the frames and from what it has done itself: tasks, leases, connections, attempts.
import type { FifoScheduler } from '../../src/fifo-scheduler.ts';
import { matches } from '../../src/labels.ts';
import type { SimulatedMaster } from '../../src/testing/simulated-master.ts';
import type { SimulatedWorker } from '../../src/testing/simulated-worker.ts';
import type { VirtualLink } from '../../src/testing/virtual-link.ts';
import type { Side } from '../../src/testing/virtual-socket.ts';
import { FrameLog } from './frames.ts';
import { type Message, unreadOf } from './messages.ts';
import type { Plan, WorkerPlan } from './plan.ts';
import type { PutTerms, SimulatedResult, SimulatedTask } from './task.ts';

/** A scheduler and its master, until they crash. */
export interface Reign {
  readonly number: number;
  readonly terms: Plan['scheduler'];
  readonly taskTimeout: number;
  readonly resumeWindow: number;
  readonly scheduler: FifoScheduler<SimulatedTask, SimulatedResult>;
  readonly master: SimulatedMaster<SimulatedTask, SimulatedResult>;
  /** By the number of the task. */
  readonly tasks: Map<number, TaskView>;
  /** Those of them that are not settled, in the order in which they were put. */
  readonly unsettled: Set<TaskView>;
  /** How many tasks it has accepted. */
  accepted: number;
  readonly outcomes: Map<string, number>;
  state: 'running' | 'draining' | 'stopped' | 'crashed';
  /** Since when nothing has held its process up. */
  steadySinceMs: number;
  drainingSinceMs: number;
}

/** A task that a scheduler has accepted. */
export interface TaskView {
  readonly n: number;
  readonly task: SimulatedTask;
  readonly terms: PutTerms;
  readonly reign: Reign;
  readonly puts: PutView[];
  /** When it may be handed out at the earliest. */
  restsUntilMs: number;
  /** Since when; a grant that leaves at that very moment may have been given before. */
  restsSinceMs: number;
  /** When it may be handed out at the latest: of a failure beside another attempt, nobody tells how long it rests. */
  restsAtMostUntilMs: number;
  /** Those that live, as the frames say. */
  readonly live: Set<LeaseView>;
  failures: number;
  losses: number;
  /** The highest number of an attempt that failed or was lost. */
  spentAttempt: number;
  grantedAttempt: number;
  readonly refusedBy: Set<SessionView>;
  /** The principals that have given a result, if it is verified: it is given to none of them again. */
  readonly heardOf: Set<string>;
  /** From which attempt the first result came. */
  result: { readonly execution: number; readonly atMs: number } | undefined;
  outcome: string | undefined;
  settledAtMs: number;
  /** Since when it has been ready and with nobody, as seen when moments were over. */
  waitingSinceMs: number;
  grantedAtMs: number;
}

/** One call of `put`. */
export interface PutView {
  readonly n: number;
  readonly task: TaskView | undefined;
  readonly controller: AbortController;
  readonly deadlineAtMs: number;
  settled: number;
  outcome: string | undefined;
  abortedAtMs: number;
}

/** How a lease stands at the master. */
export type LeaseState = 'live' | 'cancelled' | 'answered' | 'over';

export interface LeaseView {
  readonly id: number;
  readonly session: SessionView;
  readonly task: TaskView;
  readonly attempt: number;
  readonly grantedAtMs: number;
  readonly isSecond: boolean;
  state: LeaseState;
  cancelReason: string | undefined;
  /** Whether it was taken back while the connection was lost, which the worker is yet to be told. */
  isUnsaid: boolean;
  /** Why the master has taken it back, by what it tells its program. */
  takenBack: string | undefined;
  /** How often the worker has come back since it was granted. */
  resumes: number;
  /** Since when it runs, by what the master tells its program. */
  startedAtMs: number;
  /** When the master last heard how far it is. */
  progressedAtMs: number;
  /** Until when the worker may keep it that has been asked for it. */
  keptUntilMs: number;
  /** With what it was answered while it lived. */
  answer: { readonly kind: string; readonly value: unknown; readonly atMs: number } | undefined;
  // At the worker:
  isDelivered: boolean;
  execution: Execution | undefined;
  cancelledThereAtMs: number | undefined;
  recalledThereAtMs: number | undefined;
  isAnsweredThere: boolean;
}

/** A session, at both ends: over one connection, or over several in turn. */
export interface SessionView {
  /** The connection over which it goes, or went last, at the master. */
  link: VirtualLink;
  /** Undefined while it has none there. */
  linkAtMaster: VirtualLink | undefined;
  linkAtWorker: VirtualLink | undefined;
  readonly reign: Reign;
  readonly member: Member;
  readonly leases: Map<number, LeaseView>;
  /** Those of them to which the master has no answer, in the order of their grants. */
  readonly open: Set<LeaseView>;
  /** What each side has sent. */
  readonly frames: Readonly<Record<Side, FrameLog>>;
  /** Whether the worker has offered to go on after a lost connection, and its master lets it. */
  canResume: boolean;
  /** What it must know for that. */
  secret: string | undefined;
  isOpenAtMaster: boolean;
  isOpenAtWorker: boolean;
  /** Whether its connection is lost, and it is kept, as the master knows. */
  isInterrupted: boolean;
  lostAtMs: number;
  resumedAtMs: number;
  /** How many leases it held when its connection was lost whose grants had not left. */
  unsaid: number;
  /** The tasks of those of them that the master has taken back since. */
  readonly takenBackUnsaid: Set<TaskView>;
  // As the master knows it:
  /** What it calls the worker. */
  id: string;
  endCode: number | undefined;
  concurrency: number;
  prefetch: number | 'auto';
  accepts: ReadonlySet<string> | undefined;
  labels: Readonly<Record<string, string | number>>;
  /** The most that it may hold by any word that has come at this moment. */
  mostCredit: number;
  creditAtMs: number;
  unanswered: number;
  heardAtMs: number;
  pingedAtMs: number;
  /** When the first ping was sent that has had nothing come after it; Infinity if there is none. */
  askedAtMs: number;
  /** When the pings were sent that have no answer. */
  readonly pings: Map<number, number>;
  /** The longest; 0 before the first. */
  roundTripMs: number;
  pingInterval: number;
  socketTimeout: number;
  /** Since when it has had a slot free. */
  idleSinceMs: number;
  /** Until when it may be granted nothing, as it has failed, or given what did not count, in verifying. */
  mayRestUntilMs: number;
  // As the worker knows it:
  isWelcomedThere: boolean;
  isInterruptedThere: boolean;
  endedThereAtMs: number;
  heardThereAtMs: number;
  /** Pings that it has read, and not answered. */
  readonly unponged: Set<number>;
  /** What had come to the master before that moment, and was not read. */
  unreadAtMaster(beforeMs: number): readonly Message[];
}

/** One that begins with a hello on that connection. */
export function createSession(link: VirtualLink, reign: Reign, member: Member, nowMs: number): SessionView {
  const session: SessionView = {
    link,
    linkAtMaster: undefined,
    linkAtWorker: link,
    reign,
    member,
    leases: new Map(),
    open: new Set(),
    frames: { client: new FrameLog(), server: new FrameLog() },
    canResume: false,
    secret: undefined,
    isInterrupted: false,
    lostAtMs: Number.NEGATIVE_INFINITY,
    resumedAtMs: Number.NEGATIVE_INFINITY,
    unsaid: 0,
    takenBackUnsaid: new Set(),
    isOpenAtMaster: false,
    id: '',
    endCode: undefined,
    isOpenAtWorker: true,
    concurrency: 0,
    prefetch: 0,
    accepts: undefined,
    labels: {},
    mostCredit: 0,
    creditAtMs: nowMs,
    unanswered: 0,
    heardAtMs: nowMs,
    pingedAtMs: nowMs,
    askedAtMs: Number.POSITIVE_INFINITY,
    pings: new Map(),
    roundTripMs: 0,
    pingInterval: 0,
    socketTimeout: 0,
    idleSinceMs: Number.POSITIVE_INFINITY,
    mayRestUntilMs: 0,
    isWelcomedThere: false,
    isInterruptedThere: false,
    endedThereAtMs: Number.POSITIVE_INFINITY,
    heardThereAtMs: nowMs,
    unponged: new Set(),
    unreadAtMaster: (beforeMs) => unreadOf(session.linkAtMaster, beforeMs),
  };
  return session;
}

/** A handler's call. */
export interface Execution {
  readonly number: number;
  readonly member: Member;
  readonly lease: LeaseView;
  readonly signal: AbortSignal;
  readonly startedAtMs: number;
  /** When its signal aborted; Infinity before. */
  abortedAtMs: number;
  /** When it last told how far it is. */
  progressedAtMs: number;
  isOver: boolean;
}

/** A worker, until it crashes. */
export interface Member {
  readonly name: string;
  readonly plan: WorkerPlan;
  readonly worker: SimulatedWorker<SimulatedTask, SimulatedResult>;
  readonly running: Set<Execution>;
  /** Until when something held it up, or changed what its master can know of it. */
  disturbedUntilMs: number;
  /** Until when its sessions may be granted nothing, as some of its kind were lost. */
  mayRestUntilMs: number;
  /** Until when its process stands still; Infinity once it crashed. */
  stalledUntilMs: number;
  /** Until when its timers ring late; Infinity while they do. */
  throttledUntilMs: number;
  isAlive: boolean;
}

/** Who stands behind it; nobody if that is not asked for. */
export function principalOf({ member }: SessionView): string {
  return member.plan.principal ?? '';
}

/** Whether that worker may have that task. */
export function isEligible(session: SessionView, { task, terms, refusedBy, heardOf }: TaskView): boolean {
  if (session.accepts !== undefined && (task.type === undefined || !session.accepts.has(task.type))) return false;
  if (heardOf.has(principalOf(session))) return false;
  return !refusedBy.has(session) && matches(session.labels, terms.requires);
}

/** Whether a task goes before another one. */
export function isBefore(a: TaskView, b: TaskView): boolean {
  const byPriority = a.terms.priority - b.terms.priority;
  return byPriority > 0 || (byPriority === 0 && a.n < b.n);
}
