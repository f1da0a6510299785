// A worker that the master's program sends away.
import { describe, expect, it } from 'vitest';
import { type SimulatedWorker, Simulation } from '../../../src/testing/index.ts';

/** A worker that is at a task, which may be lost with nobody. */
async function setUp() {
  const simulation = new Simulation({ seed: 1, latency: 5 });
  const scheduler = simulation.scheduler<string, string>({ maxDeliveries: 1, maxAttempts: 1 });
  const master = simulation.master(scheduler);
  const gone: unknown[] = [];
  master.on('workerDisconnected', ({ worker, code, reason }) => gone.push([worker.name, code, reason]));
  const aborted: string[] = [];
  const first: SimulatedWorker<string, string> = simulation.worker<string, string>(
    async (_task, { signal }) => {
      await first.sleep(3_600_000, signal).catch((error: unknown) => {
        aborted.push(String(error));
        throw error;
      });
      return 'by the first';
    },
    { name: 'first' },
  );
  const result = scheduler.put('a');
  await simulation.run(100);
  const second = () => simulation.worker<string, string>(async (_task, { attempt }) => `at attempt ${attempt}`);
  const [{ id } = expect.unreachable('Nobody is connected')] = master.workers();
  return { simulation, master, first, second, id, result, gone, aborted };
}

describe('Master.dismiss', () => {
  it('gives what the worker ran to others, at no cost', async () => {
    const { simulation, master, second, id, result, gone } = await setUp();
    second();
    expect(master.dismiss(id, 'Too slow')).toBe(true);
    expect(await simulation.until(result, { within: 1000 })).toBe('at attempt 1');
    expect(gone).toEqual([['first', 4403, 'Too slow']]);
    await simulation.stop();
  });

  it('stops the worker for good, and what it ran', async () => {
    const { simulation, master, first, id, aborted, result } = await setUp();
    result.catch(() => {});
    const ends: unknown[] = [];
    first.on('disconnected', ({ code, reason, retryDelay }) => ends.push([code, reason, retryDelay]));
    master.dismiss(id);
    await simulation.run(60_000);
    expect(ends).toEqual([[4403, 'Dismissed', undefined]]);
    expect([first.state, master.workers()]).toEqual(['stopped', []]);
    expect(aborted).toEqual([expect.stringContaining('Dismissed')]);
    await simulation.stop();
  });

  it('ends the session of a worker whose connection is lost', async () => {
    const { simulation, master, first, second, id, result } = await setUp();
    second();
    first.disconnect();
    await simulation.run(10);
    expect(master.workers()[0]).toMatchObject({ id, isInterrupted: true });
    expect(master.dismiss(id)).toBe(true);
    expect(await simulation.until(result, { within: 1000 })).toBe('at attempt 1');
    await simulation.stop();
  });

  it('knows no others, and refuses what is no id', async () => {
    const { simulation, master, id, result } = await setUp();
    result.catch(() => {});
    expect([master.dismiss('w7'), master.dismiss(id), master.dismiss(id)]).toEqual([false, true, false]);
    const dismiss = (...what: unknown[]) => Reflect.apply(master.dismiss, master, what);
    expect(() => dismiss(1)).toThrow('Expected `workerId` to be a string of 1 to 256 characters, got 1');
    expect(() => dismiss('w1', 2)).toThrow('Expected `reason` to be a string of 1 to 256 characters, got 2');
    await simulation.stop();
  });
});
