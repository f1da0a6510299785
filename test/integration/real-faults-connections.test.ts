// Connections that break, or seem not to, between a worker and its master.
import type { TaskHandler, Worker } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster, gate, nextMasterEvent, nextWorkerEvent } from './cluster.ts';
import { type Direction, type Faults, FaultyProxy } from './faulty-proxy.ts';

/** After so much silence a peer is given up here, where it matters. */
const TIMEOUT_MS = 400;

const reconnect = { base: 20, cap: 50 };

/** A master and, behind a proxy, a worker that has been welcomed, one task at a time. */
async function setUp(
  handler: TaskHandler<number, string>['doTask'],
  options: {
    readonly resumeWindow?: number;
    readonly socketTimeout?: number;
    readonly prefetch?: number | 'auto';
  } = {},
  faults: Faults = {},
) {
  const { resumeWindow = 10_000, socketTimeout = 20_000, prefetch = 1 } = options;
  const cluster = await Cluster.start<number, string>({ resumeWindow, socketTimeout });
  const proxy = await FaultyProxy.start(cluster.master.address?.port ?? 0);
  proxy.faults = faults;
  const told: string[] = [];
  cluster.master.on('workerInterrupted', ({ code }) => told.push(`interrupted ${code}`));
  cluster.master.on('workerResumed', () => told.push('resumed'));
  cluster.master.on('workerDisconnected', ({ code }) => told.push(`disconnected ${code}`));
  const worker = await cluster.join(handler, { url: proxy.url, reconnect, prefetch });
  return { cluster, scheduler: cluster.scheduler, proxy, worker, told };
}

/** Notes how often each task has run, and holds the first until it is let go. */
function holdingFirst() {
  const [started, first] = [gate(), gate()];
  const runs: string[] = [];
  const handler: TaskHandler<number, string>['doTask'] = async (n, { attempt }) => {
    runs.push(`${n}/${attempt}`);
    if (runs.length === 1) {
      started.open();
      await first.promise;
    }
    return `result ${n}`;
  };
  return { handler, runs, started: started.promise, letGo: (): void => first.open() };
}

const codes = (worker: Worker<number, string>): number[] => {
  const seen: number[] = [];
  worker.on('disconnected', ({ code }) => seen.push(code));
  return seen;
};

describe('a connection that is half open', () => {
  it.each<[string, Direction[]]>([
    ['in neither direction', ['toMaster', 'toWorker']],
    ['not to the master', ['toMaster']],
    ['not to the worker', ['toWorker']],
  ])(
    'with bytes that get through %s, is noticed by its silence, and the session goes on over another one',
    async (_what, directions) => {
      const { handler, runs, started, letGo } = holdingFirst();
      const { scheduler, proxy, worker, told } = await setUp(handler, { socketTimeout: TIMEOUT_MS });
      const [disconnected, back] = [nextWorkerEvent(worker, 'disconnected'), nextWorkerEvent(worker, 'connected')];
      const results = [1, 2].map((n) => scheduler.put(n));
      await started;
      proxy.stopForwarding(...directions);
      // As otherwise there may be nothing to come back for.
      await expect.poll(() => told.length).toBeGreaterThan(0);
      letGo();
      expect(await Promise.all(results)).toEqual(['result 1', 'result 2']);
      expect(runs).toEqual(['1/1', '2/1']);
      expect((await back).isResumed).toBe(true);
      // Who hears nothing notices by itself. The other is told, if bytes get through to it, or sees the worker come back.
      if (directions.includes('toWorker')) expect((await disconnected).code).toBe(4410);
      else expect(told[0]).toBe('interrupted 4410');
      expect(told.at(-1)).toBe('resumed');
      expect(told).not.toContainEqual(expect.stringContaining('disconnected'));
    },
  );

  it('is noticed by both sides if there is no other, and its leases are released after the resume window', async () => {
    const { handler, started, letGo } = holdingFirst();
    const { cluster, scheduler, proxy, worker, told } = await setUp(handler, {
      socketTimeout: TIMEOUT_MS,
      resumeWindow: 100,
    });
    const [disconnected, settled] = [nextWorkerEvent(worker, 'disconnected'), nextWorkerEvent(worker, 'taskSettled')];
    const results = [1, 2].map((n) => scheduler.put(n));
    await started;
    proxy.holdBack();
    proxy.stopForwarding('toMaster', 'toWorker');
    await expect.poll(() => told).toEqual(['interrupted 4410', 'disconnected 4410']);
    expect((await disconnected).code).toBe(4410);
    const other = await cluster.join((n, { attempt }) => `${n}/${attempt} elsewhere`);
    expect(await Promise.all(results)).toEqual(['1/2 elsewhere', '2/1 elsewhere']);
    await other.stop();
    // The worker stops by itself what it ran, though nobody can tell it to.
    letGo();
    expect((await settled).outcome).toBe('returned');
    proxy.accept();
    expect(await scheduler.put(3)).toBe('result 3');
  });
});

