// What a seed draws: how the cluster is built, and which faults befall it, how often.
import type { Random } from '../../src/ports.ts';
import { integerBelow, pick, seededRandom } from '../../src/testing/seeded-random.ts';

/** Everything that can befall a cluster. */
export const FAULTS = [
  'disconnect',
  'half open',
  'half open up',
  'half open down',
  'stall worker',
  'stall master',
  'sleep',
  'crash worker',
  'crash master',
  'restart master',
  'restart worker',
  'stop worker',
  'abort',
  'drain worker',
  'drain master',
  'pause',
  'set concurrency',
  'leave page',
  'background',
  'jam',
  'change line',
] as const;

export type Fault = (typeof FAULTS)[number];

/** How a worker takes its tasks. `blocking`: a task keeps its thread busy. `lanes`: as a sandbox of several threads does. */
export type Way = 'inline' | 'blocking' | 'lanes';

export interface WorkerPlan {
  readonly way: Way;
  readonly concurrency: number;
  readonly prefetch: number | 'auto';
  readonly accepts: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly codec: 'msgpack' | 'json';
  readonly grace: number;
  readonly latency: number;
  readonly jitter: number;
  /** Who stands behind it, where that is asked for. */
  readonly principal?: string;
}

/** How often tasks have what: a share of them, or 0. */
export interface TaskPlan {
  readonly maxDurationMs: number;
  readonly instant: number;
  readonly long: number;
  readonly never: number;
  readonly failing: number;
  readonly rejecting: number;
  readonly deaf: number;
  readonly progress: number;
  readonly unserialisable: number;
  readonly unsendable: number;
  readonly large: number;
  /** Called off while it is being handed out. */
  readonly abortedAtOnce: number;
  readonly priority: number;
  readonly delay: number;
  readonly timeout: number;
  readonly timeoutFromProgress: number;
  readonly deadline: number;
  readonly shared: number;
  readonly speculate: number;
  readonly typed: number;
  readonly requires: number;
}

/** How the results of some tasks are verified. */
export interface VerifyPlan {
  /** Of all tasks. */
  readonly share: number;
  readonly quorum: number;
  readonly maxReplicas: number;
  /** After so many right results a principal is trusted; undefined: nobody is. */
  readonly trustAfter: number | undefined;
  /** How often those who lie do; 0: never. */
  readonly lies: number;
}

export interface Plan {
  readonly seed: number;
  /** What happens besides tasks, each with its weight; those that are not there do not happen. */
  readonly faults: readonly (readonly [fault: Fault, weight: number])[];
  /** How many faults there are for each step, on average. */
  readonly faultRate: number;
  readonly steps: number;
  readonly maxGapMs: number;
  readonly maxPuts: number;
  readonly workers: readonly WorkerPlan[];
  readonly tasks: TaskPlan;
  readonly verify: VerifyPlan | undefined;
  readonly scheduler: {
    readonly maxAttempts: number;
    readonly maxDeliveries: number;
    readonly backoff: { readonly base: number; readonly cap: number };
    readonly maxTasks: number;
  };
  readonly master: { readonly socketTimeout: number; readonly taskTimeout: number; readonly resumeWindow: number };
}

export const TYPES = ['red', 'green', 'blue'] as const;
export const ZONES = ['north', 'south'] as const;

/** One seed in so many has tasks that are verified, so that all others go as they would without. */
const VERIFYING = 10;
/** Enough for each task: a quorum, one who lies, and whose results are discarded, and one to spare. */
const PRINCIPALS = ['amber', 'beryl', 'coral'] as const;
/** The one who lies, if somebody does. */
export const LIAR = PRINCIPALS[1];

/** What {@link drawBase} has drawn, and verification. */
export function drawPlan(seed: number): Plan {
  const plan = drawBase(seed);
  if (seed % VERIFYING !== VERIFYING - 1) return plan;
  // Numbers of its own, as it came later.
  const random = seededRandom(seed + 2_000_000);
  const workers = [...plan.workers];
  while (workers.length < PRINCIPALS.length) workers.push(drawWorker(random, workers.length, 30, false));
  return {
    ...plan,
    // Whoever verifies takes every task: with few principals, each is needed.
    workers: workers.map((worker, index) => ({
      ...worker,
      accepts: undefined,
      principal: PRINCIPALS[index] ?? pick(random, PRINCIPALS),
    })),
    verify: {
      share: pick(random, [0.2, 0.6, 1]),
      quorum: 2,
      maxReplicas: pick(random, [2, 3, 3]),
      trustAfter: pick(random, [undefined, 1, 3, 3]),
      lies: pick(random, [0, 0.15, 0.3, 1]),
    },
  };
}

