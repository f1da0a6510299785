// What becomes of one worker's leases: counted, told to whoever listens, and then to the scheduler.
import { messageOf, RemoteError, TaskdistError, TaskTimeoutError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import type { Clock } from '../ports.ts';
import { type Answer, MessageType } from '../protocol/messages.ts';
import { RateMeter } from '../rate.ts';
import type { Ended, Lease, TaskScheduler } from '../scheduling/scheduler.ts';
import type { AttemptOutcome, MasterEvent, WorkerInfo } from './events.ts';
import type { Grant } from './grants.ts';

/** Over how long the rate of a worker is averaged. */
const RATE_WINDOW_MS = 10_000;

/** What the reports of all sessions share. */
export interface ReportsContext<T, R> {
  readonly scheduler: TaskScheduler<T, R>;
  readonly clock: Clock;
  readonly events: Emitter<MasterEvent<T>>;
}

/** Whom the reports are about. */
export interface ReportedWorker {
  readonly name: string;
  /** When its session began. */
  readonly sinceMs: number;
  readonly info: WorkerInfo;
  /** The scheduler could not do what it was told. */
  schedulerFailed(error: unknown): void;
}

/** Tells of the leases of one worker. Listeners hear of an attempt's start after the scheduler, of all else before it. */
export class LeaseReports<T, R> {
  readonly #context: ReportsContext<T, R>;
  readonly #worker: ReportedWorker;
  /** There once a task is done. */
  #rate: RateMeter | undefined = undefined;
  /** What the scheduler has been told, and not confirmed yet; there once it was so. */
  #unsettled: Set<Promise<unknown>> | undefined = undefined;
  #done = 0;
  #failed = 0;
  #late = 0;
  #recalled = 0;

  constructor(context: ReportsContext<T, R>, worker: ReportedWorker) {
    this.#context = context;
    this.#worker = worker;
  }

  /** How many tasks it has done. */
  get done(): number {
    return this.#done;
  }

  /** How many there were, and how many per second. */
  get figures(): Pick<WorkerInfo, 'done' | 'failed' | 'late' | 'recalled' | 'rate'> {
    return {
      done: this.#done,
      failed: this.#failed,
      late: this.#late,
      recalled: this.#recalled,
      rate: this.#rate?.perSecond(this.#context.clock.now()) ?? 0,
    };
  }

  /** Resolves when the scheduler has dealt with all that it was told. */
  async settled(): Promise<void> {
    await Promise.all(this.#unsettled ?? []);
  }

  /** It runs. Listeners are told once, though it may turn out that it had not started, and start later. */
  started(grant: Grant<T>): void {
    const { scheduler, events } = this.#context;
    scheduler.started(grant.lease);
    if (grant.isTold) return;
    grant.isTold = true;
    if (!events.hears('attemptStarted')) return;
    const { key, attempt, task } = grant.lease;
    events.emit({ type: 'attemptStarted', worker: this.#worker.info, key, attempt, task });
  }

  /** It had not started after all. */
  turnedBack(grant: Grant<T>): void {
    this.#context.scheduler.turnedBack(grant.lease);
  }

  /** The handler has something to tell. */
  progressed({ lease }: Grant<T>, value: unknown): void {
    const { scheduler, events } = this.#context;
    if (events.hears('progress')) {
      const { key, attempt, task } = lease;
      events.emit({ type: 'progress', worker: this.#worker.info, key, attempt, task, value });
    }
    scheduler.progressed(lease, value);
  }

  /** The worker has answered. */
  answered(grant: Grant<T>, answer: Answer, nowMs: number): void {
    const { scheduler } = this.#context;
    switch (answer[0]) {
      case MessageType.done:
        this.#done += 1;
        this.#rate ??= new RateMeter(RATE_WINDOW_MS, this.#worker.sinceMs);
        this.#rate.count(nowMs);
        this.#tellEnded(grant, 'done');
        // The handler's type promises it; what crosses the wire is as trustworthy as the worker.
        this.#expect(scheduler.complete(grant.lease, answer[2] as R));
        break;
      case MessageType.failed:
        this.#fail(grant, 'failed', new RemoteError(answer[2]));
        break;
      case MessageType.rejected:
        this.#tellEnded(grant, 'rejected');
        this.#expect(scheduler.release(grant.lease, { kind: 'rejected' }));
        break;
      case MessageType.released:
        if (grant.state === 'recalled') this.recalled(grant);
        else this.#return(grant);
        break;
    }
  }

  /** An answer came for what had ended before. */
  late(): void {
    this.#late += 1;
  }

  /** It took too long. */
  timedOut(grant: Grant<T>, timeoutMs: number): void {
    this.#fail(grant, 'timeout', new TaskTimeoutError(timeoutMs, grant.lease.timeoutFrom));
  }

  /** It was taken back for another worker, as it had not started. */
  recalled(grant: Grant<T>): void {
    const { scheduler, events } = this.#context;
    const { lease } = grant;
    this.#recalled += 1;
    if (events.hears('leaseRecalled')) {
      events.emit({ type: 'leaseRecalled', worker: this.#worker.info, key: lease.key, task: lease.task });
    }
    this.#tellEnded(grant, 'returned');
    this.#expect(scheduler.release(lease, { kind: 'recalled' }));
  }

  /** The scheduler has taken it back. */
  revoked(grant: Grant<T>, outcome: AttemptOutcome): void {
    this.#tellEnded(grant, outcome);
  }

  /** Its session is over; `isLoss`: it is lost with it. Throws nothing: there are others to be given back. */
  disconnected(grant: Grant<T>, code: number, reason: string, isLoss: boolean): void {
    try {
      if (isLoss) this.#lose(grant, code, reason);
      else this.#return(grant);
    } catch (error) {
      this.#worker.schedulerFailed(error);
    }
  }

  /** It was taken, and there is no room for it any more. */
  notGranted(lease: Lease<T>): void {
    this.#expect(this.#context.scheduler.release(lease, { kind: 'returned' }));
  }

  /** It cannot be sent to this worker, or to nobody. */
  notSendable(lease: Lease<T>, isForOthers: boolean, error: unknown): void {
    const { scheduler } = this.#context;
    if (isForOthers) this.#expect(scheduler.release(lease, { kind: 'rejected' }));
    else this.#expect(scheduler.discard(lease, error instanceof Error ? error : new Error(messageOf(error))));
  }

  #fail(grant: Grant<T>, outcome: AttemptOutcome, error: Error): void {
    this.#failed += 1;
    this.#tellEnded(grant, outcome);
    this.#expect(this.#context.scheduler.fail(grant.lease, error));
  }

  #return(grant: Grant<T>): void {
    this.#tellEnded(grant, 'returned');
    this.#expect(this.#context.scheduler.release(grant.lease, { kind: 'returned' }));
  }

  #lose(grant: Grant<T>, code: number, reason: string): void {
    this.#tellEnded(grant, 'lost');
    const { name } = this.#worker;
    const error = new TaskdistError('TASKDIST_WORKER_LOST', `The connection to ${name} ended (${code}): ${reason}`);
    this.#expect(this.#context.scheduler.release(grant.lease, { kind: 'lost', error }));
  }

  /** Once for every start that was told. */
  #tellEnded(grant: Grant<T>, outcome: AttemptOutcome): void {
    if (!grant.isTold) return;
    grant.isTold = false;
    const { events, clock } = this.#context;
    if (!events.hears('attemptEnded')) return;
    const { key, attempt, task } = grant.lease;
    const durationMs = grant.startedAtMs === undefined ? 0 : clock.now() - grant.startedAtMs;
    events.emit({ type: 'attemptEnded', worker: this.#worker.info, key, attempt, task, outcome, durationMs });
  }

  /** A scheduler over a store answers later, and may fail. */
  #expect(ended: Ended): void {
    if (typeof ended === 'boolean') return;
    const unsettled = this.#unsettled ?? new Set();
    this.#unsettled = unsettled;
    const settled: Promise<unknown> = ended
      .catch((error: unknown) => this.#worker.schedulerFailed(error))
      .finally(() => unsettled.delete(settled));
    unsettled.add(settled);
  }
}
