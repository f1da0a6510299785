// How many wrong results are accepted, and how much is done twice, when one worker in ten lies.
import { afterAll, describe, expect, it } from 'vitest';
import type { Random } from '../../src/ports.ts';
import type { VerifyOptions } from '../../src/scheduling/verify-options.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { TestHolder } from '../support/holders.ts';
import { TestScheduler } from '../support/scheduler.ts';

const WORKERS = 100;
const SABOTEURS = 10;
/** More look closer: `TASKDIST_TASKS=100000` prints the table of docs/guide/check-results-of-strangers.md. */
const TASKS = Number(process.env['TASKDIST_TASKS'] ?? 3000);
/** After so many answers somebody who wants to be trusted first begins to lie. */
const PATIENCE = 20;
/** For as many tasks as the table is of. */
const LONG_MS = 3_600_000;

/** Whether a saboteur lies about a task, of which it has answered so many before. */
type Sabotage = (task: number, answered: number, random: Random) => boolean;

const never: Sabotage = () => false;
const always: Sabotage = () => true;
const atTimes: Sabotage = (_task, _answered, random) => random() < 0.2;
/** All of them about the same tasks. */
const aboutSome: Sabotage = (task) => task % 5 === 0;
const onceTrusted: Sabotage = (_task, answered) => answered >= PATIENCE;

/** What came of a run. */
interface Run {
  /** Wrong results that were accepted, of a million. */
  readonly wrong: number;
  /** How often a task was run. */
  readonly executions: number;
  readonly noQuorum: number;
  readonly deadLetters: number;
  readonly distrusted: number;
}

/** What is not as it mostly is. */
interface Circumstances {
  /** How long it takes at least to work, and to lie; twice that at most. */
  readonly lieMs?: number;
  /** Who would lie fails instead, and so many do. */
  readonly failing?: number;
  /** Whether workers rest when they are told to. */
  readonly rests?: boolean;
}

const WORK_MS = 1000;
/** No session rests for longer. */
const MAX_REST_MS = 60_000;

/** A worker of one slot, which rests when it is told to, as a session makes it. */
class RestingHolder extends TestHolder<number, string> {
  readonly #clock: VirtualClock;
  #untilMs = 0;

  constructor(scheduler: TestScheduler<number, string>, clock: VirtualClock, id: string) {
    super(scheduler, id);
    this.#clock = clock;
  }

  /** By the word of nobody, it has one slot. */
  rest(ms: number): void {
    const nowMs = this.#clock.now();
    this.#untilMs = Math.min(nowMs + MAX_REST_MS, Math.max(nowMs, this.#untilMs) + ms);
  }

