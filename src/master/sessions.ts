// All connections of a master: from the moment a socket is accepted until the last one is closed.
import { ReplayStore } from '../connection/replay-store.ts';
import type { Emitter } from '../events.ts';
import type { Clock, Socket, SocketListener } from '../ports.ts';
import type { WorkerDescription } from '../protocol/messages.ts';
import type { TaskScheduler } from '../scheduling/scheduler.ts';
import { TimerQueue } from '../timer-queue.ts';
import type { Authenticator, Identity } from './authentication.ts';
import { Connection, type ConnectionContext, type ServerConversation } from './connection.ts';
import { CrashLoops } from './crash-loops.ts';
import type { MasterEnvironment } from './environment.ts';
import type { MasterEvent, WorkerInfo } from './events.ts';
import type { Guest } from './guest.ts';
import { Interrupted } from './interrupted.ts';
import { Recaller } from './recall.ts';
import { Session, type SessionContext } from './session.ts';

/** What a master allows its connections, in milliseconds and bytes. */
export interface SessionLimits {
  readonly taskTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly helloTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** For how long a session with leases waits for its worker after the connection was lost; 0 for not at all. */
  readonly resumeWindowMs: number;
  /** How many sessions may wait so at a time, in all and of one address. Absent: any number. */
  readonly maxInterrupted?: number | undefined;
  readonly maxInterruptedPerAddress?: number | undefined;
  /** How many tasks a worker runs at once at most. Absent: any number. */
  readonly maxConcurrency?: number | undefined;
  /** Of messages that nobody asked for, per second. Absent: any. */
  readonly maxMessageRate?: number | undefined;
  /** Who judges whoever says hello. Absent: everybody is let in. */
  readonly authenticate?: Authenticator | undefined;
}

/** The connections of one master, and the sessions on them. */
export class Sessions<T, R> implements SessionContext<T, R>, ConnectionContext {
  readonly scheduler: TaskScheduler<T, R>;
  readonly clock: Clock;
  readonly events: Emitter<MasterEvent<T>>;
  readonly timers: TimerQueue;
  readonly taskTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly helloTimeoutMs: number;
  readonly resumeWindowMs: number;
  readonly secret: () => string;
  readonly maxConcurrency: number;
  readonly maxMessageRate: number;
  readonly authenticate: Authenticator | undefined;
  readonly replayStore = new ReplayStore();
  /** Whose sockets are not closed yet. */
  readonly #connections = new Set<Connection>();
  /** By their ids, in the order in which they began. */
  readonly #sessions = new Map<string, Session<T, R>>();
  readonly #interrupted: Interrupted<Session<T, R>>;
  readonly #crashLoops: CrashLoops;
  readonly #recaller: Recaller<T, R>;
  #isDraining = false;
  #nextId = 1;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(
    scheduler: TaskScheduler<T, R>,
    { clock, secret }: Pick<MasterEnvironment, 'clock' | 'secret'>,
    limits: SessionLimits,
    events: Emitter<MasterEvent<T>>,
  ) {
    this.scheduler = scheduler;
    this.clock = clock;
    this.secret = secret;
    this.events = events;
    this.timers = new TimerQueue(clock);
    this.#crashLoops = new CrashLoops(clock);
    this.taskTimeoutMs = limits.taskTimeoutMs;
    this.socketTimeoutMs = limits.socketTimeoutMs;
    this.maxFrameBytes = limits.maxFrameBytes;
    this.helloTimeoutMs = limits.helloTimeoutMs;
    this.resumeWindowMs = limits.resumeWindowMs;
    const { maxInterrupted = Number.POSITIVE_INFINITY, maxInterruptedPerAddress = Number.POSITIVE_INFINITY } = limits;
    this.#interrupted = new Interrupted({ maxInterrupted, maxInterruptedPerAddress });
    this.maxConcurrency = limits.maxConcurrency ?? Number.POSITIVE_INFINITY;
    this.maxMessageRate = limits.maxMessageRate ?? Number.POSITIVE_INFINITY;
    this.authenticate = limits.authenticate;
    this.#recaller = new Recaller(clock, this.timers);
  }

  /** The connected workers, in the order in which they came. */
  list(): WorkerInfo[] {
    return [...this.#sessions.values()].map((session) => session.info);
  }

  /** Ends a worker's session. Returns whether there was one. */
  end(workerId: string, code: number, reason: string): boolean {
    const session = this.#sessions.get(workerId);
    session?.end(code, reason);
    return session !== undefined;
  }

  /** Takes an open socket; `adopt` connects it to the listener it is given. `guest` is whoever the door let in. */
  accept(adopt: (listener: SocketListener) => Socket, guest?: Guest): void {
    this.#connections.add(new Connection(this, adopt, guest));
  }

  /** No session takes leases any more, nor any that comes. Resolves when nothing runs. */
  async drainAll(): Promise<void> {
    this.#isDraining = true;
    await Promise.all([...this.#sessions.values()].map((session) => session.drain()));
  }

  /** Says goodbye to all, and resolves when every socket is closed. */
  async endAll(code: number, reason: string): Promise<void> {
    for (const connection of [...this.#connections]) connection.end(code, reason);
    // Those that wait for their workers to come back.
    for (const session of [...this.#sessions.values()]) session.end(code, reason);
    this.#isDraining = false;
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  loadChanged(session: Session<T, R>): void {
    this.#recaller.loadChanged(session);
  }

  left(session: Session<T, R>, code: number, reason: string): void {
    session.guest?.ended(code, reason);
    this.#sessions.delete(session.id);
    this.#crashLoops.left(session);
    this.#interrupted.delete(session);
    this.#recaller.left(session);
    if (!this.events.hears('workerDisconnected')) return;
    this.events.emit({ type: 'workerDisconnected', worker: session.info, code, reason });
  }

  interrupted(session: Session<T, R>, code: number, reason: string): void {
    // First, as whoever hears of it may end the session.
    const surplus = this.#interrupted.add(session, session.guest?.network);
    if (this.events.hears('workerInterrupted')) {
      this.events.emit({ type: 'workerInterrupted', worker: session.info, code, reason });
    }
    surplus?.stopWaiting();
  }

  judging({ resume }: WorkerDescription, untilMs: number): void {
    if (resume !== undefined && resume !== true) this.#sessions.get(resume.worker)?.waitUntil(untilMs, resume.secret);
  }

  joined(
    worker: WorkerDescription,
    conversation: ServerConversation,
    connection: Connection,
    identity: Identity | undefined,
  ): void {
    if (this.#resume(worker, connection, identity)) return;
    // Whoever heard that its session could not go on may have stopped the master.
    if (!conversation.isOpen) return;
    const session = new Session(`w${this.#nextId}`, worker, conversation, this, identity, connection.guest);
    this.#nextId += 1;
    this.#sessions.set(session.id, session);
    if (this.#isDraining) void session.drain();
    session.start();
    this.#crashLoops.joined(session);
    if (this.events.hears('workerConnected')) this.events.emit({ type: 'workerConnected', worker: session.info });
  }

  /** Returns whether a session goes on over this connection. */
  #resume({ resume }: WorkerDescription, connection: Connection, identity: Identity | undefined): boolean {
    if (resume === undefined || resume === true) return false;
    const session = this.#sessions.get(resume.worker);
    if (session === undefined || !session.resume(resume, connection, identity)) return false;
    this.#interrupted.delete(session);
    if (this.events.hears('workerResumed')) this.events.emit({ type: 'workerResumed', worker: session.info });
    return true;
  }

  refused(code: number, reason: string, address?: string): void {
    this.events.emit({ type: 'connectionRefused', address, code, reason });
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}
