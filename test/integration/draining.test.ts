// Stopping well, over real sockets.
import { FifoScheduler, Master, Worker } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster, gate, nextMasterEvent, nextWorkerEvent } from './cluster.ts';

/** A worker that runs one task until the test opens its gate, with one more waiting there and one in the queue. */
async function setUp() {
  const cluster = await Cluster.start<number, string>();
  const { promise, open } = gate();
  const handler = async (task: number): Promise<string> => {
    await promise;
    return `done ${task}`;
  };
  const worker = await cluster.join(handler, { prefetch: 1 });
  const started = nextWorkerEvent(worker, 'taskStarted');
  const outcomes = [1, 2, 3].map((task) =>
    cluster.scheduler.put(task).then(
      (result) => result,
      (error) => error.code,
    ),
  );
  await started;
  return { scheduler: cluster.scheduler, master: cluster.master, url: cluster.url, worker, outcomes, open };
}

describe('Master.drain', () => {
  it('lets what runs end, and rejects what waits when it stops', async () => {
    const { master, worker, outcomes, open } = await setUp();
    const returned = nextWorkerEvent(worker, 'taskSettled');
    const drained = master.drain();
    expect(await returned).toMatchObject({ task: 2, outcome: 'returned' });
    open();
    await drained;
    expect(await Promise.all(outcomes)).toEqual(['done 1', 'TASKDIST_STOPPED', 'TASKDIST_STOPPED']);
    expect(master.address).toBeUndefined();
  });

  it('waits for no longer than its grace', async () => {
    const { master, outcomes } = await setUp();
    await master.drain({ grace: 0 });
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill('TASKDIST_STOPPED'));
  });

  it('is one drain however often it is called, which stop() cuts short', async () => {
    const { master, outcomes } = await setUp();
    const drains = [master.drain(), master.drain({ grace: 1 })];
    await master.stop();
    await Promise.all(drains);
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill('TASKDIST_STOPPED'));
  });

  it('does nothing if the master is stopped, which can start and drain again', async () => {
    const cluster = await Cluster.start<number, string>();
    await cluster.master.stop();
    await cluster.master.drain();
    await cluster.master.start();
    const worker = await cluster.join(async (task) => `done ${task}`);
    expect(await cluster.scheduler.put(7)).toBe('done 7');
    await cluster.master.drain();
    await worker.stop();
  });

  it('gives nothing to workers that come meanwhile', async () => {
    const { scheduler, master, open, url, outcomes } = await setUp();
    const drained = master.drain();
    const connected = nextMasterEvent(master, 'workerConnected');
    const late = new Worker<number, string>(async (task) => `late ${task}`, { url });
    await Promise.all([connected, late.start()]);
    expect([scheduler.stats().running, master.workers().at(-1)?.credit]).toEqual([1, 0]);
    open();
    await drained;
    await late.stop();
    expect(await Promise.all(outcomes)).toEqual(['done 1', 'TASKDIST_STOPPED', 'TASKDIST_STOPPED']);
  });

  it('checks its options', async () => {
    const { master } = await Cluster.start<number, string>();
    await expect(master.drain({ grace: -1 })).rejects.toThrow(
      'Expected `grace` to be a number of milliseconds ≥ 0 or Infinity, got -1',
    );
    await expect(master.drain({ timeout: 1 } as never)).rejects.toThrow('Unknown option `timeout` for drain');
  });
});

describe('Worker.drain', () => {
  it('lets what runs end, gives back what waits, and stops', async () => {
    const { scheduler, master, worker, outcomes, open } = await setUp();
    const drained = worker.drain();
    expect(worker.state).toBe('draining');
    open();
    await drained;
    expect([worker.state, await outcomes[0]]).toEqual(['stopped', 'done 1']);
    expect(scheduler.stats()).toMatchObject({ queued: 2, leased: 0, total: { losses: 0, failures: 0 } });
    await master.stop();
    await Promise.all(outcomes);
  });
});

describe('await using', () => {
  it('stops master and worker at the end of the block', async () => {
    const states: unknown[] = [];
    {
      const scheduler = new FifoScheduler<number, number>();
      await using master = new Master(scheduler, { port: 0 });
      await master.start();
      await using worker = new Worker<number, number>((n) => n * 2, { masterPort: master.address?.port ?? 0 });
      await worker.start();
      worker.on('disconnected', () => states.push(worker.state));
      expect(await scheduler.put(4)).toBe(8);
    }
    expect(states).toEqual(['stopping']);
  });
});
