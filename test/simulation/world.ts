// One simulated cluster, entirely determined by its seed: who is in it, what is put, and what befalls them.
import { type DeadLetterError, isTaskdistError } from '../../src/errors.ts';
import type { Random } from '../../src/ports.ts';
import { integerBelow, pick, seededRandom } from '../../src/testing/seeded-random.ts';
import { Simulation } from '../../src/testing/simulation.ts';
import { disturb } from './books/desk.ts';
import { createHandler } from './handlers.ts';
import { drawPlan, type Fault, LIAR, type Plan, type WorkerPlan } from './plan.ts';
import { Referee } from './referee.ts';
import { drawTask, type PutTerms, type SimulatedResult, type SimulatedTask, verified } from './task.ts';
import type { Member, PutView, Reign, TaskView } from './views.ts';

/** What came of a simulation. */
export interface Tally {
  readonly faults: Map<Fault, number>;
  puts: number;
  readonly outcomes: Map<string, number>;
}

export class World {
  readonly plan: Plan;
  readonly simulation: Simulation;
  readonly referee: Referee;
  readonly random: Random;
  readonly tally: Tally = { faults: new Map(), puts: 0, outcomes: new Map() };
  /** Of all reigns. */
  readonly puts: PutView[] = [];
  #reigns = 0;
  #tasks = 0;
  /** Chance of its own, so that everything else is drawn as it would be without. */
  readonly #verifying: Random;
  /** Whether faults happen. */
  isCalm = false;

  constructor(seed: number) {
    this.plan = drawPlan(seed);
    this.random = seededRandom(seed + 1_000_000);
    this.#verifying = seededRandom(seed + 3_000_000);
    this.referee = new Referee(() => this.simulation.clock);
    this.simulation = new Simulation({ seed }, this.referee.wires);
    this.simulation.clock.observer = this.referee;
    this.reign();
    for (const [index, plan] of this.plan.workers.entries()) this.hire(index, plan);
  }

  get clock() {
    return this.simulation.clock;
  }

  /** A scheduler and a master, in the place of those before. */
  reign(): void {
    const { scheduler: terms, master: masterOptions } = this.plan;
    const scheduler = this.simulation.scheduler<SimulatedTask, SimulatedResult>({ ...terms, unmatchedAfter: 1000 });
    const options = {
      ...masterOptions,
      helloTimeout: 1000,
      maxFrameBytes: 65_536,
      listenTimeout: 300,
      // Who somebody is, everybody says himself.
      ...(this.plan.verify === undefined
        ? {}
        : { authenticate: (id: string | undefined) => id !== undefined && { id } }),
    };
    const master = this.simulation.master(scheduler, options);
    this.#reigns += 1;
    const reign: Reign = {
      number: this.#reigns,
      terms,
      taskTimeout: masterOptions.taskTimeout,
      resumeWindow: masterOptions.resumeWindow,
      scheduler,
      master,
      tasks: new Map(),
      unsettled: new Set(),
      accepted: 0,
      outcomes: new Map(),
      state: 'running',
      steadySinceMs: this.clock.now(),
      drainingSinceMs: Number.POSITIVE_INFINITY,
    };
    this.referee.crown(reign);
    this.referee.note(`reign ${reign.number}`);
    this.#listen(reign);
  }