/** Swarm testing (A. Groce et al., "Swarm testing", 2012): each seed leaves out much, so that what is left comes together. */
function drawBase(seed: number): Plan {
  const random = seededRandom(seed);
  const share = (most: number): number => (random() < 0.5 ? 0 : random() * most);
  // Half of all seeds leave out most faults, and some leave out all.
  const presence = pick(random, [0, 0.15, 0.3, 0.3, 0.6, 1]);
  const faults = FAULTS.flatMap((fault) => (random() < presence ? [[fault, 0.1 + random() ** 3] as const] : []));
  const farAway = pick(random, [5, 5, 30, 100]);
  const isAllPrefetching = random() < 0.15;
  const count = 1 + integerBelow(random, 5);
  return {
    seed,
    faults,
    faultRate: random() < 0.5 ? 0.3 : 1,
    steps: 15 + integerBelow(random, 25),
    maxGapMs: pick(random, [100, 600, 600, 1500]),
    maxPuts: pick(random, [2, 4, 4, 8]),
    workers: Array.from({ length: count }, (_, index) => drawWorker(random, index, farAway, isAllPrefetching)),
    tasks: {
      maxDurationMs: pick(random, [20, 100, 300, 300, 1000]),
      instant: share(0.3),
      long: share(0.15),
      never: share(0.1),
      failing: share(0.4),
      rejecting: share(0.4),
      deaf: share(0.5),
      progress: share(0.5),
      unserialisable: share(0.1),
      unsendable: share(0.1),
      large: share(0.3),
      abortedAtOnce: share(0.2),
      priority: share(0.8),
      delay: share(0.4),
      timeout: share(0.5),
      timeoutFromProgress: share(0.8),
      deadline: share(0.3),
      shared: share(0.4),
      speculate: share(1),
      typed: share(0.8),
      requires: share(0.5),
    },
    verify: undefined,
    scheduler: {
      maxAttempts: 1 + integerBelow(random, 4),
      maxDeliveries: pick(random, [1, 2, 3, 20, 1000]),
      backoff: pick(random, [
        { base: 100, cap: 2000 },
        { base: 400, cap: 1000 },
        { base: 0, cap: 0 },
      ]),
      maxTasks: random() < 0.1 ? 5 + integerBelow(random, 20) : 100_000,
    },
    master: {
      socketTimeout: pick(random, [1000, 2000, 4000]),
      taskTimeout: pick(random, [1000, 3000, 3000, 8000]),
      resumeWindow: pick(random, [0, 0, 500, 2000, 5000]),
    },
  };
}

/** The first one takes every task, so that none waits for ever. */
function drawWorker(random: Random, index: number, farAway: number, isPrefetching: boolean): WorkerPlan {
  const way = pick<Way>(random, ['inline', 'inline', 'inline', 'blocking', 'lanes']);
  const prefetch = isPrefetching
    ? 8 + integerBelow(random, 20)
    : pick<number | 'auto'>(random, ['auto', 'auto', 0, 1, 1 + integerBelow(random, 6)]);
  const isPicky = index > 0 && random() < 0.3;
  return {
    way,
    concurrency: way === 'lanes' ? 2 + integerBelow(random, 3) : 1 + integerBelow(random, 4),
    prefetch,
    accepts: isPicky ? TYPES.filter(() => random() < 0.6) : undefined,
    labels: index === 0 ? { zone: 'all', size: 100 } : { zone: pick(random, ZONES), size: integerBelow(random, 10) },
    codec: random() < 0.2 ? 'json' : 'msgpack',
    grace: pick(random, [0, 50, 200, 500]),
    latency: 1 + integerBelow(random, farAway),
    jitter: random() < 0.5 ? 0 : random() * farAway,
  };
}
