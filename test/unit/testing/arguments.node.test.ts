// What a simulation is asked for is checked before anything happens.
import { describe, expect, it } from 'vitest';
import { type SimulatedWorker, Simulation } from '../../../src/testing/index.ts';
import { MAX_SEED, seededRandom } from '../../../src/testing/seeded-random.ts';

const NO_DURATION = [-1, Number.NaN, Number.POSITIVE_INFINITY, 'x', null, {}];

function setUp() {
  const simulation = new Simulation();
  const scheduler = simulation.scheduler<number, number>();
  const master = simulation.master(scheduler);
  const worker: SimulatedWorker<number, number> = simulation.worker<number, number>(async (task) => {
    await worker.sleep(100);
    return task;
  });
  return { simulation, scheduler, master, worker };
}

/** As a program does that is not checked by a compiler. */
function call(target: object, method: string, ...values: unknown[]): unknown {
  return Reflect.apply(Reflect.get(target, method), target, values);
}

const expected = (name: string) =>
  expect.objectContaining({
    code: 'TASKDIST_INVALID_OPTION',
    message: expect.stringContaining(`Expected \`${name}\` to be a number of milliseconds ≥ 0, got `),
  });

describe.each(NO_DURATION.map((value) => ({ value })))('a duration of $value', ({ value }) => {
  it('does not go by', async () => {
    const { simulation, scheduler } = setUp();
    const { clock } = simulation;
    const startedAt = clock.now();
    await expect(call(simulation, 'run', value)).rejects.toEqual(expected('ms'));
    await expect(call(simulation, 'until', Promise.resolve(), { within: value })).rejects.toEqual(expected('within'));
    await expect(call(clock, 'advance', value)).rejects.toEqual(expected('durationMs'));
    expect(() => call(clock, 'jump', value)).toThrow(expected('durationMs'));
    expect(clock.now()).toBe(startedAt);
    expect(await simulation.until(scheduler.put(1))).toBe(1);
  });

  it('is not waited for', async () => {
    const { simulation, worker } = setUp();
    const { pendingTimers } = simulation.clock;
    await expect(call(simulation, 'sleep', value)).rejects.toEqual(expected('ms'));
    await expect(call(worker, 'sleep', value)).rejects.toEqual(expected('ms'));
    for (const clock of [simulation.clock, worker.process]) {
      expect(() => call(clock, 'setTimer', value, () => {})).toThrow(expected('delayMs'));
      expect(() => call(clock, 'at', value, () => {})).toThrow(expected('atMs'));
    }
    expect(simulation.clock.pendingTimers).toBe(pendingTimers);
  });

  it('stalls nobody', async () => {
    const { simulation, scheduler, master, worker } = setUp();
    for (const each of [master, worker]) {
      expect(() => call(each, 'stall', value)).toThrow(expected('ms'));
      expect(() => call(each.process, 'stall', value)).toThrow(expected('durationMs'));
      expect(each.process.isRunning).toBe(true);
    }
    expect(await simulation.until(scheduler.put(1), { within: 1000 })).toBe(1);
  });
});

describe('what is waited for', () => {
  it.each([[undefined], [() => Promise.resolve()], [7]])('is a promise, not %s', async (value) => {
    await expect(call(new Simulation(), 'until', value)).rejects.toThrow('Expected `promise` to be a promise, got ');
  });

  it('has no options that do not exist', async () => {
    const simulation = new Simulation();
    const until = (options: unknown) => call(simulation, 'until', Promise.resolve(), options);
    await expect(until({ withn: 5 })).rejects.toThrow('Unknown option `withn` for until; the options are within');
    await expect(until(null)).rejects.toThrow('Expected `options` to be an object, got null');
    expect(await until({ within: undefined })).toBeUndefined();
    expect(await until({ within: 0 })).toBeUndefined();
  });

  it('may be waited for as long as there is anything to come', async () => {
    const { clock } = new Simulation();
    const limit = Number.POSITIVE_INFINITY;
    let isOver = false;
    clock.setTimer(1e9, () => {
      isOver = true;
    });
    await clock.advanceUntil(() => isOver, 'it is over', limit);
    await expect(clock.advanceUntil(() => false, 'it is night', limit)).rejects.toThrow('it is night');
    expect(Number.isFinite(clock.now())).toBe(true);
    for (const value of [-1, Number.NaN, 'x', null]) {
      await expect(call(clock, 'advanceUntil', () => true, 'nothing', value)).rejects.toThrow('`limitMs`');
    }
  });

  it('is called off by an AbortSignal', async () => {
    const { simulation, worker } = setUp();
    for (const each of [simulation, worker]) {
      await expect(call(each, 'sleep', 1, 'x')).rejects.toThrow('Expected `signal` to be an AbortSignal, got "x"');
    }
  });
});

describe('a simulation', () => {
  it.each([-1, 1.5, 2 ** 27, Number.NaN, '1'])('has no seed %s', (seed) => {
    expect(() => Reflect.construct(Simulation, [{ seed }])).toThrow(
      '`seed` to be an integer from 0 to 134217727, got ',
    );
  });

  it('has no two seeds with the same numbers', () => {
    // The closest two.
    const distance = 244_002_641;
    expect(seededRandom(1 + distance)()).toBe(seededRandom(1)());
    expect(MAX_SEED).toBeLessThan(distance);
    const seeds = [0, 1, 2, 3, 2 ** 16, 2 ** 26, MAX_SEED - 1, MAX_SEED];
    expect(new Set(seeds.map((seed) => new Simulation({ seed }).random())).size).toBe(seeds.length);
  });

  it('says at once that it has no server', async () => {
    const simulation = new Simulation();
    const server = { on() {}, off() {}, listenerCount: () => 0 };
    expect(() => call(simulation, 'master', simulation.scheduler(), { server })).toThrow(
      'Expected `server` to be absent in a simulation, got an object',
    );
    expect(() => call(simulation, 'master', simulation.scheduler(), null)).toThrow(
      'Expected `options` to be an object',
    );
    await simulation.run(1000);
    await simulation.stop();
  });

  it('has no connection half open in a direction that there is not', async () => {
    const { simulation, scheduler, worker } = setUp();
    await simulation.run(100);
    for (const direction of ['upp', null, 1]) {
      expect(() => call(worker, 'halfOpen', direction)).toThrow(
        "Expected `direction` to be 'up', 'down' or 'both', got ",
      );
    }
    expect(await simulation.until(scheduler.put(1), { within: 1000 })).toBe(1);
  });
});
