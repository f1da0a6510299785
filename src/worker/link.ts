// The link to the master: one connection after the other, what comes between them, and the session that outlives them.

import { messageOf, TaskdistError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import type { Logger, WorkerEnvironment } from '../ports.ts';
import { CloseCode, isFinal } from '../protocol/close-codes.ts';
import type { MasterDescription, Prefetch, WorkerDescription } from '../protocol/messages.ts';
import type { TimerQueue } from '../timer-queue.ts';
import { type ClientConversation, Connection } from './connection.ts';
import type { WorkerEvent } from './events.ts';
import type { Lease } from './lease.ts';
import type { Reconnection } from './reconnection.ts';
import type { AddedAttempt } from './run.ts';
import { WorkerSession } from './session.ts';
import type { TokenSource } from './token.ts';

/** What a link needs of its worker. */
export interface LinkContext<T> {
  readonly url: string;
  readonly subprotocol: string;
  readonly connectTimeoutMs: number;
  /** Undefined: a connection that ends is not made again. */
  readonly reconnection: Reconnection | undefined;
  readonly environment: WorkerEnvironment;
  readonly timers: TimerQueue;
  readonly logger: Logger;
  readonly events: Emitter<WorkerEvent<T>>;
  /** What the hello says, when so many slots are occupied for a session that may be over. */
  describe(occupied: number): WorkerDescription;
  /** What goes with it. */
  readonly token: TokenSource | undefined;
  /** For how long what is read now may have lain unread, in milliseconds. */
  heldMs(): number;
  /** Undefined if it was turned down. */
  run(lease: Lease<T>): AddedAttempt | undefined;
  /** The master reads too slowly for more results to be made, or does so no longer. */
  congested(isCongested: boolean): void;
  /** The link will not try again by itself. */
  gaveUp(): void;
}

type LinkState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'connecting'; readonly connection: Connection }
  | { readonly kind: 'connected'; readonly connection: Connection; readonly sinceMs: number }
  /** For the next try. */
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  /** For the page to be shown again. */
  | { readonly kind: 'hidden' };

/** A connection that held for so long was good: the next failure is the first in a row. */
const STABLE_MS = 5000;

/** Settles the promise of `open()`, once. */
interface FirstTry {
  resolve(): void;
  reject(error: TaskdistError): void;
}

/** Connects, and connects again, until it is closed. */
export class Link<T> {
  readonly #context: LinkContext<T>;
  #state: LinkState = { kind: 'closed' };
  /** On the present connection, or lost with the one before, and to be resumed on the next. */
  #session: WorkerSession<T> | undefined = undefined;
  /** The concurrency that the last hello offered. */
  #offered = 0;
  #failures = 0;
  #firstTry: FirstTry | undefined = undefined;
  #unwatchPage: () => void = () => {};
  /** Who waits until what was answered can be told. */
  #onTold: (() => void)[] = [];
  /** Of all connections so far. */
  #socketClosed: Promise<void> = Promise.resolve();

  constructor(context: LinkContext<T>) {
    this.#context = context;
  }

  get state(): LinkState['kind'] {
    return this.#state.kind;
  }

  /** What the master calls this worker, while it is connected. */
  get id(): string | undefined {
    return this.#state.kind === 'connected' ? this.#session?.id : undefined;
  }

  /** Starts to connect. The promise tells how the first try went. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#firstTry = { resolve, reject };
      this.#failures = 0;
      this.#unwatchPage = this.#context.environment.watchPage({
        hidden: () => this.#pageHidden(),
        shown: () => this.#pageShown(),
        online: () => this.#online(),
      });
      this.#connect();
    });
  }

  /** Says goodbye, and connects no more. Resolves when every socket is closed. */
  async close(reason: string): Promise<void> {
    this.#unwatchPage();
    this.#firstTry?.reject(new TaskdistError('TASKDIST_STOPPED', reason));
    this.#firstTry = undefined;
    this.#leave({ kind: 'closed' }, reason);
    await this.#socketClosed;
  }

  /** Tells the master how many tasks this worker wants. */
  changeCredit(concurrency: number, prefetch: Prefetch): void {
    this.#session?.changeCredit(concurrency, prefetch);
  }

