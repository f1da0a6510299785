// The life of one simulated cluster: faults among tasks that come and go, then calm, until all is settled and stopped.
import { calm, strike } from './faults.ts';
import type { Violation } from './referee.ts';
import type { PutView } from './views.ts';
import { type Tally, World } from './world.ts';

/** What came of a seed. */
export interface Life {
  readonly seed: number;
  /** The same for the same course of events. */
  readonly hash: string;
  readonly virtualMs: number;
  readonly steps: number;
  readonly messages: number;
  readonly tally: Tally;
  /** What has become of sessions, and of results that are verified, and how often. */
  readonly sessions: ReadonlyMap<string, number>;
}

/** That something did not hold, and all that there is to know of it. */
export class SimulationFailure extends Error {
  readonly seed: number;
  readonly violation: Violation;

  constructor(world: World, violation: Violation, cause: unknown) {
    const { seed } = world.plan;
    const { referee } = world;
    super(
      [
        `Seed ${seed}, step ${referee.steps}, at ${referee.nowMs.toFixed(3)}: ${violation.rule}`,
        `  ${violation.what}`,
        ...referee.trace.tail.map((line) => `    ${line}`),
        `Again: npm run soak -- --from ${seed} --seeds 1`,
      ].join('\n'),
      { cause },
    );
    this.name = 'SimulationFailure';
    this.seed = seed;
    this.violation = violation;
  }
}

/** Handlers that do not listen to their signal go on for so long at most. */
const DEAF_MS = 60_000;

/** @throws SimulationFailure */
export async function live(seed: number): Promise<Life> {
  const world = new World(seed);
  const startedAtMs = world.clock.now();
  try {
    await suffer(world);
    await settle(world);
    await stop(world);
  } catch (error) {
    const violation = world.referee.violation ?? { rule: 'nothing else goes wrong', what: String(error) };
    throw new SimulationFailure(world, violation, error);
  }
  const { steps, wires, trace, counts } = world.referee;
  const virtualMs = world.clock.now() - startedAtMs;
  return { seed, hash: trace.hash, virtualMs, steps, messages: wires.messages, tally: world.tally, sessions: counts };
}

async function suffer(world: World): Promise<void> {
  const { plan, clock } = world;
  for (let step = 0; step < plan.steps; step += 1) {
    for (let count = world.integerBelow(plan.maxPuts + 1); count > 0; count -= 1) world.put();
    if (plan.faults.length > 0 && world.random() < plan.faultRate) strike(world);
    await clock.advance(world.integerBelow(plan.maxGapMs));
  }
}

/** By when all has settled, of what there is when faults stop. */
async function settle(world: World): Promise<void> {
  // What was begun comes to its end: masters and workers that are to start again, processes that stand still.
  await world.clock.advance(12_000);
  calm(world);
  // Each in its process, which may stand still yet.
  await world.clock.advance(
    Math.max(0, ...world.referee.members.map((each) => each.stalledUntilMs - world.clock.now())),
  );
  const boundMs = settlingMs(world, world.unsettled);
  const isSettled = (): boolean => world.unsettled.length === 0;
  await world.clock.advanceUntil(isSettled, `every put to settle: ${world.unsettled.map(({ n }) => n)}`, boundMs);
}

/**
 * How long it can take until all is settled when nothing goes wrong any more. First, whatever was lost is noticed and
 * made good: each side of a half-open connection falls silent (`socketTimeout`), may try to connect in vain once
 * (`connectTimeout`), waits (`reconnect.cap`), and frees its slots (`grace`); twice, as the second may have begun when
 * faults stopped. Then, if one worker did all tasks one after the other, each with all the attempts that it may have:
 * `maxAttempts`, one more beside the last, one for each worker that may reject it, and one for a lease that is recalled.
 * An attempt lasts until its timeout at most, twice if it was overtaken, or its progress starts the time anew, then takes
 * a grace to stop and the way there and back, and is followed by a backoff.
 */
/** As long as a worker rests at most. */
const MAX_REST_MS = 60_000;

function settlingMs({ plan, referee }: World, puts: readonly PutView[]): number {
  const { socketTimeout, taskTimeout } = plan.master;
  const graceMs = Math.max(...plan.workers.map(({ grace }) => grace));
  const wayMs = Math.max(
    ...referee.members.map(({ worker: { network } }) => 2 * (network.latencyMs + network.jitterMs)),
  );
  const recoveryMs = 2 * (2 * socketTimeout + 2000 + 1000 + graceMs + wayMs);
  // Of what is verified, each of those who may be asked has as many.
  const replicas = plan.verify?.maxReplicas ?? 1;
  const attempts = replicas * (plan.scheduler.maxAttempts + 1 + plan.workers.length + 1);
  let workMs = 0;
  for (const { task } of puts) {
    if (task === undefined) continue;
    const { durationMs } = task.task;
    const attemptMs = Math.max(durationMs, 2 * (task.terms.timeout ?? taskTimeout) + 100);
    workMs += attempts * (attemptMs + graceMs + wayMs + plan.scheduler.backoff.cap) + (task.terms.delay ?? 0);
  }
  if (plan.verify === undefined) return recoveryMs + workMs;
  // Whoever fails, or gives what does not count, rests for as long as work takes.
  return recoveryMs + 2 * workMs + MAX_REST_MS;
}

/** Stops all, and sees to it that nothing is left. */
async function stop(world: World): Promise<void> {
  const { simulation, referee, clock } = world;
  const { reign } = referee;
  reign.state = 'stopped';
  reign.drainingSinceMs = clock.now();
  await simulation.stop();
  await clock.advance(DEAF_MS);
  const left = {
    timers: clock.pendingTimers,
    workers: reign.master.workers().length,
    watchers: referee.members.reduce((sum, { worker }) => sum + worker.page.watchers, 0),
    tasks: reign.scheduler.queued + reign.scheduler.delayed + reign.scheduler.leased,
    running: referee.members.flatMap(({ running }) =>
      [...running].filter(({ lease: { task } }) => !(task.task.isDeaf && task.task.ending === 'never')),
    ).length,
    sockets: referee.members.reduce((sum, { worker }) => sum + worker.network.openLinks.length, 0),
  };
  if (Object.values(left).some((count) => count > 0)) {
    referee.violated('nothing is left when all have stopped', JSON.stringify(left));
    throw new Error('Something is left');
  }
}
