// How long an attempt may take, what it tells meanwhile, and what the master tells of it.
import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import type { PutOptions } from '../../../src/scheduling/fifo-scheduler.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { grant, cancel, done, failed, released, credit, ping, pong, progress } = MessageType;

/** A master that put tasks with those options, and a worker that is welcome. */
async function setUp(tasks: readonly PutOptions[], description: Partial<WorkerDescription> = {}, limits = {}) {
  const master = new VirtualMaster<unknown, unknown>({ taskTimeoutMs: 1000, socketTimeoutMs: 30_000, ...limits });
  const { clock, scheduler } = master;
  const outcomes = tasks.map((options, task) => follow(scheduler.put(task, { maxAttempts: 1, ...options })));
  const peer = await master.connect();
  peer.send(helloOf({ concurrency: Math.max(1, tasks.length), ...description }));
  await clock.settle();
  peer.news();
  /** What was told of attempts: the type of the event, the key, and what else there is to say. */
  const told = (): string[] =>
    master.events.flatMap((event) => {
      switch (event.type) {
        case 'attemptStarted':
          return [`${event.key}/${event.attempt} started`];
        case 'progress':
          return [`${event.key}/${event.attempt} ${JSON.stringify(event.value)}`];
        case 'attemptEnded':
          return [`${event.key}/${event.attempt} ${event.outcome} ${event.durationMs}`];
        default:
          return [];
      }
    });
  return { master, clock, scheduler, peer, outcomes, told };
}

describe('the time of an attempt', () => {
  it("is the task's own `timeout` before the master's `taskTimeout`, be it shorter or longer", async () => {
    const { master, clock, peer, outcomes } = await setUp([{ timeout: 300 }, {}, { timeout: 5000 }]);
    await clock.advance(300);
    expect(master.attempts).toEqual(['timeout 300']);
    await clock.advance(700);
    expect(master.attempts).toEqual(['timeout 300', 'timeout 1000']);
    await clock.advance(3999);
    expect(master.attempts).toHaveLength(2);
    await clock.advance(1);
    expect(master.attempts.at(-1)).toBe('timeout 5000');
    expect(peer.news().filter(([type]) => type === cancel)).toEqual([
      [cancel, 1, 'timeout'],
      [cancel, 2, 'timeout'],
      [cancel, 3, 'timeout'],
    ]);
    expect(outcomes[0]?.()).toMatchObject({
      reason: { attempts: [{ error: { code: 'TASKDIST_TASK_TIMEOUT', message: expect.stringContaining('300 ms') } }] },
    });
  });

  it('has no end if the task says so', async () => {
    const { master, clock, peer } = await setUp([{ timeout: Number.POSITIVE_INFINITY }]);
    for (let tick = 0; tick < 100; tick += 1) {
      await clock.advance(20_000);
      peer.send([pong, 0]);
    }
    expect(master.attempts).toEqual([]);
  });

  it('is not counted while the task waits at the worker', async () => {
    const { master, clock, peer } = await setUp([{ timeout: 5000 }, { timeout: 300 }], { concurrency: 1, prefetch: 1 });
    await clock.advance(4000);
    expect(master.attempts).toEqual([]);
    peer.send([done, 1, 0]);
    await clock.advance(299);
    expect(master.attempts).toEqual(['done 4000']);
    await clock.advance(1);
    expect(master.attempts.at(-1)).toBe('timeout 300');
  });

  it.each<[string, PutOptions]>([
    ['its own `timeout`', { timeout: 1000 }],
    ['`taskTimeout`', {}],
  ])('starts anew with each progress, if the task says so, and ends when that stops: %s', async (_of, options) => {
    const { master, clock, peer, outcomes } = await setUp([{ timeoutFrom: 'progress', ...options }]);
    // Three hours.
    for (let tick = 0; tick < 12_000; tick += 1) {
      await clock.advance(900);
      peer.send([progress, 1, tick]);
    }
    await clock.settle();
    expect(master.attempts).toEqual([]);
    await clock.advance(999);
    expect(master.attempts).toEqual([]);
    await clock.advance(1);
    expect(master.attempts).toEqual([`timeout ${12_000 * 900 + 1000}`]);
    expect(outcomes[0]?.()).toMatchObject({
      reason: { attempts: [{ error: { message: expect.stringMatching(/progress/) } }] },
    });
  });

  it('goes on with progress if the task does not say so', async () => {
    const { master, clock, peer } = await setUp([{ timeout: 1000 }]);
    await clock.advance(900);
    peer.send([progress, 1, 'on my way']);
    await clock.advance(100);
    expect(master.attempts).toEqual(['timeout 1000']);
  });
});

