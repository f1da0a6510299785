import { FifoScheduler, Master, type MasterEvent, Worker } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cluster, gate, nextMasterEvent, nextWorkerEvent } from './cluster.ts';

/** A worker whose one slot is busy with `a`, while `b` waits there, and `c` in the queue. */
async function busyCluster() {
  const cluster = await Cluster.start<string, string>();
  const { scheduler, master } = cluster;
  const result = gate<string>();
  const signals: AbortSignal[] = [];
  const worker = await cluster.join(
    (_task, context) => {
      signals.push(context.signal);
      return result.promise;
    },
    { prefetch: 1, grace: 100 },
  );
  const started = nextWorkerEvent(worker, 'taskStarted');
  const outcomes = Promise.allSettled(['a', 'b', 'c'].map((task) => scheduler.put(task)));
  await started;
  return { cluster, scheduler, master, worker, finish: result.open, signals, outcomes };
}

const stopped = { status: 'rejected', reason: expect.objectContaining({ code: 'TASKDIST_STOPPED' }) };

describe('a Master that drains', () => {
  it('takes back what waits, lets the rest end, and then stops', async () => {
    const { scheduler, master, worker, finish, outcomes } = await busyCluster();
    const goodbye = nextMasterEvent(master, 'workerDisconnected');
    const drained = master.drain();
    await expect.poll(() => scheduler.queued).toBe(2);
    expect(master.workers()).toMatchObject([{ running: 1, waiting: 0, credit: 0 }]);
    await expect(master.start()).rejects.toMatchObject({
      code: 'TASKDIST_INVALID_STATE',
      message: 'The master is draining already',
    });
    finish('done');
    await drained;
    expect(await outcomes).toEqual([{ status: 'fulfilled', value: 'done' }, stopped, stopped]);
    expect((await goodbye).code).toBe(1001);
    expect(master.address).toBeUndefined();
    await worker.stop();
  });

  it('stops after the grace, whatever still runs', async () => {
    const { master, signals, outcomes } = await busyCluster();
    await master.drain({ grace: 20 });
    expect(await outcomes).toEqual([stopped, stopped, stopped]);
    await expect.poll(() => signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('may be told to twice: both wait', async () => {
    const { master, finish, outcomes } = await busyCluster();
    const both = [master.drain(), master.drain({ grace: 0 })];
    let isOver = false;
    void Promise.race(both).then(() => {
      isOver = true;
    });
    await expect.poll(() => master.workers()[0]?.waiting).toBe(0);
    expect(isOver).toBe(false);
    finish('done');
    await Promise.all(both);
    expect(await outcomes).toEqual([{ status: 'fulfilled', value: 'done' }, stopped, stopped]);
  });

  it('stops at once when it is stopped meanwhile', async () => {
    const { master, outcomes } = await busyCluster();
    const drained = master.drain({ grace: Number.POSITIVE_INFINITY });
    await master.stop();
    await drained;
    expect(await outcomes).toEqual([stopped, stopped, stopped]);
  });

  it('can be started again, and serves then', async () => {
    const { cluster, scheduler, master, worker, finish, outcomes } = await busyCluster();
    finish('done');
    await master.drain();
    await outcomes;
    await worker.stop();
    await master.start();
    await cluster.join((task) => `${task}!`);
    expect(await scheduler.put('again')).toBe('again!');
  });

  it('does nothing when it is stopped', async () => {
    const master = new Master(new FifoScheduler<string, string>(), { port: 0 });
    await master.drain();
    expect(master.address).toBeUndefined();
  });

  it('gives nothing to workers that connect meanwhile', async () => {
    const { cluster, scheduler, master, finish, outcomes } = await busyCluster();
    const drained = master.drain();
    await expect.poll(() => scheduler.queued).toBe(2);
    let given = 0;
    await cluster.join(() => {
      given += 1;
      return 'given';
    });
    expect(master.workers()).toMatchObject([{ running: 1 }, { running: 0, credit: 0 }]);
    finish('done');
    await drained;
    await outcomes;
    expect(given).toBe(0);
  });

  it('leaves a master alone that was stopped and started again, before its scheduler knew of the last result', async () => {
    let tell = (): void => {};
    class LateScheduler extends FifoScheduler<string, string> {
      override release(...parameters: Parameters<FifoScheduler<string, string>['release']>): never {
        super.release(...parameters);
        const late = new Promise<boolean>((resolve) => {
          tell = () => resolve(true);
        });
        return late as never;
      }
    }
    const scheduler = new LateScheduler();
    const master = new Master(scheduler, { port: 0 });
    onTestFinished(() => master.stop());
    await master.start();
    const url = `ws://127.0.0.1:${master.address?.port}/`;
    const worker = new Worker<string, string>(() => new Promise(() => {}), {
      url,
      prefetch: 0,
      grace: 0,
      reconnect: false,
    });
    onTestFinished(() => worker.stop());
    await worker.start();
    const started = new Promise((resolve) => worker.on('taskStarted', resolve));
    const first = expect(scheduler.put('first')).rejects.toMatchObject({ code: 'TASKDIST_STOPPED' });
    await started;
    const drained = master.drain({ grace: Number.POSITIVE_INFINITY });
    // Its task is given back, of which the scheduler says nothing yet.
    await worker.stop();
    await master.stop();
    await first;
    await master.start();
    tell();
    await drained;
    expect(master.address).toBeDefined();
  });

  it('refuses a grace that is none, and goes on', async () => {
    const cluster = await Cluster.start<string, string>();
    await expect(cluster.master.drain({ grace: -1 })).rejects.toMatchObject({ code: 'TASKDIST_INVALID_OPTION' });
    await cluster.join((task) => `${task}!`);
    expect(await cluster.scheduler.put('a')).toBe('a!');
  });
});

describe('a Worker that drains', () => {
  it('gives back what waits, and its master has it done elsewhere', async () => {
    const { cluster, master, worker, finish, outcomes } = await busyCluster();
    const drained = worker.drain();
    await cluster.join((task) => `${task} elsewhere`);
    finish('a here');
    await drained;
    expect(await outcomes).toEqual(
      ['a here', 'b elsewhere', 'c elsewhere'].map((value) => ({ status: 'fulfilled', value })),
    );
    expect(master.workers()).toHaveLength(1);
  });
});

describe('await using', () => {
  it('stops a master and its workers at the end of the block', async () => {
    const scheduler = new FifoScheduler<string, string>();
    const ends: string[] = [];
    {
      await using master = new Master(scheduler, { port: 0 });
      await master.start();
      master.on('workerDisconnected', ({ code }) => ends.push(`worker ${code}`));
      await using worker = new Worker<string, string>((task) => `${task}!`, {
        url: `ws://127.0.0.1:${master.address?.port}/`,
      });
      await worker.start();
      expect(await scheduler.put('a')).toBe('a!');
      worker.on('disconnected', ({ code }) => ends.push(`connection ${code}`));
    }
    // The worker first, which was there last.
    expect(ends.toSorted()).toEqual(['connection 1000', 'worker 1000']);
    await expect(scheduler.put('b')).rejects.toMatchObject({ code: 'TASKDIST_STOPPED' });
  });
});

describe('the events of a Master as a stream', () => {
  it('come in their order, and end when it has stopped', async () => {
    const cluster = await Cluster.start<string, string>();
    const { scheduler, master } = cluster;
    const told: MasterEvent<string>['type'][] = [];
    const read = (async () => {
      for await (const event of master.events()) if (event.type !== 'dropped') told.push(event.type);
    })();
    const worker = await cluster.join((task, context) => {
      context.progress('half');
      return task;
    });
    await scheduler.put('a');
    await worker.stop();
    await master.stop();
    await read;
    expect(told).toEqual(['workerConnected', 'attemptStarted', 'progress', 'attemptEnded', 'workerDisconnected']);
  });
});
