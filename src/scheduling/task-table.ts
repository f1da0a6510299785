// Every unsettled task, and the ways from one state to another: taken in, delayed, queued, leased, settled.
import { Bag } from '../bag.ts';
import { causeOf, TaskdistError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import type { Clock } from '../ports.ts';
import type { TimerQueue } from '../timer-queue.ts';
import type { Backlog } from './backlog.ts';
import { DelayedTasks } from './delayed-tasks.ts';
import type { SchedulerEvent, TaskOutcome } from './events.ts';
import { HeldTasks } from './held-tasks.ts';
import { type OnOver, Patience, type Tried } from './patience.ts';
import type { LeaseHolder, RevokeReason } from './scheduler.ts';
import { SharedTasks } from './shared-tasks.ts';
import type { Statistics } from './statistics.ts';
import type { TaskTerms } from './task-options.ts';
import { type RecordLease, type Settle, TaskRecord } from './task-record.ts';
import type { Verifier } from './verifier.ts';

/** What the table works with, and who is told what changes. */
export interface TaskTableContext<T, R> {
  readonly clock: Clock;
  readonly timers: TimerQueue;
  /** Where the queued tasks are. */
  readonly backlog: Backlog<T, R>;
  readonly statistics: Statistics;
  readonly events: Emitter<SchedulerEvent<T>>;
  /** Is told of the leases of those tasks that are verified. */
  readonly verifier: Pick<Verifier<T, R>, 'granted' | 'ended' | 'closed'>;
  /** There is something that a holder who waits may be given. */
  serveSoon(): void;
  /** A lease is over, whatever becomes of its task. */
  ended(lease: RecordLease<T, R>): void;
}

/** Knows every task from when it is put until it is settled; each is in exactly one state. */
export class TaskTable<T, R> {
  readonly #context: TaskTableContext<T, R>;
  readonly #maxTasks: number;
  readonly #held: HeldTasks<T, R>;
  readonly #delayed: DelayedTasks<T, R>;
  readonly #leased = new Bag<TaskRecord<T, R>>();
  readonly #patience: Patience<TaskRecord<T, R>>;
  readonly #shared: SharedTasks<T, R>;
  #state: { kind: 'idle' } | { kind: 'open' } | { kind: 'closed'; reason: TaskdistError } = { kind: 'idle' };
  #unstarted = 0;
  #running = 0;
  #nextSequence = 0;
  /** What settles the promise that was made last. */
  #lastSettle: Settle<R> = () => {};
  /** The same for all promises: a closure for each would be one more object that every queued task makes. */
  readonly #keepSettle = (settle: Settle<R>): void => {
    this.#lastSettle = settle;
  };

  constructor(maxTasks: number, context: TaskTableContext<T, R>) {
    this.#maxTasks = maxTasks;
    this.#held = new HeldTasks(maxTasks);
    this.#context = context;
    const { clock, timers } = context;
    this.#delayed = new DelayedTasks(timers, (record, nowMs) => this.#enqueue(record, nowMs));
    const onOver: OnOver<TaskRecord<T, R>> = (record, outcome, reason) => this.reject(record, outcome, reason);
    this.#patience = new Patience(clock, timers, onOver);
    this.#shared = new SharedTasks(clock, timers, onOver);
  }

  /** The tasks that have live leases, and want no more. */
  get leased(): Bag<TaskRecord<T, R>> {
    return this.#leased;
  }

  /** How many tasks wait for their delay or backoff to be over. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** How many tasks wait for room. */
  get held(): number {
    return this.#held.size;
  }

  /** How many live leases have not started. */
  get unstarted(): number {
    return this.#unstarted;
  }

  /** How many live leases have started. */
  get running(): number {
    return this.#running;
  }

  /** @throws TaskdistError if it is open already */
  open(): void {
    if (this.#state.kind === 'open') {
      throw new TaskdistError('TASKDIST_INVALID_STATE', 'A master that runs uses this scheduler already');
    }
    this.#state = { kind: 'open' };
  }

  /** Rejects all tasks, and every later one until it is opened again. Nobody is told that their lease is void. */
  close(reason: TaskdistError): void {
    this.#state = { kind: 'closed', reason };
    // In the order in which they were put.
    const leased = [...this.#leased].sort((a, b) => a.sequence - b.sequence);
    const unsettled = [...leased, ...this.#delayed, ...this.#context.backlog.takeAll(), ...this.#held];
    for (const record of unsettled) {
      // Whoever holds them says goodbye, which ends them there too.
      for (const lease of record.leases) this.end(lease);
      // A listener may have settled it meanwhile, e.g. by a signal.
      if (record.state === 'settled') continue;
      const { failures } = record;
      const stopped =
        failures.length === 0 ? reason : new TaskdistError(reason.code, reason.message, causeOf(failures));
      this.reject(record, 'stopped', stopped);
    }
  }

  /**
   * Adds a task; unless there is one of that idempotency key, for which one more waits then. Throws what the promise is
   * to reject with if it is over before it begins.
   */
  put(task: T, terms: TaskTerms): Promise<R> {
    if (terms.idempotencyKey !== undefined) return this.#share(task, terms, terms.idempotencyKey);
    const spanMs = this.#admit(terms);
    // A task of a map waits until there is room for it.
    if (!terms.isMapped) this.#expectRoom();
    const promise = new Promise<R>(this.#keepSettle);
    const record = this.#accept(task, terms, this.#lastSettle);
    if (terms.isMapped) this.#held.push(record);
    else this.#queue(record);
    this.#patience.begin(record, spanMs);
    if (terms.isMapped) this.#queueHeld();
    return promise;
  }

  /** Leases a task to a holder: a queued one, or one that is leased already, a second time. If it wants more, it is queued still. */
  lease(record: TaskRecord<T, R>, holder: LeaseHolder<T>): RecordLease<T, R> {
    this.#context.backlog.remove(record);
    this.#leased.add(record);
    this.#unstarted += 1;
    const { verify } = record.terms;
    if (verify === undefined) return record.grant(holder);
    this.#context.verifier.granted(record, verify, holder);
    const lease = record.grant(holder);
    if (record.wantsLease) {
      this.#leased.delete(record);
      this.#enqueue(record, record.readySinceMs);
    }
    return lease;
  }

  /** The attempt begins to run. */
  start(lease: RecordLease<T, R>, nowMs: number): void {
    lease.startedAtMs = nowMs;
    this.#unstarted -= 1;
    this.#running += 1;
  }

  /** The attempt had not begun to run after all. */
  turnBack(lease: RecordLease<T, R>): void {
    lease.startedAtMs = undefined;
    this.#running -= 1;
    this.#unstarted += 1;
  }

  /** Ends a lease. The task is to be settled or requeued next. */
  end(lease: RecordLease<T, R>): void {
    const { record } = lease;
    record.end(lease);
    if (record.terms.verify !== undefined) this.#context.verifier.ended(lease);
    if (lease.startedAtMs === undefined) this.#unstarted -= 1;
    else this.#running -= 1;
    this.#context.ended(lease);
  }

  /** An attempt has ended without a result. Rejects the task if that was the last one, and returns whether it was. */
  giveUp(record: TaskRecord<T, R>): boolean {
    const deadLetter = record.isLeased ? undefined : record.deadLetter();
    if (deadLetter !== undefined) this.reject(record, 'deadLetter', deadLetter);
    return deadLetter !== undefined;
  }

  /**
   * An attempt has ended without a result, or with one that does not do: the task waits for the next one. Returns false if
   * it wants none, as another attempt runs yet. `sinceMs`: since when it has been ready, if that is not news.
   */
  requeue(record: TaskRecord<T, R>, sinceMs?: number): boolean {
    const { backlog, clock, serveSoon } = this.#context;
    if (record.wantsLease) {
      if (record.state === 'queued' && record.restsUntilMs <= clock.now()) {
        // It waits for one already, but others may have it now.
        backlog.relocate(record);
        serveSoon();
        return true;
      }
      this.#takeOut(record, record.state);
      this.#queue(record, sinceMs);
      return true;
    }
    if (record.state !== 'leased') {
      this.#takeOut(record, record.state);
      record.state = 'leased';
      this.#leased.add(record);
    }
    // Somebody else may be idle who could run it beside that.
    serveSoon();
    return false;
  }

  resolve(record: TaskRecord<T, R>, result: R, nowMs: number): void {
    this.#context.statistics.rate.count(nowMs);
    this.#settle(record, 'done', undefined);
    record.resolve(result);
  }

  reject(record: TaskRecord<T, R>, outcome: TaskOutcome, reason: unknown): void {
    this.#settle(record, outcome, reason);
    record.reject(reason);
  }

  #share(task: T, terms: TaskTerms, idempotencyKey: string): Promise<R> {
    const spanMs = this.#admit(terms, this.#shared.find(idempotencyKey));
    return this.#shared.join(idempotencyKey, terms, spanMs, (sharedTerms, settle) => {
      this.#expectRoom();
      const record = this.#accept(task, sharedTerms, settle);
      this.#queue(record);
      return record;
    });
  }

  /** How long the wait may last, in milliseconds. Throws what it ends with if it is over before it begins. */
  #admit(terms: TaskTerms, tried?: Tried): number {
    if (this.#state.kind === 'closed') throw this.#state.reason;
    return this.#patience.span(terms, tried);
  }

  #expectRoom(): void {
    if (this.#size < this.#maxTasks) return;
    throw new TaskdistError('TASKDIST_FULL', `There are ${this.#maxTasks} tasks already (\`maxTasks\`)`);
  }

  /** How many tasks there are, but for those that wait for room. */
  get #size(): number {
    return this.#context.backlog.size + this.#delayed.size + this.#leased.size;
  }

  #accept(task: T, terms: TaskTerms, settle: Settle<R>): TaskRecord<T, R> {
    const { clock, statistics } = this.#context;
    const record = new TaskRecord(this.#nextSequence, task, terms, settle);
    const { delayMs } = terms;
    this.#nextSequence += 1;
    statistics.total.put += 1;
    if (delayMs > 0) record.restsUntilMs = clock.now() + delayMs;
    return record;
  }

  /** Queues a task, now or when it has rested. */
  #queue(record: TaskRecord<T, R>, sinceMs?: number): void {
    const nowMs = this.#context.clock.now();
    if (record.restsUntilMs <= nowMs) {
      this.#enqueue(record, sinceMs ?? nowMs);
      return;
    }
    record.state = 'delayed';
    this.#delayed.add(record);
  }

  #enqueue(record: TaskRecord<T, R>, sinceMs: number): void {
    record.state = 'queued';
    record.readySinceMs = sinceMs;
    this.#context.backlog.add(record);
    this.#context.serveSoon();
  }

  /** The task is over, wherever it is. */
  #settle(record: TaskRecord<T, R>, outcome: TaskOutcome, error: unknown): void {
    const { backlog, statistics, events } = this.#context;
    const { state, terms } = record;
    record.state = 'settled';
    this.#takeOut(record, state);
    if (terms.isMapped && state !== 'held') this.#held.left();
    this.#patience.end(record);
    if (terms.verify !== undefined) this.#context.verifier.closed(record);
    if (terms.idempotencyKey !== undefined) this.#shared.close(terms.idempotencyKey);
    if (record.refusedBy.size > 0) backlog.settled(record);
    statistics.total[outcome] += 1;
    // Mostly none is left, as the one that gave the result has ended.
    if (record.isLeased) this.#revokeAll(record, outcome === 'done' ? 'superseded' : 'aborted');
    if (this.#held.size > 0) this.#queueHeld();
    if (!events.hears('settled')) return;
    const { key, task } = record;
    events.emit({ type: 'settled', key, task, outcome, ...(outcome === 'done' ? {} : { error }) });
  }

  #revokeAll({ leases }: TaskRecord<T, R>, reason: RevokeReason): void {
    // All of them end first: who is told of one may come back with another.
    for (const lease of leases) this.end(lease);
    for (const lease of leases) lease.holder.revoke(lease, reason);
  }

  /** Takes a task out of where it was, in that state. */
  #takeOut(record: TaskRecord<T, R>, state: TaskRecord<T, R>['state']): void {
    switch (state) {
      case 'held':
        this.#held.dropped();
        break;
      case 'delayed':
        this.#delayed.remove(record);
        break;
      case 'queued':
        this.#context.backlog.remove(record);
        break;
      case 'leased':
        this.#leased.delete(record);
        break;
      default:
    }
  }

  /** There may be room for tasks that wait for it. */
  #queueHeld(): void {
    if (this.#state.kind === 'closed') return;
    while (this.#size < this.#maxTasks) {
      const record = this.#held.letIn();
      if (record === undefined) return;
      this.#queue(record);
    }
  }
}
