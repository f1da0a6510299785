import { describe, expect, it } from 'vitest';
import { Simulation, type SimulationOptions } from '../../../src/testing/index.ts';

/** A cluster in which each task takes a second. */
function setUp(options: SimulationOptions = {}) {
  const simulation = new Simulation(options);
  const scheduler = simulation.scheduler<number, number>({ backoff: { base: 1000 } });
  const master = simulation.master(scheduler);
  const worker = simulation.worker<number, number>(async (task, { signal }) => {
    await worker.sleep(1000, signal);
    return task * 2;
  });
  return { simulation, scheduler, master, worker };
}

describe('Simulation', () => {
  it('runs tasks on virtual time, which takes next to none', async () => {
    const { simulation, scheduler } = setUp({ latency: 10 });
    const startedAt = simulation.clock.now();
    const puts = Array.from({ length: 3600 }, (_, task) => scheduler.put(task));
    expect(await simulation.until(Promise.all(puts), { within: 4_000_000 })).toEqual(puts.map((_, task) => task * 2));
    const seconds = (simulation.clock.now() - startedAt) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(3600);
    expect(seconds).toBeLessThan(3601);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const { simulation, scheduler, master, worker } = setUp();
    const put = scheduler.put(1);
    put.catch(() => {});
    await simulation.run(500);
    await simulation.stop();
    await expect(put).rejects.toMatchObject({ code: 'TASKDIST_STOPPED' });
    expect([simulation.clock.pendingTimers, worker.page.watchers, worker.state, master.workers()]).toEqual([
      0,
      0,
      'stopped',
      [],
    ]);
  });

  it('starts a master again after it was stopped or drained', async () => {
    const { simulation, scheduler, master } = setUp();
    const last = scheduler.put(1);
    await simulation.run(500);
    const drained = master.drain();
    expect(await simulation.until(last)).toBe(2);
    await simulation.until(drained);
    await simulation.until(master.start());
    expect(await simulation.until(scheduler.put(2))).toBe(4);
    await simulation.until(master.stop());
    await simulation.until(master.start());
    expect(await simulation.until(scheduler.put(3))).toBe(6);
  });

  it('gives a promise up that does not settle', async () => {
    const { simulation, scheduler } = setUp();
    await expect(simulation.until(scheduler.put(1), { within: 100 })).rejects.toThrow('Not within 100 ms');
    await expect(new Simulation().until(new Promise(() => {}))).rejects.toThrow('the promise settles');
  });

  it('goes the same way again with the same seed, and another way with another one', async () => {
    const course = async (seed: number): Promise<number[]> => {
      const { simulation, scheduler, worker } = setUp({ seed, latency: 20, jitter: 80 });
      const times: number[] = [];
      worker.on('taskSettled', () => times.push(simulation.clock.now()));
      for (let task = 0; task < 20; task += 1) await simulation.until(scheduler.put(task));
      return [...times, simulation.random()];
    };
    const [first, second, other] = [await course(1), await course(1), await course(2)];
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('refuses options that it does not have', () => {
    expect(() => new Simulation({ latency: -1 })).toThrow('latency');
    expect(() => new Simulation({ speed: 2 } as never)).toThrow('speed');
    const { simulation } = setUp();
    expect(() => simulation.worker(() => null, {}, { jitter: Number.NaN })).toThrow('jitter');
    expect(() => new Simulation().scheduler({ maxAttempts: 0 })).toThrow('maxAttempts');
  });
});

describe('a simulated worker', () => {
  it('loses its task when it crashes, and another one does it', async () => {
    const { simulation, scheduler, worker } = setUp();
    const put = scheduler.put(1);
    await simulation.run(500);
    worker.crash();
    await simulation.run(100);
    // It may come back yet.
    expect([worker.isAlive, scheduler.stats().total.losses, scheduler.queued]).toEqual([false, 0, 0]);
    await simulation.run(5000);
    expect([scheduler.stats().total.losses, scheduler.queued]).toEqual([1, 1]);
    simulation.worker<number, number>((task) => task * 2);
    expect(await simulation.until(put)).toBe(2);
    await simulation.stop();
    expect(simulation.clock.pendingTimers).toBe(0);
  });

  it('connects again when its connection breaks', async () => {
    const { simulation, scheduler, master, worker } = setUp();
    await simulation.run(100);
    worker.disconnect();
    await simulation.run(1);
    expect(master.workers()).toEqual([]);
    expect(await simulation.until(scheduler.put(1))).toBe(2);
  });

  it('is given up when its connection is half open, in either direction', async () => {
    for (const direction of ['up', 'down', 'both'] as const) {
      const { simulation, scheduler, worker } = setUp();
      const put = scheduler.put(1);
      await simulation.run(500);
      worker.halfOpen(direction);
      await simulation.run(25_000);
      // The answer gets through one way.
      expect(scheduler.leased).toBe(direction === 'down' ? 0 : 1);
      expect(await simulation.until(put)).toBe(2);
    }
  });

  it('answers late when it stands still', async () => {
    const { simulation, scheduler, worker } = setUp();
    const put = scheduler.put(1);
    await simulation.run(500);
    worker.stall(5000);
    const startedAt = simulation.clock.now();
    expect(await simulation.until(put)).toBe(2);
    expect(simulation.clock.now() - startedAt).toBeGreaterThanOrEqual(5000);
  });

  it('says goodbye when its page is left, and comes back with it', async () => {
    const { simulation, scheduler, master, worker } = setUp();
    await simulation.run(100);
    worker.leave();
    await simulation.run(100);
    expect(master.workers()).toEqual([]);
    const put = scheduler.put(1);
    await simulation.run(60_000);
    expect(scheduler.queued).toBe(1);
    worker.comeBack();
    expect(await simulation.until(put)).toBe(2);
  });
});

describe('a simulated master', () => {
  it('takes its tasks with it when it crashes, and another one has its port', async () => {
    const { simulation, scheduler, master } = setUp();
    void scheduler.put(1).catch(() => {});
    await simulation.run(500);
    master.crash();
    const next = simulation.scheduler<number, number>();
    simulation.master(next);
    expect(await simulation.until(next.put(2))).toBe(4);
    expect(scheduler.leased).toBe(1);
  });

  it('does not take a port that another one has', async () => {
    const { simulation } = setUp();
    await simulation.run(10);
    const second = simulation.master(simulation.scheduler(), { listenTimeout: 100 });
    const errors: string[] = [];
    second.on('error', ({ error }) => errors.push(error.code));
    await simulation.run(250);
    expect(errors).toEqual(['TASKDIST_LISTEN', 'TASKDIST_LISTEN', 'TASKDIST_LISTEN']);
    const third = simulation.master(simulation.scheduler(), { port: 0 });
    await simulation.run(1);
    expect(third.address).toEqual({ host: '127.0.0.1', port: 49_152 });
    await simulation.stop();
  });

  it('keeps its workers when it stands still for a while', async () => {
    const { simulation, scheduler, master } = setUp();
    await simulation.run(100);
    master.stall(60_000);
    await simulation.run(60_200);
    expect(master.workers().length).toBe(1);
    expect(await simulation.until(scheduler.put(1))).toBe(2);
  });
});

describe('a sleep', () => {
  it('ends with the signal', async () => {
    const simulation = new Simulation();
    const controller = new AbortController();
    const slept = simulation.sleep(1000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(simulation.until(slept)).rejects.toThrow('enough');
    await expect(simulation.until(simulation.sleep(1, controller.signal))).rejects.toThrow('enough');
    expect(simulation.clock.pendingTimers).toBe(0);
  });
});
