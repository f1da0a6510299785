// Processes that are killed, stand still, or compute for too long in the thread that reads.
import { once } from 'node:events';
import { type TaskFunction, Worker } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Child } from './child.ts';
import { Cluster, nextMasterEvent, nextWorkerEvent, RawClient } from './cluster.ts';

interface Task {
  readonly type: 'value' | 'wait' | 'block' | 'hang';
  readonly n: number;
  readonly ms?: number;
}

/** After so much silence a peer is given up here. */
const TIMEOUT_MS = 700;
/** Where nobody is to be given up, on a busy machine neither. */
const PATIENT_MS = 3000;
/** Shorter than that, but longer than a ping's interval. */
const SHORT_MS = 1100;
const LONG_MS = 1300;

const soon = { base: 20, cap: 50 };

/** What a master here has said of its workers, in its order. */
function reports(cluster: Cluster<Task, unknown>): string[] {
  const told: string[] = [];
  cluster.master.on('workerInterrupted', ({ code }) => told.push(`interrupted ${code}`));
  cluster.master.on('workerResumed', () => told.push('resumed'));
  cluster.master.on('workerDisconnected', ({ code }) => told.push(`disconnected ${code}`));
  return told;
}

/** A master here, and a worker in another process that has been welcomed. */
async function withWorkerProcess(resumeWindow: number, socketTimeout = TIMEOUT_MS) {
  const cluster = await Cluster.start<Task, unknown>({ socketTimeout, resumeWindow });
  const connected = nextMasterEvent(cluster.master, 'workerConnected');
  const child = new Child('worker-process', { url: cluster.url, name: 'child', prefetch: 1 });
  await connected;
  return { cluster, child, told: reports(cluster) };
}

/** A master in another process, and workers here that have been welcomed. */
async function withMasterProcess(options: object, handler: TaskFunction<Task, unknown>) {
  const child = new Child('master-process', { socketTimeout: TIMEOUT_MS, ...options });
  const [, port] = await child.first('listening');
  const worker = new Worker<Task, unknown>(handler, { url: `ws://127.0.0.1:${port}/`, reconnect: soon, name: 'here' });
  onTestFinished(() => worker.stop());
  const disconnections: number[] = [];
  worker.on('disconnected', ({ code }) => disconnections.push(code));
  await worker.start();
  return { child, port, worker, disconnections };
}

describe.skipIf(process.platform === 'win32')('a worker’s process', () => {
  it('that is killed loses what it ran after the resume window, and others do it in its order', async () => {
    const { cluster, child, told } = await withWorkerProcess(200);
    const results = [1, 2, 3].map((n) => cluster.scheduler.put({ type: n === 1 ? 'wait' : 'value', n, ms: 60_000 }));
    await child.first('ran');
    const order: string[] = [];
    await child.kill();
    // Not before it is gone, or what waits there would be asked back.
    await expect.poll(() => told).toEqual(['interrupted 1006', 'disconnected 1006']);
    await cluster.join(({ n }, { attempt }) => {
      order.push(`${n}/${attempt}`);
      return n;
    });
    expect(await Promise.all(results)).toEqual([1, 2, 3]);
    // A delivery was lost of the first only.
    expect(order).toEqual(['1/2', '2/1', '3/1']);
  });

  it('that stands still for less than the timeout loses nothing', async () => {
    const { cluster, child, told } = await withWorkerProcess(5000, PATIENT_MS);
    const results = [1, 2].map((n) => cluster.scheduler.put({ type: 'wait', n, ms: 100 }));
    await child.first('ran');
    await child.standStillFor(SHORT_MS);
    expect(await Promise.all(results)).toEqual([1, 2]);
    expect(child.all('ran')).toEqual([
      ['ran', 1, 1],
      ['ran', 2, 1],
    ]);
    expect(told).toEqual([]);
  });

  it('that stands still for longer is given up for silence, comes back, and delivers what it has', async () => {
    const { cluster, child, told } = await withWorkerProcess(10_000);
    const results = [1, 2].map((n) => cluster.scheduler.put({ type: 'wait', n, ms: 100 }));
    await child.first('ran');
    const interrupted = nextMasterEvent(cluster.master, 'workerInterrupted');
    child.standStill();
    await interrupted;
    child.goOn();
    expect(await Promise.all(results)).toEqual([1, 2]);
    expect(child.all('ran')).toEqual([
      ['ran', 1, 1],
      ['ran', 2, 1],
    ]);
    expect(told).toEqual(['interrupted 4410', 'resumed']);
    expect(child.all('connected').map(([, , isResumed]) => isResumed)).toEqual([false, true]);
  });

  it('that stands still for longer than the resume window stops what it ran, and is given new tasks', async () => {
    const { cluster, child, told } = await withWorkerProcess(200);
    const lost = cluster.scheduler.put({ type: 'hang', n: 1 });
    await child.first('ran');
    const released = nextMasterEvent(cluster.master, 'workerDisconnected');
    child.standStill();
    await released;
    const other = await cluster.join(({ n }, { attempt }) => `${n}/${attempt} elsewhere`);
    expect(await lost).toBe('1/2 elsewhere');
    await other.stop();
    child.goOn();
    // By the welcome to another session it learns that the first one is over.
    await child.first('aborted');
    await expect(cluster.scheduler.put({ type: 'value', n: 2 })).resolves.toBe(2);
    expect(told.slice(0, 2)).toEqual(['interrupted 4410', 'disconnected 4410']);
    expect(child.all('connected').map(([, , isResumed]) => isResumed)).toEqual([false, false]);
  });

  it('whose handler blocks it for longer than the timeout runs the task once', async () => {
    const { cluster, child, told } = await withWorkerProcess(10_000);
    await expect(cluster.scheduler.put({ type: 'block', n: 1, ms: LONG_MS })).resolves.toBe(1);
    expect(child.all('ran')).toEqual([['ran', 1, 1]]);
    expect(told).toEqual(['interrupted 4410', 'resumed']);
    await expect(cluster.scheduler.put({ type: 'value', n: 2 })).resolves.toBe(2);
  });

  it('whose handler blocks it for longer than the timeout runs the task again if it cannot resume', async () => {
    const { cluster, child, told } = await withWorkerProcess(0);
    const result = cluster.scheduler.put({ type: 'block', n: 1, ms: LONG_MS });
    const released = nextMasterEvent(cluster.master, 'workerDisconnected');
    await child.first('ran');
    await released;
    await cluster.join(({ n }, { attempt }) => `${n}/${attempt} elsewhere`);
    expect(await result).toBe('1/2 elsewhere');
    expect(told).toEqual(['disconnected 4410']);
  });
});