describe('the progress of an attempt', () => {
  it('reaches `onProgress` and the event, with who tells it', async () => {
    const heard: unknown[] = [];
    const { clock, peer, master } = await setUp([{ onProgress: (...values) => heard.push(values) }]);
    peer.send([progress, 1, { share: 0.5 }], [progress, 1, undefined]);
    await clock.settle();
    const about = { key: '0', attempt: 1, worker: 'peer' };
    expect(heard).toEqual([
      [{ share: 0.5 }, about],
      [undefined, about],
    ]);
    const worker = expect.objectContaining({ id: 'w1', name: 'peer', running: 1 });
    expect(master.events.filter(({ type }) => type === 'progress')).toEqual([
      { type: 'progress', worker, key: '0', attempt: 1, task: 0, value: { share: 0.5 } },
      { type: 'progress', worker, key: '0', attempt: 1, task: 0, value: undefined },
    ]);
  });

  it('is not heard after the attempt was cancelled, has ended, or before it has started', async () => {
    const heard: unknown[] = [];
    const onProgress = (value: unknown): number => heard.push(value);
    const { clock, peer, told, master } = await setUp([{ onProgress }, { onProgress }, { onProgress }], {
      concurrency: 1,
      prefetch: 2,
    });
    peer.send([progress, 2, 'not started'], [done, 1, 0], [progress, 1, 'ended']);
    await clock.advance(1000);
    peer.send([progress, 2, 'cancelled']);
    await clock.settle();
    expect(heard).toEqual([]);
    expect(told()).toEqual(['0/1 started', '0/1 done 0', '1/1 started', '1/1 timeout 1000']);
    expect([peer.end, master.sessions.list().length]).toEqual([undefined, 1]);
  });

  it('does not bring a cancelled attempt back to life', async () => {
    const { clock, peer, master, outcomes } = await setUp([{ timeoutFrom: 'progress' }]);
    await clock.advance(1000);
    peer.send([progress, 1, 0]);
    await clock.advance(5000);
    expect(master.attempts).toEqual(['timeout 1000']);
    expect(outcomes[0]?.().status).toBe('rejected');
  });

  it('of a lease that was never granted ends the connection', async () => {
    const { clock, peer } = await setUp([{}]);
    peer.send([progress, 2, 0]);
    await clock.settle();
    expect(peer.end).toBe('4409 Lease 2 was never granted on this connection');
  });

  it('is told of before the end that it leads to', async () => {
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const { clock, peer, told } = await setUp([{ signal: controller.signal, onProgress }]);
    peer.send([progress, 1, 'enough'], [progress, 1, 'more']);
    await clock.settle();
    expect(told()).toEqual(['0/1 started', '0/1 "enough"', '0/1 aborted 0']);
    expect(peer.news()).toEqual([[cancel, 1, 'aborted']]);
  });
});