  async rested(): Promise<void> {
    const ms = this.#untilMs - this.#clock.now();
    if (ms > 0) await new Promise<void>((resolve) => this.#clock.setTimer(ms, resolve));
  }
}

/** `collude`: all who lie about a task tell the same lie. */
async function run(
  lies: Sabotage,
  collude: boolean,
  quorum: number,
  trust: VerifyOptions['trust'],
  { lieMs = WORK_MS, failing, rests = true }: Circumstances = {},
): Promise<Run> {
  const random = seededRandom(7);
  const clock = new VirtualClock();
  const scheduler = new TestScheduler<number, string>({ verify: { quorum, trust } }, clock, seededRandom(8));
  scheduler.open();
  let executions = 0;
  let wrong = 0;
  let settled = 0;
  const work = async (index: number): Promise<void> => {
    const holder = new RestingHolder(scheduler, clock, `w${index}`);
    for (let answered = 0; ; answered += 1) {
      if (rests) await holder.rested();
      const [lease] = await holder.take();
      if (lease === undefined) return;
      scheduler.started(lease);
      const isLie = index < (failing ?? SABOTEURS) && lies(lease.task, answered, random);
      await new Promise<void>((resolve) => clock.setTimer((isLie ? lieMs : WORK_MS) * (1 + random()), resolve));
      executions += 1;
      if (isLie && failing !== undefined) {
        scheduler.fail(lease, new Error('no'));
        continue;
      }
      const lie = collude ? 'a lie' : `a lie of ${holder.id}`;
      scheduler.complete(lease, isLie ? lie : 'the truth');
    }
  };
  for (let task = 0; task < TASKS; task += 1) {
    const note = (result: unknown): void => {
      settled += 1;
      if (result !== 'the truth') wrong += 1;
    };
    scheduler.put(task).then(note, () => note('the truth'));
  }
  // Not in the order of the tasks, or the same ones would sit side by side for ever.
  for (let index = 0; index < WORKERS; index += 1) void work(index);
  await clock.advanceUntil(() => settled === TASKS, 'all tasks', Number.POSITIVE_INFINITY);
  const { done, noQuorum, deadLetter, distrusted } = scheduler.stats().total;
  expect(done + noQuorum + deadLetter).toBe(TASKS);
  return {
    wrong: (wrong / TASKS) * 1e6,
    executions: executions / TASKS,
    noQuorum,
    deadLetters: deadLetter,
    distrusted,
  };
}

const MODES = [
  { quorum: 2, trust: false },
  { quorum: 2, trust: undefined },
  { quorum: 3, trust: false },
  { quorum: 3, trust: undefined },
] as const;

const kinds = [
  ['nobody lies', never, false],
  ['they lie always', always, false],
  ['they lie about one task in five, at random', atTimes, false],
  [`they lie after ${PATIENCE} right answers`, onceTrusted, false],
  ['they always tell the same lie', always, true],
  ['they tell the same lie about one task in five', aboutSome, true],
  [`they tell the same lie after ${PATIENCE} right answers`, onceTrusted, true],
] as const;

type Kind = (typeof kinds)[number][0];
type Runs = readonly [Run, Run, Run, Run];

const runs = new Map<Kind, Promise<Runs>>();

/** In the order of {@link MODES}. */
function runsOf(kind: Kind): Promise<Runs> {
  const known = runs.get(kind) ?? runAll(kind);
  runs.set(kind, known);
  return known;
}

async function runAll(kind: Kind): Promise<Runs> {
  const [, lies, collude] = kinds.find(([each]) => each === kind) ?? ['', never, false];
  const [two, twoTrusting, three, threeTrusting] = MODES;
  const of = ({ quorum, trust }: (typeof MODES)[number]) => run(lies, collude, quorum, trust);
  return [await of(two), await of(twoTrusting), await of(three), await of(threeTrusting)];
}

/** So many in a row nobody gets right who lies one time in five. */
const LONG_APPRENTICESHIP = 50;
const longApprenticeship = (): Promise<Run> => run(atTimes, false, 2, { after: LONG_APPRENTICESHIP });

afterAll(async () => {
  if (process.env['TASKDIST_TASKS'] === undefined) return;
  const cell = ({ wrong, executions }: Run): string => `${Math.round(wrong)} / ${executions.toFixed(2)}`;
  for (const [kind] of kinds) console.info(`| ${kind} | ${(await runsOf(kind)).map(cell).join(' | ')} |`);
  console.info(`at times, trusted after ${LONG_APPRENTICESHIP}: ${cell(await longApprenticeship())}`);
}, LONG_MS);

/** How likely it is that a quorum of liars has a task before one of honest workers, if all who come are drawn by lot. */
function shareOfLies(quorum: number): number {
  let share = 0;
  // Before the last lie of a quorum, so many truths, in any order.
  for (let truths = 0, orders = 1; truths < quorum; truths += 1) {
    const honest = WORKERS - SABOTEURS;
    share += (orders * drawn(SABOTEURS, quorum) * drawn(honest, truths)) / drawn(WORKERS, quorum + truths);
    orders *= (quorum + truths) / (truths + 1);
  }
  return share;
}

/** In how many ways so many can be drawn, one after the other. */
function drawn(of: number, count: number): number {
  let ways = 1;
  for (let n = 0; n < count; n += 1) ways *= of - n;
  return ways;
}

describe('results that are checked', () => {
  it('are all right, and cost as much as a quorum, if nobody lies', async () => {
    const [two, , three] = await runsOf('nobody lies');
    expect([two, three]).toEqual([
      { wrong: 0, executions: 2, noQuorum: 0, deadLetters: 0, distrusted: 0 },
      { wrong: 0, executions: 3, noQuorum: 0, deadLetters: 0, distrusted: 0 },
    ]);
  });

  it('cost much less if those are trusted who prove right', async () => {
    const [, two, , three] = await runsOf('nobody lies');
    expect([two.wrong, three.wrong]).toEqual([0, 0]);
    expect(two.executions).toBeLessThan(1.5);
    expect(three.executions).toBeLessThan(1.9);
  });

  it.each([
    'they lie always',
    'they lie about one task in five, at random',
    `they lie after ${PATIENCE} right answers`,
  ] as const)('are all right without trust, as each has a lie of its own: %s', async (kind) => {
    const [two, , three] = await runsOf(kind);
    expect([two.wrong, three.wrong]).toEqual([0, 0]);
    expect(two.executions).toBeLessThan(2.3);
    expect(three.executions).toBeLessThan(3.4);
    expect(two.distrusted).toBeGreaterThan(0);
  });

  it('are all right with trust, if liars lie from the beginning: nobody ever trusts them', async () => {
    const [, two, , three] = await runsOf('they lie always');
    expect([two.wrong, three.wrong]).toEqual([0, 0]);
  });

  it('are wrong for a while with trust, if liars are patient: until they are caught, and then never again', async () => {
    const [, two, , three] = await runsOf(`they lie after ${PATIENCE} right answers`);
    for (const { wrong, distrusted } of [two, three]) {
      expect(distrusted).toBeGreaterThanOrEqual(SABOTEURS);
      expect(wrong).toBeGreaterThan(0);
      // About as many for each as it had proved right before, which is less than it had answered.
      expect((wrong / 1e6) * TASKS).toBeLessThan(SABOTEURS * PATIENCE);
    }
  });

  it('are wrong for no longer if liars are quick: nothing of theirs is accepted while they are checked', async () => {
    const { wrong, distrusted } = await run(onceTrusted, false, 2, undefined, { lieMs: WORK_MS / 100 });
    expect(distrusted).toBeGreaterThanOrEqual(SABOTEURS);
    expect(wrong).toBeGreaterThan(0);
    expect((wrong / 1e6) * TASKS).toBeLessThan(SABOTEURS * PATIENCE);
  });

  it('hardly ever come to nothing if liars are quick: each lie costs them as much time as work', async () => {
    for (const lieMs of [1, WORK_MS / 100]) {
      const { wrong, noQuorum, executions } = await run(always, false, 2, false, { lieMs });
      expect(wrong).toBe(0);
      expect(noQuorum).toBeLessThan(TASKS / 40);
      // Most lies cost nobody else anything.
      expect(executions).toBeLessThan(SABOTEURS);
    }
  });

  it('mostly come to nothing if liars are quick and do not rest', async () => {
    const { wrong, noQuorum } = await run(always, false, 2, false, { lieMs: 1, rests: false });
    expect(wrong).toBe(0);
    expect(noQuorum).toBeGreaterThan(TASKS / 2);
  });

  it.each([1, SABOTEURS])('hardly ever come to nothing if %i fail at once', async (failing) => {
    const { deadLetters, executions } = await run(always, false, 2, false, { lieMs: 1, failing });
    expect(deadLetters).toBeLessThan(TASKS / 100);
    expect(executions).toBeLessThan(2.5);
  });

  it('are hardly touched by who fails as slowly as others work', async () => {
    const { deadLetters, executions } = await run(always, false, 2, false, { failing: SABOTEURS });
    expect(deadLetters).toBe(0);
    expect(executions).toBeLessThan(2.3);
  });

  it('are wrong again and again with trust, if liars lie at times; but not if it takes longer to earn', async () => {
    const [, two, , three] = await runsOf('they lie about one task in five, at random');
    const lies = (SABOTEURS / WORKERS) * 0.2 * 1e6;
    for (const { wrong } of [two, three]) {
      expect(wrong).toBeGreaterThan(0);
      expect(wrong).toBeLessThan(lies / 2);
    }
    expect((await longApprenticeship()).wrong).toBe(0);
  });

  it('are wrong where a quorum of liars tells the same lie, as often as they meet', async () => {
    const [two, , three] = await runsOf('they always tell the same lie');
    for (const [{ wrong }, quorum] of [
      [two, 2],
      [three, 3],
    ] as const) {
      // Somewhat less, as results of those who are caught are discarded.
      expect(wrong / 1e6 / shareOfLies(quorum)).toBeGreaterThan(0.2);
      expect(wrong / 1e6 / shareOfLies(quorum)).toBeLessThan(1.3);
    }
  });

  it('are wrong less often with a larger quorum', async () => {
    for (const [kind, , collude] of kinds) {
      if (!collude) continue;
      const [two, , three] = await runsOf(kind);
      expect(three.wrong).toBeLessThan(two.wrong);
    }
  });

  it('hardly ever come to nothing: there are enough who are honest', async () => {
    for (const [kind] of kinds) {
      for (const { noQuorum } of await runsOf(kind)) expect(noQuorum).toBeLessThan(TASKS / 1000 + 1);
    }
  });
});
