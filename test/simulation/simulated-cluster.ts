// The real scheduler, sessions and workers on virtual time and sockets, with faults drawn from a seed.
import { type DeadLetterError, isTaskdistError } from '../../src/errors.ts';
import { Emitter } from '../../src/events.ts';
import { type MasterEvent, masterEventTypes } from '../../src/master/events.ts';
import { Sessions } from '../../src/master/sessions.ts';
import type { Random } from '../../src/ports.ts';
import type { PutOptions } from '../../src/scheduling/scheduler-options.ts';
import { integerBelow, seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { TestScheduler } from '../support/scheduler.ts';
import { auditConcurrency, auditLeases, auditProgress, checkCredit } from './audits.ts';
import { disturb } from './disturbances.ts';
import { createMember, type Member } from './simulated-member.ts';
import { drawTask, type SimulatedTask } from './simulated-task.ts';

/** How a `put` ended. */
export interface Settlement {
  readonly task: SimulatedTask;
  readonly options: PutOptions;
  readonly controller: AbortController;
  /** How often its promise settled; must become 1. */
  count: number;
  outcome: 'pending' | 'done' | 'dead' | 'aborted' | 'expired' | 'stopped' | 'wrong';
}

const limits = { taskTimeoutMs: 5000, socketTimeoutMs: 3000, helloTimeoutMs: 1000, maxFrameBytes: 65_536 };
const MAX_ATTEMPTS = 3;

/** One simulated cluster, entirely determined by its seed. */
export class SimulatedCluster {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly scheduler: TestScheduler<SimulatedTask, number>;
  readonly members: Member[] = [];
  readonly settlements: Settlement[] = [];
  /** What happened, in order: the same for the same seed. */
  readonly trace: string[] = [];
  readonly #sessions: Sessions<SimulatedTask, number>;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const options = { maxAttempts: MAX_ATTEMPTS, maxDeliveries: 1000, backoff: { base: 100, cap: 2000 } };
    this.scheduler = new TestScheduler(options, this.clock, seededRandom(seed + 1_000_000));
    auditLeases(this.scheduler);
    const events = new Emitter<MasterEvent<SimulatedTask>>(masterEventTypes);
    this.#sessions = new Sessions(this.scheduler, this.clock, limits, events);
    events.on('attemptEnded', ({ worker, key, attempt, outcome }) => {
      this.#note(`${worker.name} ${key}/${attempt} ${outcome}`);
    });
    events.on('leaseRecalled', ({ worker, key }) => this.#note(`${worker.name} ${key} recalled`));
    this.scheduler.on('speculated', ({ key, worker }) => this.#note(`${worker} ${key} speculated`));
    this.scheduler.open();
    for (let index = 0; index < 2 + integerBelow(this.random, 4); index += 1) {
      const member = createMember(index, this.clock, this.random, (adopt) => this.#sessions.accept(adopt));
      auditConcurrency(member.worker);
      this.members.push(member);
    }
  }

  put(): void {
    const { task, options } = drawTask(this.random, this.settlements.length);
    const settlement: Settlement = { task, options, controller: new AbortController(), count: 0, outcome: 'pending' };
    this.settlements.push(settlement);
    const onProgress = auditProgress(() => settlement.count > 0);
    this.scheduler.put(task, { ...options, onProgress, signal: settlement.controller.signal }).then(
      (result) => this.#settled(settlement, result === task.n * 2 ? 'done' : 'wrong'),
      (error: unknown) => this.#settled(settlement, judge(error, settlement)),
    );
  }

  /** Does one thing that can happen to a cluster. */
  disturb(): void {
    this.#note(disturb(this.random, this.members, this.settlements));
    this.check();
  }

  /** From now on nothing goes wrong any more. */
  calm(): void {
    for (const { process, page, worker } of this.members) {
      process.wake();
      page.show();
      worker.resume();
      if (worker.state === 'stopped') void worker.start();
      else if (worker.state === 'draining' || worker.state === 'stopping') {
        void worker.stop().then(() => worker.start());
      }
    }
  }

  /** Every unsettled task is queued, delayed or leased, and none is two of these; nobody holds more than it wants. */
  check(): void {
    const pending = this.settlements.filter(
      ({ count, controller }) => count === 0 && !controller.signal.aborted,
    ).length;
    const { queued, delayed, leased } = this.scheduler;
    // A promise tells of its settlement a microtask later than the scheduler.
    if (queued + delayed + leased > pending) throw new Error(`More tasks kept than the ${pending} that are unsettled`);
    checkCredit(this.#sessions.list(), this.members);
  }

  /** The same, at a moment when all promises have told how they ended. */
  checkAll(): void {
    this.check();
    const pending = this.settlements.filter(({ count }) => count === 0).length;
    const { queued, delayed, leased } = this.scheduler;
    if (queued + delayed + leased !== pending)
      throw new Error(`Fewer tasks kept than the ${pending} that are unsettled`);
  }

  async stop(): Promise<void> {
    const stopped = [...this.members.map(({ worker }) => worker.stop()), this.#sessions.endAll(1001, 'The end')];
    let isOver = false;
    void Promise.all(stopped).then(() => {
      isOver = true;
    });
    await this.clock.advanceUntil(() => isOver, 'everything to stop');
  }

  #settled(settlement: Settlement, outcome: Settlement['outcome']): void {
    settlement.count += 1;
    settlement.outcome = outcome;
    this.#note(`task ${settlement.task.n} ${outcome}`);
  }

  #note(what: string): void {
    this.trace.push(`${this.clock.now()} ${what}`);
  }
}

function judge(error: unknown, { task, options, controller }: Settlement): Settlement['outcome'] {
  if (controller.signal.aborted) return 'aborted';
  if (isTaskdistError(error, 'TASKDIST_STOPPED')) return 'stopped';
  if (isTaskdistError(error, 'TASKDIST_DEADLINE')) return options.deadline !== undefined ? 'expired' : 'wrong';
  if (!isTaskdistError(error, 'TASKDIST_DEAD_LETTER')) return 'wrong';
  const { attempts } = error as DeadLetterError;
  const failed = attempts.filter(({ error: each }) => !isTaskdistError(each, 'TASKDIST_WORKER_LOST'));
  // It had to fail three times, by its own fault or by running out of time, alone or as its process stood still; and once
  // more, if its last attempt had a second one beside it.
  const most = options.speculate === true ? MAX_ATTEMPTS + 1 : MAX_ATTEMPTS;
  const isUsedUp = failed.length >= MAX_ATTEMPTS && failed.length <= most;
  return isUsedUp && (task.failures >= 1 || task.durationMs > 0) ? 'dead' : 'wrong';
}