  #listen(reign: Reign): void {
    const { scheduler, master } = reign;
    const { referee } = this;
    scheduler.on('settled', ({ task, outcome }) => referee.taskBook.settled(reign, task.n, outcome));
    scheduler.on('retrying', ({ task, attempt, delay }) => referee.taskBook.retrying(reign, task.n, attempt, delay));
    scheduler.on('speculated', ({ task, worker }) => referee.note(`${worker} speculates on ${task.n}`));
    const underWay = new Set<string>();
    master.on('workerInterrupted', ({ worker }) => referee.sessionBook.interrupted(reign, worker));
    master.on('workerDisconnected', ({ worker }) => referee.sessionBook.left(reign, worker));
    master.on('leaseRecalled', ({ worker, task }) =>
      referee.leaseBook.takenBack(reign, task.n, 0, worker.id, 'recalled'),
    );
    master.on('attemptStarted', ({ worker, key, task }) => {
      referee.leaseBook.startedAtMaster(reign, task.n, worker.id);
      const name = `${worker.id} ${key}`;
      if (underWay.has(name)) referee.violated('a start is told once', `task ${task.n} at ${worker.name}`);
      underWay.add(name);
    });
    master.on('attemptEnded', ({ worker, key, attempt, task, outcome }) => {
      referee.note(`${worker.name} ${task.n}/${attempt} ${outcome}`);
      if (!underWay.delete(`${worker.id} ${key}`)) {
        referee.violated('an end is told once for each start', `task ${task.n} at ${worker.name}`);
      }
      if (outcome === 'timeout') referee.leaseBook.takenBack(reign, task.n, attempt, worker.id, outcome);
      if (outcome === 'lost') referee.taskBook.lost(reign, task.n, attempt, worker.id);
    });
  }

  /** A worker, of whom there may have been one before. */
  hire(index: number, plan: WorkerPlan): void {
    const { referee } = this;
    const name = `m${index}`;
    const place = {
      referee,
      member: (): Member => member,
      isOdd: index % 2 === 1,
      isFirst: index === 0,
      isLying: (n: number) => plan.principal === LIAR && isChosen(n, this.plan.verify?.lies ?? 0),
      // Who blocks for longer than `socketTimeout` is lost each time, which is no calm.
      mostBlockMs: () => (this.isCalm ? this.plan.master.socketTimeout / 4 : Number.POSITIVE_INFINITY),
    };
    const worker = this.simulation.worker<SimulatedTask, SimulatedResult>(
      createHandler(plan.way, plan.concurrency, place),
      {
        name,
        concurrency: plan.concurrency,
        prefetch: plan.prefetch,
        ...(plan.accepts === undefined ? {} : { accepts: plan.accepts }),
        labels: plan.labels,
        codec: plan.codec,
        grace: plan.grace,
        ...(plan.principal === undefined ? {} : { token: plan.principal }),
        connectTimeout: 2000,
        reconnect: { base: 100, cap: 1000 },
      },
      { latency: plan.latency, jitter: plan.jitter },
    );
    const member: Member = {
      name,
      plan,
      worker,
      running: new Set(),
      disturbedUntilMs: this.clock.now() + 1000,
      // One that is hired in its place may stand for the same.
      mayRestUntilMs: referee.members[index]?.mayRestUntilMs ?? 0,
      stalledUntilMs: 0,
      throttledUntilMs: 0,
      isAlive: true,
    };
    referee.members[index] = member;
    referee.note(`${name} is hired`);
  }

  /** Puts a task, in the process of the master. */
  put(): void {
    const { verify } = this.plan;
    const drawn = drawTask(this.random, this.#tasks, this.plan.tasks);
    const isVerified = verify !== undefined && this.#verifying() < verify.share;
    const { task, terms } = isVerified ? verified(drawn, verify) : drawn;
    this.#tasks += 1;
    const { reign } = this.referee;
    reign.master.process.arrive(0, () => this.#put(reign, task, terms));
  }

  #put(reign: Reign, task: SimulatedTask, terms: PutTerms): void {
    const { scheduler, state } = reign;
    const shared =
      terms.idempotencyKey === undefined
        ? undefined
        : [...reign.unsettled].find((each) => each.terms.idempotencyKey === terms.idempotencyKey);
    const isAccepted = state !== 'stopped' && shared === undefined && reign.unsettled.size < reign.terms.maxTasks;
    const controller = new AbortController();
    const progress = new ProgressAudit(this.referee);
    const onProgress = progress.hear;
    const result = scheduler.put(task, { ...terms, onProgress, signal: controller.signal });
    const wasAccepted = scheduler.stats().total.put > reign.accepted;
    // Nobody tells when a master that drains is about to stop.
    if (wasAccepted !== isAccepted && state !== 'draining') {
      this.referee.violated('a put is accepted unless there is a reason', `task ${task.n} of reign ${reign.number}`);
    }
    const view = wasAccepted ? this.#accept(reign, task, terms) : shared;
    const nowMs = this.clock.now();
    const put: PutView = {
      n: this.tally.puts,
      task: state === 'stopped' ? undefined : view,
      controller,
      deadlineAtMs: nowMs + (terms.deadline ?? Number.POSITIVE_INFINITY),
      settled: 0,
      outcome: undefined,
      abortedAtMs: Number.POSITIVE_INFINITY,
    };
    progress.put = put;
    this.tally.puts += 1;
    this.puts.push(put);
    put.task?.puts.push(put);
    this.referee.note(`put ${put.n} of ${put.task?.n ?? 'nothing'}`);
    if (this.random() < this.plan.tasks.abortedAtOnce) this.#abortSoon(put);
    result.then(
      (value) => this.#settled(put, 'done', value),
      (error: unknown) => this.#settled(put, judge(error, put), error),
    );
  }

  #accept(reign: Reign, task: SimulatedTask, terms: PutTerms): TaskView {
    const restsUntilMs = terms.delay === undefined || terms.delay === 0 ? 0 : this.clock.now() + terms.delay;
    const view: TaskView = {
      n: task.n,
      task,
      terms,
      reign,
      puts: [],
      restsUntilMs,
      restsSinceMs: Number.NEGATIVE_INFINITY,
      restsAtMostUntilMs: restsUntilMs,
      live: new Set(),
      failures: 0,
      losses: 0,
      spentAttempt: 0,
      grantedAttempt: 0,
      refusedBy: new Set(),
      heardOf: new Set(),
      result: undefined,
      outcome: undefined,
      settledAtMs: Number.POSITIVE_INFINITY,
      waitingSinceMs: Number.POSITIVE_INFINITY,
      grantedAtMs: Number.NEGATIVE_INFINITY,
    };
    reign.tasks.set(task.n, view);
    reign.unsettled.add(view);
    reign.accepted += 1;
    return view;
  }

  #settled(put: PutView, outcome: string, value: unknown): void {
    this.tally.outcomes.set(outcome, (this.tally.outcomes.get(outcome) ?? 0) + 1);
    const { task } = put;
    const isRefused = task === undefined;
    if (outcome === 'wrong' || (isRefused && outcome !== 'full' && outcome !== 'stopped')) {
      this.referee.violated('a put ends in one of the ways there are', `put ${put.n}: ${String(value)}`);
    }
    this.referee.taskBook.putSettled(put, outcome, value);
  }

  /** Calls one put off. */
  abort(): void {
    const { reign } = this.referee;
    const waiting = [...reign.unsettled].flatMap(({ puts }) => puts.filter(({ settled }) => settled === 0));
    if (waiting.length === 0) return;
    const put = pick(this.random, waiting);
    reign.master.process.arrive(0, () => {
      if (put.settled > 0) return;
      put.abortedAtMs = this.clock.now();
      put.controller.abort(new Error('Called off'));
    });
  }

  /** Calls it off while it is being handed out. */
  #abortSoon(put: PutView): void {
    let microtasks = 1 + this.integerBelow(12);
    const wait = (): void => {
      microtasks -= 1;
      if (microtasks > 0) queueMicrotask(wait);
      else if (put.settled === 0) {
        put.abortedAtMs = this.clock.now();
        put.controller.abort(new Error('Called off'));
      }
    };
    queueMicrotask(wait);
  }

  memberAtRandom(): Member {
    return pick(this.random, this.referee.members);
  }

  /** Nothing of this process runs, and nobody can count on it. */
  stall(member: Member, ms: number): void {
    const untilMs = this.clock.now() + ms;
    member.worker.stall(ms);
    member.stalledUntilMs = Math.max(member.stalledUntilMs, untilMs);
    disturb(member, untilMs + 1500);
  }

  crash(member: Member): void {
    member.worker.crash();
    member.isAlive = false;
    member.running.clear();
    this.referee.sessionBook.abandoned((session) => session.member === member, 'client');
  }

  /** The scheduler is gone with its master, and with both all that was put. */
  crashMaster(): void {
    const { reign } = this.referee;
    reign.state = 'crashed';
    reign.unsettled.clear();
    for (const put of this.puts) if (put.task?.reign === reign) put.settled = Math.max(1, put.settled);
    reign.master.crash();
    this.referee.sessionBook.abandoned((session) => session.reign === reign, 'server');
  }

  /** Which of them are not over. */
  get unsettled(): PutView[] {
    return this.puts.filter(({ settled }) => settled === 0);
  }

  integerBelow(below: number): number {
    return integerBelow(this.random, below);
  }
}