describe('what a master tells of attempts', () => {
  it('is when each starts and ends, with the task as it was put', async () => {
    const { clock, peer, master, scheduler } = await setUp([]);
    const task = { type: 'x' };
    void scheduler.put(task);
    await clock.settle();
    expect(master.events.at(-1)).toEqual({
      type: 'attemptStarted',
      worker: expect.objectContaining({ id: 'w1', running: 1, waiting: 0 }),
      key: '0',
      attempt: 1,
      task: { type: 'x' },
    });
    await clock.advance(20);
    peer.send([done, 1, 0]);
    await clock.settle();
    const ended = master.events.at(-1);
    expect(ended).toMatchObject({ type: 'attemptEnded', key: '0', attempt: 1, outcome: 'done', durationMs: 20 });
    for (const event of master.events.slice(-2)) expect(event).toHaveProperty('task', task);
    expect(ended && 'task' in ended && ended.task).toBe(task);
  });

  it('is no start of what only waits, until it runs', async () => {
    const { clock, peer, told } = await setUp([{}, {}, {}], { concurrency: 1, prefetch: 2 });
    expect(told()).toEqual(['0/1 started']);
    await clock.advance(10);
    peer.send([done, 1, 0]);
    await clock.settle();
    expect(told().slice(1)).toEqual(['0/1 done 10', '1/1 started']);
    peer.send([credit, 2, 0]);
    await clock.settle();
    expect(told().slice(3)).toEqual(['2/1 started']);
  });

  it('counts attempts on', async () => {
    const { clock, peer, told } = await setUp([{ maxAttempts: 3 }]);
    peer.send([failed, 1, { name: 'E', message: 'm' }]);
    await clock.settle();
    peer.send([released, 2]);
    await clock.settle();
    expect(told()).toEqual(['0/1 started', '0/1 failed 0', '0/2 started', '0/2 returned 0', '0/2 started']);
  });
});

describe('what a master knows of a worker', () => {
  it('is what it said, when it came, and how it does', async () => {
    const labels = { gpu: true, memory: 8 };
    const { clock, peer, master } = await setUp([{}, {}, {}, {}, {}], {
      name: 'Ada',
      platform: 'node',
      concurrency: 2,
      prefetch: 1,
      labels,
    });
    const connectedAt = Date.UTC(2030, 0, 1);
    const about = { id: 'w1', name: 'Ada', platform: 'node', labels, connectedAt, concurrency: 2, credit: 3 };
    const counts = { done: 0, failed: 0, recalled: 0, late: 0 };
    expect(master.sessions.list()).toEqual([{ ...about, ...counts, running: 2, waiting: 1, rate: 0 }]);
    await clock.advance(500);
    peer.send([done, 1, 0], [failed, 2, { name: 'E', message: 'm' }]);
    await clock.settle();
    expect(master.sessions.list()).toEqual([
      { ...about, ...counts, done: 1, failed: 1, running: 2, waiting: 1, rate: expect.closeTo(1.05, 2) },
    ]);
    peer.send([credit, 0, 1]);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ concurrency: 0, credit: 0, running: 2, waiting: 1 }]);
  });

  it('has its round trip once that is measured, and no labels if it has none', async () => {
    const { clock, peer, master } = await setUp([]);
    expect(master.sessions.list()[0]).not.toHaveProperty('roundTrip');
    expect(master.sessions.list()).toMatchObject([{ labels: {} }]);
    await clock.advance(10_000);
    expect(peer.news()).toEqual([[ping, 1]]);
    await clock.advance(30);
    peer.send([pong, 1]);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ roundTrip: 30 }]);
  });

  it('has the credit that the window comes to', async () => {
    const { clock, peer, master, scheduler } = await setUp([], { concurrency: 2, prefetch: 'auto' });
    expect(master.sessions.list()).toMatchObject([{ credit: 3 }]);
    peer.send([pong, 1]);
    for (let task = 0; task < 4; task += 1) void scheduler.put(task);
    await clock.advance(500);
    expect(peer.news().filter(([type]) => type === grant)).toHaveLength(3);
    // They take long, and the way is short: it need not hold any.
    peer.send([done, 1, 0]);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ credit: 2 }]);
  });
});
