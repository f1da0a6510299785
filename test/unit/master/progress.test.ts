// What the master makes of an attempt's progress, and how long it lets one run.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import type { PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';
import { VirtualCluster } from '../../support/virtual-cluster.ts';

const { cancel, done, ping, pong, progress } = MessageType;
const HOUR_MS = 3_600_000;

/** A master with a `taskTimeout` of a second, tasks 0, 1, … with these options, and a worker that is welcome. */
async function setUp(options: PutOptions[], description: Partial<WorkerDescription> = {}, socketTimeoutMs = 3000) {
  const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 1000, socketTimeoutMs });
  const { clock, scheduler } = master;
  const outcomes = options.map((each, task) => follow(scheduler.put(task, { maxAttempts: 1, ...each })));
  const peer = await master.connect();
  peer.send(helloOf(description));
  await clock.settle();
  peer.news();
  peer.send([pong, 1]);
  await clock.settle();
  /** Lets time go by; the worker answers pings meanwhile. Returns what else it hears. */
  const wait = async (ms: number) => {
    const news = [];
    for (const endMs = clock.now() + ms; clock.now() < endMs; ) {
      await clock.advance(Math.min(socketTimeoutMs / 6, endMs - clock.now()));
      for (const message of peer.news()) {
        if (message[0] === ping) peer.send([pong, message[1]]);
        else news.push(message);
      }
    }
    return news;
  };
  return { master, clock, peer, outcomes, wait };
}

describe('the timeout of a task', () => {
  it('goes before the `taskTimeout` of the master, whether it is shorter or longer', async () => {
    const { wait, outcomes } = await setUp([{ timeout: 200 }, { timeout: 5000 }, {}], { concurrency: 3 });
    expect(await wait(199)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 1, 'timeout']]);
    expect(await wait(799)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 3, 'timeout']]);
    expect(await wait(3999)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 2, 'timeout']]);
    expect(outcomes.map((outcome) => outcome())).toMatchObject(
      [200, 5000, 1000].map((ms) => ({
        reason: {
          attempts: [{ error: { code: 'TASKDIST_TASK_TIMEOUT', message: expect.stringContaining(`${ms} ms`) } }],
        },
      })),
    );
  });

  it('may be none', async () => {
    const { wait } = await setUp([{ timeout: Number.POSITIVE_INFINITY }]);
    expect(await wait(60_000)).toEqual([]);
  });

  it('counts from the start of the attempt, not while it waits at the worker', async () => {
    const { wait, peer } = await setUp([{ timeout: 600 }, { timeout: 600 }], { prefetch: 1 });
    await wait(500);
    peer.send([done, 1, null]);
    expect(await wait(599)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 2, 'timeout']]);
  });

  it('is not put off by progress', async () => {
    const { wait, peer } = await setUp([{ timeout: 600 }]);
    await wait(500);
    peer.send([progress, 1, 0.5]);
    expect(await wait(99)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 1, 'timeout']]);
  });

  it('starts anew with each progress if it counts from there, for hours', async () => {
    const { master, clock, wait, peer, outcomes } = await setUp(
      [{ timeout: 600_000, timeoutFrom: 'progress' }],
      {},
      HOUR_MS,
    );
    for (let step = 0; clock.now() < 3 * HOUR_MS; step += 1) {
      expect(await wait(599_999)).toEqual([]);
      peer.send([progress, 1, step]);
    }
    await clock.settle();
    expect(await wait(599_999)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 1, 'timeout']]);
    expect(outcomes[0]?.()).toMatchObject({
      reason: {
        attempts: [{ error: { code: 'TASKDIST_TASK_TIMEOUT', message: 'The attempt made no progress for 600000 ms' } }],
      },
    });
    expect(master.attempts).toHaveLength(1);
  });

  it('counts from the start as long as there is no progress', async () => {
    const { wait } = await setUp([{ timeout: 700, timeoutFrom: 'progress' }]);
    expect(await wait(699)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 1, 'timeout']]);
  });

  it('may be the one of the master, counted from the last progress', async () => {
    const { wait, peer } = await setUp([{ timeoutFrom: 'progress' }]);
    await wait(999);
    peer.send([progress, 1, null]);
    expect(await wait(999)).toEqual([]);
    expect(await wait(1)).toEqual([[cancel, 1, 'timeout']]);
  });
});