  /** Resolves when the master has been sent all results: at once, or when it is reached again, or would not take them any more. */
  async told(): Promise<void> {
    if (this.#session?.hasUntold === true) await new Promise<void>((resolve) => this.#onTold.push(resolve));
  }

  #connect(): void {
    const { url, events } = this.#context;
    const trying: LinkState = { kind: 'waiting', cancel() {} };
    this.#state = trying;
    events.emit({ type: 'connecting', url, tries: this.#failures + 1 });
    // A listener may have stopped the worker.
    if (this.#state !== trying) return;
    try {
      this.#state = { kind: 'connecting', connection: this.#dial() };
    } catch (error) {
      this.#disconnected(CloseCode.abnormal, messageOf(error));
    }
  }

  #dial(): Connection {
    const { url, subprotocol, environment, timers, connectTimeoutMs } = this.#context;
    const connection: Connection = new Connection(url, [subprotocol], environment.connect, {
      clock: environment.clock,
      timers,
      connectTimeoutMs,
      describe: () => this.#describe(),
      token: this.#context.token,
      welcomed: (master, conversation) => this.#welcomed(connection, master, conversation),
      failed: (code, reason) => this.#disconnected(code, reason),
    });
    this.#socketClosed = this.#socketClosed.then(() => connection.socketClosed);
    return connection;
  }

  #describe(): WorkerDescription {
    const worker = this.#context.describe(this.#session?.running ?? 0);
    this.#offered = worker.concurrency;
    return this.#context.reconnection === undefined ? worker : { ...worker, resume: this.#session?.request ?? true };
  }

  #welcomed(connection: Connection, master: MasterDescription, conversation: ClientConversation): void {
    const { url, logger, events, environment } = this.#context;
    const { worker: id, resume } = master;
    const connected: LinkState = { kind: 'connected', connection, sinceMs: environment.clock.now() };
    this.#state = connected;
    const isResumed = resume?.received !== undefined;
    if (!isResumed) this.#begin(master, conversation);
    else if (this.#session?.resume(connection, resume.received) !== true) {
      const reason = 'The session cannot go on here';
      conversation.end(CloseCode.goodbye, reason);
      this.#disconnected(CloseCode.goodbye, reason);
      return;
    }
    this.#tellWaiting();
    // A listener may have stopped the worker: tasks end by it, and go on.
    if (this.#state !== connected) return;
    this.#firstTry?.resolve();
    this.#firstTry = undefined;
    logger.info(`${isResumed ? 'Back' : 'Connected'} to ${url} as ${id}`);
    events.emit({ type: 'connected', url, id, isResumed });
  }

  /** Another session takes the place of the one that could not go on. */
  #begin(master: MasterDescription, conversation: ClientConversation): void {
    this.#endSession('The master has taken back what it granted before the connection was lost');
    // A listener may have stopped the worker.
    if (!conversation.isOpen) return;
    const { environment, timers, events } = this.#context;
    const session: WorkerSession<T> = new WorkerSession(conversation, master, {
      clock: environment.clock,
      timers,
      events,
      heldMs: () => this.#context.heldMs(),
      run: (lease) => this.#context.run(lease),
      congested: (isCongested) => this.#context.congested(isCongested),
      interrupted: (code, reason) => this.#disconnected(code, reason),
      ended: (code, reason) => this.#ended(session, code, reason),
    });
    this.#session = session;
    const { concurrency, prefetch } = this.#context.describe(0);
    if (concurrency !== this.#offered) session.changeCredit(concurrency, prefetch);
  }

  /** A session has ended by itself: with its connection, or as that was lost for too long. */
  #ended(session: WorkerSession<T>, code: number, reason: string): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#tellWaiting();
    if (this.#state.kind === 'connected') this.#disconnected(code, reason);
  }

  #endSession(reason: string): void {
    const session = this.#session;
    this.#session = undefined;
    session?.end(reason);
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    for (const resolve of this.#onTold.splice(0)) resolve();
  }

  #disconnected(code: number, reason: string): void {
    const { url, logger, events } = this.#context;
    logger.info(`Disconnected from ${url}: ${code} ${reason}`);
    this.#firstTry?.reject(
      isFinal(code)
        ? new TaskdistError('TASKDIST_REFUSED', `The master at ${url} refused this worker: ${reason}`)
        : new TaskdistError('TASKDIST_CONNECT', `No connection to the master at ${url}: ${reason || `code ${code}`}`),
    );
    this.#firstTry = undefined;
    // If it was our own doing, the state says already what comes.
    const isOurDoing = this.#state.kind === 'closed' || this.#state.kind === 'hidden';
    const retryDelay = isOurDoing ? undefined : this.#scheduleRetry(code);
    events.emit({ type: 'disconnected', code, reason, retryDelay });
    if (!isOurDoing && retryDelay === undefined) this.#context.gaveUp();
  }

  /** Returns the time until the next try, if there is one. */
  #scheduleRetry(code: number): number | undefined {
    const { reconnection, environment } = this.#context;
    const { clock } = environment;
    if (this.#state.kind === 'connected' && clock.now() - this.#state.sinceMs >= STABLE_MS) this.#failures = 0;
    this.#failures += 1;
    if (reconnection === undefined || isFinal(code)) {
      this.#state = { kind: 'closed' };
      return undefined;
    }
    const delayMs = reconnection.delayMs(this.#failures);
    this.#state = { kind: 'waiting', cancel: clock.setTimer(delayMs, () => this.#connect()) };
    return delayMs;
  }

  /** Ends whatever connection there is or would be. */
  #leave(next: LinkState, reason: string): void {
    const before = this.#state;
    this.#state = next;
    if (before.kind === 'waiting') before.cancel();
    if (before.kind === 'connecting' || before.kind === 'connected') {
      before.connection.end(CloseCode.goodbye, reason);
    }
    this.#endSession(reason);
    if (before.kind === 'connected') this.#disconnected(CloseCode.goodbye, reason);
  }

  #pageHidden(): void {
    if (this.#state.kind !== 'closed') this.#leave({ kind: 'hidden' }, 'The page was left');
  }

  #pageShown(): void {
    if (this.#state.kind === 'hidden') this.#connect();
  }

  #online(): void {
    if (this.#state.kind !== 'waiting') return;
    this.#state.cancel();
    this.#connect();
  }
}
