// The real scheduler, sessions and workers on virtual time and sockets, with faults drawn from a seed.
import { type DeadLetterError, isTaskdistError } from '../../src/errors.ts';
import { Emitter } from '../../src/events.ts';
import type { TaskContext } from '../../src/handler.ts';
import type { MasterEvent } from '../../src/master/events.ts';
import { Sessions } from '../../src/master/sessions.ts';
import type { Random } from '../../src/ports.ts';
import { Worker } from '../../src/worker/worker.ts';
import { integerBelow, pick, seededRandom } from '../support/random.ts';
import { TestScheduler } from '../support/scheduler.ts';
import { VirtualClock, type VirtualProcess } from '../support/virtual-clock.ts';
import { VirtualNetwork } from '../support/virtual-socket.ts';
import { VirtualPage, virtualEnvironment } from '../support/virtual-worker.ts';

/** A task says itself how it behaves. */
export interface SimulatedTask {
  readonly n: number;
  readonly durationMs: number;
  /** How many attempts fail before one succeeds. */
  readonly failures: number;
  /** Ignores its signal, as a handler may. */
  readonly isDeaf: boolean;
}

/** How a `put` ended. */
export interface Settlement {
  readonly task: SimulatedTask;
  readonly controller: AbortController;
  /** How often its promise settled; must become 1. */
  count: number;
  outcome: 'pending' | 'done' | 'dead' | 'aborted' | 'stopped' | 'wrong';
}

interface Member {
  readonly worker: Worker<SimulatedTask, number>;
  readonly process: VirtualProcess;
  readonly network: VirtualNetwork;
  readonly page: VirtualPage;
}

const limits = { taskTimeoutMs: 5000, socketTimeoutMs: 3000, helloTimeoutMs: 1000, maxFrameBytes: 65_536 };

/** One simulated cluster, entirely determined by its seed. */
export class SimulatedCluster {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly scheduler = new TestScheduler<SimulatedTask, number>({ maxAttempts: 3, maxDeliveries: 1000 }, this.clock);
  readonly members: Member[] = [];
  readonly settlements: Settlement[] = [];
  /** What happened, in order: the same for the same seed. */
  readonly trace: string[] = [];
  readonly #sessions: Sessions<SimulatedTask, number>;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const events = new Emitter<MasterEvent<SimulatedTask>>();
    this.#sessions = new Sessions(this.scheduler, this.clock, limits, events);
    events.on('attemptEnded', ({ worker, key, attempt, outcome }) => {
      this.#note(`${worker.name} ${key}/${attempt} ${outcome}`);
    });
    this.scheduler.open();
    for (let index = 0; index < 2 + integerBelow(this.random, 4); index += 1) this.#addMember(index);
  }

  put(): void {
    const task: SimulatedTask = {
      n: this.settlements.length,
      durationMs: integerBelow(this.random, 10) === 0 ? 20_000 : integerBelow(this.random, 400),
      failures: integerBelow(this.random, 6) === 0 ? integerBelow(this.random, 5) : 0,
      isDeaf: integerBelow(this.random, 4) === 0,
    };
    const settlement: Settlement = { task, controller: new AbortController(), count: 0, outcome: 'pending' };
    this.settlements.push(settlement);
    this.scheduler.put(task, { signal: settlement.controller.signal }).then(
      (result) => this.#settled(settlement, result === task.n * 2 ? 'done' : 'wrong'),
      (error: unknown) => this.#settled(settlement, judge(error, settlement)),
    );
  }

  /** Does one thing that can happen to a cluster. */
  disturb(): void {
    const { network, process, page, worker } = pick(this.random, this.members);
    const link = network.links.at(-1);
    switch (integerBelow(this.random, 10)) {
      case 0:
        this.#note(`reset ${network.links.length}`);
        link?.reset();
        break;
      case 1:
        link?.drop();
        break;
      case 2:
        link?.drop('up');
        break;
      case 3:
        process.stop();
        break;
      case 4:
        process.wake();
        break;
      case 5:
        page.hide();
        break;
      case 6:
        page.show();
        break;
      case 7:
        pick(this.random, this.settlements).controller.abort();
        break;
      case 8:
        worker.setConcurrency(1 + integerBelow(this.random, 3));
        break;
      default:
        if (worker.isPaused) worker.resume();
        else worker.pause();
    }
    this.checkConservation();
  }

  /** From now on nothing goes wrong any more. */
  calm(): void {
    for (const { process, page, worker } of this.members) {
      process.wake();
      page.show();
      worker.resume();
    }
  }

  /** Every unsettled task is queued or leased, and none is both. */
  checkConservation(): void {
    const pending = this.settlements.filter(
      ({ count, controller }) => count === 0 && !controller.signal.aborted,
    ).length;
    const kept = this.scheduler.queued + this.scheduler.leased;
    // A promise tells of its settlement a microtask later than the scheduler.
    if (kept > pending) throw new Error(`${kept} tasks kept, of ${pending} that are unsettled`);
  }

  async stop(): Promise<void> {
    const stopped = [...this.members.map(({ worker }) => worker.stop()), this.#sessions.endAll(1001, 'The end')];
    let isOver = false;
    void Promise.all(stopped).then(() => {
      isOver = true;
    });
    await this.clock.advanceUntil(() => isOver, 'everything to stop');
  }

  #addMember(index: number): void {
    const process = this.clock.createProcess();
    const network = new VirtualNetwork({ latencyMs: 1 + integerBelow(this.random, 80), closeTimeoutMs: 1000 });
    network.listen(this.clock, (adopt) => this.#sessions.accept(adopt));
    const page = new VirtualPage();
    const options = { name: `m${index}`, concurrency: 1 + integerBelow(this.random, 3), grace: 100 };
    const handler = (task: SimulatedTask, context: TaskContext): Promise<number> => run(process, task, context);
    const seed = integerBelow(this.random, 2 ** 30);
    const environment = virtualEnvironment({ clock: process, network, page, seed });
    const worker = new Worker(handler, options, environment);
    this.members.push({ worker, process, network, page });
    void worker.start();
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

function judge(error: unknown, { task, controller }: Settlement): Settlement['outcome'] {
  if (controller.signal.aborted) return 'aborted';
  if (isTaskdistError(error, 'TASKDIST_STOPPED')) return 'stopped';
  if (!isTaskdistError(error, 'TASKDIST_DEAD_LETTER')) return 'wrong';
  const { attempts } = error as DeadLetterError;
  const failed = attempts.filter(({ error: each }) => !isTaskdistError(each, 'TASKDIST_WORKER_LOST'));
  // It had to fail three times: by its own fault, or by running out of time, alone or as its process stood still.
  return failed.length === 3 && (task.failures >= 1 || task.durationMs > 0) ? 'dead' : 'wrong';
}

function run(process: VirtualProcess, task: SimulatedTask, { attempt, signal }: TaskContext): Promise<number> {
  return new Promise((resolve, reject) => {
    const cancel = process.setTimer(task.durationMs, () => {
      if (attempt <= task.failures) reject(new Error('It fails'));
      else resolve(task.n * 2);
    });
    if (task.isDeaf) return;
    signal.addEventListener('abort', () => {
      cancel();
      reject(signal.reason);
    });
  });
}