describe('progress', () => {
  it('reaches whoever put the task, and whoever listens to the master', async () => {
    const onProgress = vi.fn();
    const { master, clock, peer } = await setUp([{ onProgress }]);
    const order: string[] = [];
    onProgress.mockImplementation((value) => order.push(`put ${value}`));
    peer.send([progress, 1, 0.5], [progress, 1, 'more'], [done, 1, 'result']);
    await clock.settle();
    expect(onProgress.mock.calls).toEqual([
      [0.5, { key: '0', attempt: 1, worker: 'peer', workerId: 'w1' }],
      ['more', { key: '0', attempt: 1, worker: 'peer', workerId: 'w1' }],
    ]);
    expect(master.events.slice(-3)).toMatchObject([
      { type: 'progress', key: '0', attempt: 1, task: 0, value: 0.5, worker: { id: 'w1', running: 1 } },
      { type: 'progress', value: 'more' },
      { type: 'attemptEnded', outcome: 'done' },
    ]);
  });

  it('of an attempt that is over changes nothing', async () => {
    const onProgress = vi.fn();
    const options = { onProgress, timeout: 600, timeoutFrom: 'progress' } as const;
    const { master, clock, peer } = await setUp([options, options], { prefetch: 1 });
    peer.send([done, 1, null], [progress, 1, 'whatever']);
    await clock.settle();
    expect(onProgress).not.toHaveBeenCalled();
    expect(master.events.filter(({ type }) => type === 'progress')).toEqual([]);
    expect([master.sessions.list().length, peer.end]).toEqual([1, undefined]);
  });

  it('is told of before the end that it leads to', async () => {
    const master = new VirtualMaster<unknown, unknown>();
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    master.scheduler.put('task', { signal: controller.signal, onProgress }).catch(() => {});
    const peer = await master.connect();
    peer.send(helloOf());
    await master.clock.settle();
    peer.send([progress, 1, 'enough'], [progress, 1, 'more']);
    await master.clock.settle();
    const told = master.events.map((event) => (event.type === 'progress' ? event.value : event.type));
    expect(told.slice(-3)).toEqual(['attemptStarted', 'enough', 'attemptEnded']);
  });

  it('of a cancelled attempt changes nothing', async () => {
    const onProgress = vi.fn();
    const controller = new AbortController();
    const { clock, peer, wait } = await setUp([{ onProgress, signal: controller.signal, timeoutFrom: 'progress' }]);
    controller.abort();
    peer.send([progress, 1, 'late']);
    await clock.settle();
    expect(onProgress).not.toHaveBeenCalled();
    // Nor does it start a timeout.
    expect(await wait(3000)).toEqual([[cancel, 1, 'aborted']]);
  });

  it.each([0, 2, 99])('of a lease that was never granted ends the connection with 4409: %i', async (lease) => {
    const { clock, peer } = await setUp([{}]);
    peer.send([progress, lease, 1], [done, 1, 'too late']);
    await clock.settle();
    expect(peer.end).toBe(`4409 Lease ${lease} was never granted on this connection`);
  });
});

describe('attemptStarted', () => {
  it('is told when an attempt starts at the worker', async () => {
    const { master, clock, peer } = await setUp([{}, {}], { prefetch: 1 });
    const started = (): unknown[] => master.events.filter(({ type }) => type === 'attemptStarted');
    expect(started()).toMatchObject([{ key: '0', attempt: 1, task: 0, worker: { id: 'w1', running: 1, waiting: 1 } }]);
    peer.send([done, 1, null]);
    await clock.settle();
    expect(started().slice(1)).toMatchObject([{ key: '1', attempt: 1, task: 1, worker: { running: 1, waiting: 0 } }]);
  });

  it('is told when the scheduler knows', async () => {
    const cluster = new VirtualCluster<number, number>();
    onTestFinished(() => cluster.stop());
    const running: number[] = [];
    cluster.events.on('attemptStarted', () => running.push(cluster.scheduler.stats().running));
    cluster.add((task) => task, { concurrency: 2 });
    for (const task of [1, 2]) void cluster.scheduler.put(task);
    await cluster.clock.advance(100);
    expect(running).toEqual([1, 2]);
  });
});
