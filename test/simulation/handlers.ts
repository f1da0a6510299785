// The handlers of a simulation, which do what a task says and tell the referee what they really do.
import { type Ahead, type AheadHandler, ahead, type HandedAttempt } from '../../src/ahead.ts';
import { TaskRejectedError } from '../../src/errors.ts';
import type { TaskContext, TaskHandler } from '../../src/handler.ts';
import type { Clock } from '../../src/ports.ts';
import { disturb } from './books/desk.ts';
import type { Way } from './plan.ts';
import type { Referee } from './referee.ts';
import type { SimulatedResult, SimulatedTask } from './task.ts';
import type { Execution, Member } from './views.ts';

/** Where a handler runs. */
export interface Place {
  readonly referee: Referee;
  /** There once the worker is. */
  member(): Member;
  readonly isOdd: boolean;
  readonly isFirst: boolean;
  /** Whether it lies about that task. */
  isLying(n: number): boolean;
  /** For how long a task may keep the thread of its worker busy. */
  mostBlockMs(): number;
}

type Handler = TaskHandler<SimulatedTask, SimulatedResult>;

export function createHandler(way: Way, lanes: number, place: Place): Handler {
  return way === 'lanes' ? new Lanes(lanes, place) : { doTask: (task, context) => doTask(task, context, way, place) };
}

function doTask(
  task: SimulatedTask,
  context: TaskContext,
  way: Way,
  place: Place,
): SimulatedResult | Promise<SimulatedResult> {
  const { referee } = place;
  const member = place.member();
  const execution = referee.executionBook.started(member, task.n, context.attempt, context.signal);
  if (execution === undefined) throw new Error('It was not granted');
  if (isRejected(task, place)) {
    referee.executionBook.over(execution);
    context.reject('not this one');
  }
  if (task.durationMs === 0 && task.ending === 'result') {
    referee.executionBook.over(execution);
    if (context.attempt <= task.failures) throw new Error('It fails at once');
    return resultOf(task, execution, place);
  }
  if (way === 'blocking' && task.ending !== 'never') {
    // Nothing of this process runs meanwhile.
    const blockMs = Math.min(task.durationMs, place.mostBlockMs());
    member.worker.stall(blockMs);
    disturb(member, referee.nowMs + blockMs + 1500);
    member.stalledUntilMs = Math.max(member.stalledUntilMs, referee.nowMs + blockMs);
  }
  return behave(task, context, execution, place);
}

/** Does what the task says, on the clock of the worker. */
function behave(
  task: SimulatedTask,
  context: Pick<TaskContext, 'attempt' | 'signal' | 'progress'>,
  execution: Execution,
  place: Place,
): Promise<SimulatedResult> {
  const { referee, member } = place;
  const clock = member().worker.process;
  return new Promise<SimulatedResult>((resolve, reject) => {
    const stopProgress = reportProgress(clock, task, (step) => {
      execution.progressedAtMs = referee.nowMs;
      context.progress(step);
    });
    const end = (settle: () => void): void => {
      stopProgress();
      cancel();
      if (!execution.isOver) referee.executionBook.over(execution);
      settle();
    };
    let cancel = (): void => {};
    if (task.ending !== 'never') {
      cancel = clock.setTimer(task.durationMs, () => {
        if (context.attempt <= task.failures) end(() => reject(new Error('It fails')));
        else end(() => resolve(resultOf(task, execution, place)));
      });
    }
    context.signal.addEventListener('abort', () => {
      if (task.isDeaf) stopProgress();
      else end(() => reject(context.signal.reason));
    });
  });
}

const MOST_PROGRESS = 5;

function reportProgress(clock: Clock, task: SimulatedTask, report: (step: number) => void): () => void {
  if (task.progressMs === 0) return () => {};
  let cancel = (): void => {};
  const wait = (step: number): void => {
    // With `timeoutFrom: 'progress'` it would really never end.
    if (task.ending === 'never' && step === MOST_PROGRESS) return;
    cancel = clock.setTimer(task.progressMs, () => {
      // Before, as it may end the attempt.
      wait(step + 1);
      report(step);
    });
  };
  wait(0);
  return () => cancel();
}

function resultOf(task: SimulatedTask, { number }: Execution, { isLying }: Place): SimulatedResult {
  const result = { n: task.n, execution: number, ...(isLying(task.n) ? { lie: number } : {}) };
  if (task.ending === 'unserialisable') return { ...result, filler: () => {} };
  return task.resultBytes > 0 ? { ...result, filler: new Uint8Array(task.resultBytes) } : result;
}