describe.skipIf(process.platform === 'win32')('a master’s process', () => {
  it('that is killed is replaced on its port: workers connect to it, stop what they ran, and run what is put there', async () => {
    const ran: number[] = [];
    const { child, port, worker, disconnections } = await withMasterProcess({}, async ({ type, n }, { signal }) => {
      ran.push(n);
      if (type === 'hang') await once(signal, 'abort');
      return n;
    });
    child.tell('put', { type: 'hang', n: 1 });
    await expect.poll(() => ran).toEqual([1]);
    const disconnected = nextWorkerEvent(worker, 'disconnected');
    const settled = nextWorkerEvent(worker, 'taskSettled');
    await child.kill();
    expect((await disconnected).code).toBe(1006);
    const next = new Child('master-process', { port });
    await next.first('workerConnected');
    expect(await settled).toMatchObject({ outcome: 'returned' });
    next.tell('put', { type: 'value', n: 2 });
    expect(await next.first('result')).toEqual(['result', 2]);
    expect(next.all('workerConnected')).toHaveLength(1);
    expect(new Set(disconnections)).toEqual(new Set([1006]));
  });

  it('that stands still for less than the timeout gives nobody up, and is not given up', async () => {
    const { child, disconnections } = await withMasterProcess({ socketTimeout: PATIENT_MS }, ({ n }) => n);
    await child.standStillFor(SHORT_MS);
    child.tell('put', { type: 'value', n: 1 });
    expect(await child.first('result')).toEqual(['result', 1]);
    expect([disconnections, child.all('workerDisconnected')]).toEqual([[], []]);
  });

  it.each([
    ['stands still', (child: Child) => child.standStillFor(LONG_MS)],
    [
      'blocks its event loop',
      async (child: Child) => {
        child.tell('block', LONG_MS);
        await child.first('blocked');
      },
    ],
  ])(
    'that %s for longer than the timeout is given up by its worker, which goes on with what it runs',
    async (_what, fault) => {
      const ran: number[] = [];
      const open: (() => void)[] = [];
      const { child, disconnections } = await withMasterProcess({ resumeWindow: 10_000 }, async ({ type, n }) => {
        ran.push(n);
        if (type === 'wait') await new Promise<void>((resolve) => open.push(resolve));
        return n;
      });
      child.tell('put', { type: 'wait', n: 1 });
      await expect.poll(() => ran).toEqual([1]);
      await fault(child);
      // It is done before the master could hear of it.
      open[0]?.();
      expect(await child.first('result')).toEqual(['result', 1]);
      child.tell('put', { type: 'value', n: 2 });
      expect(await child.first('result', 2)).toEqual(['result', 2]);
      expect(ran).toEqual([1, 2]);
      expect(disconnections).toEqual([4410]);
      expect(child.all('workerConnected')).toHaveLength(1);
      expect(child.all('workerDisconnected')).toEqual([]);
    },
  );

  it.each([
    ['stands still', 'had answered everything before', false],
    ['blocks its event loop', 'answers meanwhile', true],
  ])('that %s for longer than the timeout does not give up who %s', async (_what, _who, isBlocking) => {
    const child = new Child('master-process', { socketTimeout: TIMEOUT_MS });
    const [, port] = await child.first('listening');
    // More patient than a worker of this library, which would give the master up.
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'taskdist.v1.json');
    onTestFinished(() => socket.terminate());
    const raw = new RawClient(socket);
    const closed = raw.closed.then(({ code }) => {
      throw new Error(`It was given up: ${code}`);
    });
    // It ends so when the test does.
    closed.catch(() => {});
    await once(socket, 'open');
    raw.hello();
    const answerPing = async (): Promise<void> => {
      const [, nonce] = await Promise.race([raw.next(4), closed]);
      raw.send([10, nonce]);
    };
    const runTask = async (n: number): Promise<void> => {
      child.tell('put', n);
      const [, lease] = await raw.next(2);
      raw.send([5, lease, n]);
      expect(await child.first('result', n)).toEqual(['result', n]);
    };
    await answerPing();
    await answerPing();
    // So what was said before has come, and no ping is on its way.
    await runTask(1);
    if (isBlocking) {
      const [, nonce] = await raw.next(4);
      child.tell('block', LONG_MS);
      await child.first('blocking');
      // It lies there until the timers have had their say.
      raw.send([10, nonce]);
    } else {
      await child.standStillFor(LONG_MS);
    }
    await answerPing();
    await answerPing();
    await runTask(2);
  });
});