/** What an attempt tells comes in its order, and nothing comes once the put is settled. */
class ProgressAudit {
  put: PutView | undefined = undefined;
  readonly #referee: Referee;
  readonly #last = new Map<string, number>();

  constructor(referee: Referee) {
    this.#referee = referee;
  }

  readonly hear = (value: unknown, { attempt, workerId }: { attempt: number; workerId: string }): void => {
    const name = `attempt ${attempt} at ${workerId}`;
    const step = Number(value);
    const before = this.#last.get(name) ?? -1;
    this.#last.set(name, step);
    const isOver = (this.put?.settled ?? 0) > 0;
    const wrong = isOver ? 'after its end' : step > before || step === 0 ? undefined : `after ${before}`;
    if (wrong !== undefined) this.#referee.violated('progress comes in order', `${step} of ${name}, ${wrong}`);
  };
}

function judge(error: unknown, put: PutView): string {
  if (put.controller.signal.aborted && error === put.controller.signal.reason) return 'aborted';
  if (isTaskdistError(error, 'TASKDIST_STOPPED')) return 'stopped';
  if (isTaskdistError(error, 'TASKDIST_FULL')) return 'full';
  if (isTaskdistError(error, 'TASKDIST_DEADLINE')) return 'expired';
  if (isTaskdistError(error, 'TASKDIST_NO_QUORUM')) return 'noQuorum';
  if (isTaskdistError(error, 'TASKDIST_NOT_SERIALIZABLE') || isTaskdistError(error, 'TASKDIST_TOO_LARGE')) {
    return 'unsendable';
  }
  return isTaskdistError(error, 'TASKDIST_DEAD_LETTER') && isComplete(error) ? 'deadLetter' : 'wrong';
}

/** Whether that task is among such a share of all, which is the same whenever it is asked. */
function isChosen(n: number, share: number): boolean {
  return seededRandom(n)() < share;
}

/** A dead letter tells of attempts. */
function isComplete({ attempts }: DeadLetterError): boolean {
  return attempts.length > 0;
}