function isRejected({ rejectedBy }: SimulatedTask, { isOdd, isFirst }: Place): boolean {
  return !isFirst && rejectedBy === (isOdd ? 'odd' : 'even');
}

/** A lane that runs the same task for so long has what waits behind it given back. */
const STALL_MS = 5;
/** How many attempts are handed over for each that runs. */
const ROOM = 4;
/** After so long, a thread whose task does not stop is ended, and replaced. */
const TERMINATE_MS = 100;

/** One attempt in a lane. */
interface Job {
  readonly attempt: HandedAttempt;
  readonly sequence: number;
  readonly controller: AbortController;
  isCalledOff: boolean;
}

/** Takes tasks ahead into several lanes, as a sandbox does into its threads; some overtake others so. */
class Lanes implements AheadHandler<SimulatedTask, SimulatedResult> {
  readonly [ahead]: Ahead;
  readonly #lanes: Job[][];
  readonly #place: Place;
  #handed = 0;

  constructor(count: number, place: Place) {
    this.#place = place;
    this.#lanes = Array.from({ length: count }, () => []);
    this[ahead] = {
      capacity: (concurrency) => concurrency * ROOM,
      hand: (attempt) => this.#hand(attempt),
    };
  }

  doTask(): never {
    throw new Error('It takes tasks ahead');
  }

  get #clock(): Clock {
    return this.#place.member().worker.process;
  }

  #hand(attempt: HandedAttempt): { withdraw(): void; abort(reason: unknown): void } {
    const [lane = []] = [...this.#lanes].sort((a, b) => a.length - b.length);
    this.#handed += 1;
    const job: Job = { attempt, sequence: this.#handed, controller: new AbortController(), isCalledOff: false };
    lane.push(job);
    if (lane.length === 1) this.#startFirst(lane);
    return {
      // The way into a thread, and back, takes a moment, in which it may start after all.
      withdraw: () => void this.#clock.setTimer(1, () => this.#giveBack([job])),
      abort: (reason) => {
        job.isCalledOff = true;
        this.#giveBack([job]);
        job.controller.abort(reason);
      },
    };
  }

  #startFirst(lane: Job[]): void {
    const [job] = lane;
    if (job === undefined) return;
    const { attempt, controller } = job;
    const task = attempt.task as SimulatedTask;
    const startedAtMs = this.#clock.now();
    let isOver = false;
    const end = (tell: () => void): void => {
      if (isOver) return;
      isOver = true;
      lane.shift();
      tell();
      this.#startFirst(lane);
    };
    attempt.started();
    const { referee } = this.#place;
    const execution = referee.executionBook.started(this.#place.member(), task.n, attempt.attempt, controller.signal);
    if (execution === undefined) return;
    const durationMs = (): number => this.#clock.now() - startedAtMs;
    if (isRejected(task, this.#place)) {
      referee.executionBook.over(execution);
      this.#clock.soon(() => end(() => attempt.failed(new TaskRejectedError('not this one'), durationMs())));
      return;
    }
    const context = {
      attempt: attempt.attempt,
      signal: controller.signal,
      progress: (value: unknown) => attempt.progressed(value),
    };
    behave(task, context, execution, this.#place).then(
      (result) => end(() => attempt.done(result, durationMs())),
      (error: unknown) => end(() => attempt.failed(error, durationMs())),
    );
    controller.signal.addEventListener('abort', () => {
      this.#clock.setTimer(TERMINATE_MS, () => {
        if (!execution.isOver) referee.executionBook.over(execution);
        end(() => attempt.failed(controller.signal.reason, durationMs()));
      });
    });
    this.#clock.setTimer(STALL_MS, () => {
      if (lane[0] === job) this.#giveBack(this.#lanes.flatMap(([, ...behind]) => behind));
    });
  }

  /** Of those, what has not started; the youngest first. */
  #giveBack(jobs: readonly Job[]): void {
    for (const job of [...jobs].sort((a, b) => b.sequence - a.sequence)) {
      const lane = this.#lanes.find((each) => each.indexOf(job) > 0);
      if (lane === undefined) continue;
      lane.splice(lane.indexOf(job), 1);
      job.attempt.returned();
    }
  }
}
