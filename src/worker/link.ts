// The link to the master: one connection after the other, and what comes between them.

import { messageOf, TaskdistError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import type { Logger, WorkerEnvironment } from '../ports.ts';
import { CloseCode, isFinal } from '../protocol/close-codes.ts';
import type { Prefetch, WorkerDescription } from '../protocol/messages.ts';
import type { TimerQueue } from '../timer-queue.ts';
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
  describe(): WorkerDescription;
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

type LinkState<T> =
  | { readonly kind: 'closed' }
  | { readonly kind: 'connecting'; readonly session: WorkerSession<T> }
  | { readonly kind: 'connected'; readonly session: WorkerSession<T>; readonly id: string; readonly sinceMs: number }
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
  #state: LinkState<T> = { kind: 'closed' };
  #failures = 0;
  #firstTry: FirstTry | undefined = undefined;
  #unwatchPage: () => void = () => {};
  /** Of the session that was left last. */
  #socketClosed: Promise<void> = Promise.resolve();

  constructor(context: LinkContext<T>) {
    this.#context = context;
  }

  get state(): LinkState<T>['kind'] {
    return this.#state.kind;
  }

  /** What the master calls this worker, while it is connected. */
  get id(): string | undefined {
    return this.#state.kind === 'connected' ? this.#state.id : undefined;
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

  /** Says goodbye, and connects no more. Resolves when the socket is closed. */
  async close(reason: string): Promise<void> {
    this.#unwatchPage();
    this.#firstTry?.reject(new TaskdistError('TASKDIST_STOPPED', reason));
    this.#firstTry = undefined;
    this.#leave({ kind: 'closed' }, reason);
    await this.#socketClosed;
  }

  /** Tells the master how many tasks this worker wants. */
  changeCredit(concurrency: number, prefetch: Prefetch): void {
    if (this.#state.kind === 'connecting' || this.#state.kind === 'connected') {
      this.#state.session.changeCredit(concurrency, prefetch);
    }
  }

  #connect(): void {
    const { url, events } = this.#context;
    const trying: LinkState<T> = { kind: 'waiting', cancel() {} };
    this.#state = trying;
    events.emit({ type: 'connecting', url, tries: this.#failures + 1 });
    // A listener may have stopped the worker.
    if (this.#state !== trying) return;
    try {
      this.#state = { kind: 'connecting', session: this.#createSession() };
    } catch (error) {
      this.#disconnected(CloseCode.abnormal, messageOf(error));
    }
  }

  #createSession(): WorkerSession<T> {
    const { url, subprotocol, environment, timers, connectTimeoutMs } = this.#context;
    const session: WorkerSession<T> = new WorkerSession(url, [subprotocol], environment.connect, {
      clock: environment.clock,
      timers,
      events: this.#context.events,
      connectTimeoutMs,
      describe: () => this.#context.describe(),
      token: this.#context.token,
      heldMs: () => this.#context.heldMs(),
      welcomed: (id) => this.#welcomed(session, id),
      run: (lease) => this.#context.run(lease),
      congested: (isCongested) => this.#context.congested(isCongested),
      ended: (code, reason) => this.#disconnected(code, reason),
    });
    return session;
  }

  #welcomed(session: WorkerSession<T>, id: string): void {
    const { url, logger, events, environment } = this.#context;
    this.#state = { kind: 'connected', session, id, sinceMs: environment.clock.now() };
    this.#firstTry?.resolve();
    this.#firstTry = undefined;
    logger.info(`Connected to ${url} as ${id}`);
    events.emit({ type: 'connected', url, id });
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
  #leave(next: LinkState<T>, reason: string): void {
    const before = this.#state;
    this.#state = next;
    if (before.kind === 'waiting') before.cancel();
    if (before.kind !== 'connecting' && before.kind !== 'connected') return;
    this.#socketClosed = before.session.socketClosed;
    before.session.end(reason);
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