describe('a connection that is reset', () => {
  it('in mid-task does not cost it a second run within the resume window', async () => {
    const { handler, runs, started, letGo } = holdingFirst();
    const { scheduler, proxy, told } = await setUp(handler);
    const results = [1, 2, 3].map((n) => scheduler.put(n));
    await started;
    proxy.resetAll();
    // The task is over while there is no connection.
    letGo();
    expect(await Promise.all(results)).toEqual(['result 1', 'result 2', 'result 3']);
    expect(runs).toEqual(['1/1', '2/1', '3/1']);
    expect(told).toEqual(['interrupted 1006', 'resumed']);
  });

  it('again and again does not either', async () => {
    const { handler, runs, started, letGo } = holdingFirst();
    const { scheduler, proxy, worker, told } = await setUp(handler);
    const results = [1, 2, 3].map((n) => scheduler.put(n));
    await started;
    for (let resets = 0; resets < 5; resets += 1) {
      const back = nextWorkerEvent(worker, 'connected');
      proxy.resetAll();
      expect((await back).isResumed).toBe(true);
    }
    letGo();
    expect(await Promise.all(results)).toEqual(['result 1', 'result 2', 'result 3']);
    expect(runs).toEqual(['1/1', '2/1', '3/1']);
    expect(told.filter((each) => each === 'resumed')).toHaveLength(5);
  });

  it('in mid-task costs it a second run without a resume window', async () => {
    const { handler, runs, started, letGo } = holdingFirst();
    const { scheduler, proxy, told } = await setUp(handler, { resumeWindow: 0 });
    const results = [1, 2, 3].map((n) => scheduler.put(n));
    await started;
    proxy.resetAll();
    await expect.poll(() => told).toEqual(['disconnected 1006']);
    letGo();
    expect(await Promise.all(results)).toEqual(['result 1', 'result 2', 'result 3']);
    expect(runs).toEqual(['1/1', '1/2', '2/1', '3/1']);
  });

  it('after any number of bytes loses nothing and runs nothing twice', async () => {
    const runs: number[] = [];
    const { scheduler, proxy, worker } = await setUp((n) => {
      runs.push(n);
      return `result ${n}`;
    });
    const disconnections = codes(worker);
    // The handshake has some 250 bytes, the hello more than a hundred: cut in it, right behind it, and in results.
    const tasks = Array.from({ length: 400 }, (_, n) => n);
    let bytes = 1;
    worker.on('connecting', () => {
      proxy.faults = { cutAfterBytes: bytes };
      bytes += 37;
    });
    proxy.resetAll();
    expect(await Promise.all(tasks.map((n) => scheduler.put(n)))).toEqual(tasks.map((n) => `result ${n}`));
    expect(runs.toSorted((a, b) => a - b)).toEqual(tasks);
    expect(disconnections.length).toBeGreaterThan(10);
  });
});

describe('a slow connection', () => {
  it('on which every byte comes alone carries everything', async () => {
    const faults = { isByteByByte: true };
    const { scheduler, told } = await setUp((n) => `result ${n} ${'é'.repeat(50)}`, {}, faults);
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => scheduler.put(n)));
    expect(results).toEqual(Array.from({ length: 50 }, (_, n) => `result ${n} ${'é'.repeat(50)}`));
    expect(told).toEqual([]);
  });

  it('of 200 ms, with jitter, is kept full: many tasks take a few round trips', async () => {
    const latency = { latencyMs: 200, jitterMs: 40 };
    const { scheduler, told } = await setUp((n) => `result ${n}`, { prefetch: 'auto' }, latency);
    const tasks = Array.from({ length: 1000 }, (_, n) => n);
    const startMs = performance.now();
    expect(await Promise.all(tasks.map((n) => scheduler.put(n)))).toEqual(tasks.map((n) => `result ${n}`));
    // One at a time, it would be seven minutes.
    expect(performance.now() - startMs).toBeLessThan(20_000);
    expect(told).toEqual([]);
  });
});

describe('a server that is reached, but accepts late', () => {
  it('is given up by `connectTimeout`, tried again, and joined once', async () => {
    const cluster = await Cluster.start<number, string>();
    const proxy = await FaultyProxy.start(cluster.master.address?.port ?? 0);
    const joined = nextMasterEvent(cluster.master, 'workerConnected');
    proxy.holdBack();
    await expect(
      cluster.join((n) => `result ${n}`, { url: proxy.url, reconnect, connectTimeout: 150 }),
    ).rejects.toMatchObject({ code: 'TASKDIST_CONNECT', message: expect.stringContaining('connectTimeout') });
    // Those that were given up are accepted as well, and nobody is there any more.
    await expect.poll(() => proxy.waiting).toBeGreaterThanOrEqual(2);
    proxy.accept();
    await joined;
    expect(await cluster.scheduler.put(1)).toBe('result 1');
    await expect.poll(() => cluster.master.workers()).toHaveLength(1);
  });
});
