import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { grant, cancel, done, released, credit, ping, pong } = MessageType;

/** A master with tasks 0, 1, 2, … and a worker that is welcome, and answers pings unless it is told otherwise. */
async function setUp(tasks: number, description: Partial<WorkerDescription> = {}, limits = {}, options = {}) {
  const master = new VirtualMaster<unknown, unknown>(
    { taskTimeoutMs: 1000, socketTimeoutMs: 3000, ...limits },
    options,
  );
  const outcomes = Array.from({ length: tasks }, (_, task) => follow(master.scheduler.put(task)));
  const peer = await master.connect();
  peer.send(helloOf(description));
  await master.clock.settle();
  peer.send([pong, 1]);
  await master.clock.settle();
  peer.news();
  return { master, outcomes, peer, clock: master.clock, scheduler: master.scheduler };
}

describe('the deadline of an attempt', () => {
  it('ends it after `taskTimeout`, and costs the task an attempt', async () => {
    const { master, clock, peer, outcomes } = await setUp(1, {}, { taskTimeoutMs: 700 }, { maxAttempts: 1 });
    await clock.advance(699);
    expect(peer.news()).toEqual([]);
    await clock.advance(1);
    expect(peer.news()).toEqual([[cancel, 1, 'timeout']]);
    expect(master.attempts).toEqual(['timeout 700']);
    expect(outcomes[0]?.()).toMatchObject({
      reason: { code: 'TASKDIST_DEAD_LETTER', attempts: [{ error: { code: 'TASKDIST_TASK_TIMEOUT' } }] },
    });
    expect(master.sessions.list()).toMatchObject([{ running: 1, failed: 1 }]);
  });

  it('counts from when the attempt starts to run, not while it waits at the worker', async () => {
    const { master, clock, peer } = await setUp(3, { concurrency: 1, prefetch: 2 });
    await clock.advance(900);
    peer.send([done, 1, null]);
    await clock.advance(900);
    peer.send([done, 2, null]);
    await clock.advance(999);
    expect(master.attempts).toEqual(['done 900', 'done 900']);
    await clock.advance(1);
    expect(master.attempts.at(-1)).toBe('timeout 1000');
  });

  it('does not start while a cancelled attempt still occupies the slot', async () => {
    const { master, clock, peer } = await setUp(2, { concurrency: 1, prefetch: 1 });
    await clock.advance(1000);
    expect(master.attempts).toEqual(['timeout 1000']);
    await clock.advance(900);
    peer.send([released, 1]);
    await clock.advance(999);
    expect(master.attempts).toEqual(['timeout 1000']);
    await clock.advance(1);
    expect(master.attempts).toEqual(['timeout 1000', 'timeout 1000']);
  });

  it('starts for more at once when the worker runs more', async () => {
    const { master, clock, peer } = await setUp(2, { concurrency: 1, prefetch: 1 });
    await clock.advance(500);
    peer.send([credit, 2, 0]);
    await clock.advance(1000);
    expect(master.attempts).toEqual(['timeout 1000', 'timeout 1000']);
  });

  it('is none when `taskTimeout` is Infinity', async () => {
    const { master, clock, peer } = await setUp(1, {}, { taskTimeoutMs: Number.POSITIVE_INFINITY });
    for (let second = 0; second < 1000; second += 1) {
      await clock.advance(1000);
      peer.send([pong, second]);
    }
    expect(master.attempts).toEqual([]);
  });

  it('spares a result that came in while our own event loop stood still', async () => {
    const { master, clock, peer, outcomes } = await setUp(1);
    clock.jump(5000);
    // It was sent in time, and is read only now.
    peer.send([done, 1, 'in time']);
    await clock.advance(1000);
    expect(outcomes[0]?.()).toEqual({ status: 'fulfilled', value: 'in time' });
    expect(master.sessions.list()).toHaveLength(1);
  });

  it('is not what ends an attempt whose worker was silent for too long by the time we look', async () => {
    const { master, clock, peer } = await setUp(2, { concurrency: 2 }, { taskTimeoutMs: 700, socketTimeoutMs: 3000 });
    clock.jump(5000);
    await clock.advance(1000);
    expect(master.attempts).toEqual(['lost 5100', 'lost 5100']);
    expect([peer.end, clock.pendingTimers]).toEqual(['1006', 0]);
  });
});

describe('the heartbeat', () => {
  it('pings three times per `socketTimeout`', async () => {
    const { clock, peer } = await setUp(0, {}, { socketTimeoutMs: 3000 });
    // The first one comes with the welcome.
    for (const nonce of [2, 3, 4]) {
      await clock.advance(999);
      expect(peer.news()).toEqual([]);
      await clock.advance(1);
      expect(peer.news()).toEqual([[ping, nonce]]);
      peer.send([pong, nonce]);
    }
  });

  it('gives up a peer that was silent for `socketTimeout`', async () => {
    const { master, clock, peer, outcomes } = await setUp(
      2,
      { concurrency: 1, prefetch: 1 },
      { taskTimeoutMs: 60_000 },
    );
    await clock.advance(2999);
    expect(master.sessions.list()).toHaveLength(1);
    await clock.advance(1);
    expect(peer.end).toBe('1006');
    expect(master.sessions.list()).toEqual([]);
    expect(master.events.at(-1)).toMatchObject({
      type: 'workerDisconnected',
      code: 4410,
      reason: 'Nothing heard for 3000 ms (`socketTimeout`)',
    });
    // What ran is lost with it; what waited is not.
    expect(master.attempts).toEqual(['lost 3000']);
    expect(outcomes.map((outcome) => outcome().status)).toEqual(['pending', 'pending']);
    expect([master.scheduler.queued, master.scheduler.leased]).toEqual([2, 0]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes any frame for a sign of life', async () => {
    const { master, clock, peer } = await setUp(0);
    for (let round = 0; round < 10; round += 1) {
      await clock.advance(2900);
      peer.send([credit, 1, round]);
    }
    expect(master.sessions.list()).toHaveLength(1);
    await clock.advance(3000);
    expect(master.sessions.list()).toEqual([]);
  });

  it('gives nobody up for its own standing still', async () => {
    const { master, clock, peer } = await setUp(1, {}, { taskTimeoutMs: 60_000 });
    clock.jump(50_000);
    await clock.advance(10);
    peer.send([pong, 1]);
    await clock.advance(2000);
    expect(master.sessions.list()).toHaveLength(1);
    expect(master.attempts).toEqual([]);
  });

  it('asks a peer that had answered everything before our own event loop stood still, and gives it up if it does not answer then', async () => {
    const { master, clock, peer } = await setUp(1, {}, { socketTimeoutMs: 3000 });
    await clock.advance(1);
    peer.send([pong, 1]);
    await clock.advance(500);
    clock.jump(50_000);
    // A moment to read what came in meanwhile.
    await clock.advance(100);
    expect(peer.news()).toContainEqual([ping, 2]);
    await clock.advance(1999);
    expect([peer.end, master.sessions.list().length]).toEqual([undefined, 1]);
    await clock.advance(1);
    expect([peer.end, master.sessions.list().length]).toEqual(['1006', 0]);
  });

  it('goes on with one that answers then', async () => {
    const { master, clock, peer } = await setUp(0);
    await clock.advance(1);
    peer.send([pong, 1]);
    await clock.advance(500);
    clock.jump(50_000);
    for (const nonce of [2, 3, 4, 5]) {
      await clock.advance(1000);
      peer.send([pong, nonce]);
    }
    expect(master.sessions.list()).toHaveLength(1);
  });
});

describe('the end of a connection', () => {
  const bothWays = { concurrency: 1, prefetch: 1 };

  it.each([1000, 1001])('returns everything at a goodbye (%i), and counts nothing as a loss', async (code) => {
    const { master, clock, peer, outcomes } = await setUp(2, bothWays, {}, { maxDeliveries: 1 });
    await clock.advance(50);
    // A client may not send 1001 itself: the browser does, for it.
    if (code === 1000) peer.close(1000, 'bye');
    else master.network.lastLink.server?.receiveClose(1001, '');
    await clock.settle();
    expect(master.attempts).toEqual(['returned 50']);
    expect(outcomes.map((outcome) => outcome().status)).toEqual(['pending', 'pending']);
    expect(master.scheduler.queued).toBe(2);
  });

  it('counts what ran as lost when the connection breaks', async () => {
    const { master, clock, outcomes } = await setUp(2, bothWays, {}, { maxDeliveries: 1 });
    await clock.advance(50);
    master.network.lastLink.reset();
    await clock.settle();
    expect(master.attempts).toEqual(['lost 50']);
    expect(outcomes[0]?.()).toMatchObject({
      reason: {
        attempts: [{ error: { code: 'TASKDIST_WORKER_LOST', message: 'The connection to peer ended (1006): ' } }],
      },
    });
    expect(outcomes[1]?.()).toEqual({ status: 'pending' });
  });

  it('counts what ran as lost when the peer breaks the rules', async () => {
    const { master, clock, peer } = await setUp(2, bothWays);
    peer.sendRaw('nonsense');
    await clock.settle();
    expect(master.attempts).toEqual(['lost 0']);
    expect(master.events.at(-1)).toMatchObject({ type: 'workerDisconnected', code: 4400 });
  });

  it('loses nothing with who has said nothing since its welcome: nobody knows whether that has reached it', async () => {
    const master = new VirtualMaster<unknown, unknown>({}, { maxDeliveries: 1, maxAttempts: 1 });
    const outcome = follow(master.scheduler.put('task'));
    for (const _ of [1, 2, 3]) {
      const peer = await master.connect();
      peer.send(helloOf({}));
      await master.clock.settle();
      expect(peer.news()).toContainEqual([grant, 1, 1, '0', 'task']);
      master.network.lastLink.reset();
      await master.clock.settle();
    }
    expect(outcome()).toEqual({ status: 'pending' });
    expect(master.attempts).toEqual(['returned 0', 'returned 0', 'returned 0']);
  });

  it('says nothing more of an attempt that was cancelled before', async () => {
    const { master, clock, peer } = await setUp(1);
    await clock.advance(1000);
    peer.close(1000);
    await clock.settle();
    expect(master.attempts).toEqual(['timeout 1000']);
    expect(master.scheduler.queued).toBe(1);
  });

  it('tells of the worker once, when all of its leases are back', async () => {
    const { master, clock, peer } = await setUp(2, bothWays);
    peer.close(1000, 'bye');
    await clock.settle();
    expect(master.events.map(({ type }) => type)).toEqual([
      'workerConnected',
      'attemptStarted',
      'attemptEnded',
      'workerDisconnected',
    ]);
    expect(master.events.at(-1)).toMatchObject({ worker: { id: 'w1', running: 0 }, code: 1000, reason: 'bye' });
  });

  it('gives back what was about to be granted', async () => {
    const { master, scheduler, clock, peer } = await setUp(0);
    const outcome = follow(scheduler.put('on its way'));
    queueMicrotask(() => void master.sessions.endAll(1001, 'The master was stopped'));
    await clock.settle();
    expect(peer.news()).toEqual([]);
    expect([scheduler.queued, scheduler.leased, outcome().status]).toEqual([1, 0, 'pending']);
  });

  it('tells the scheduler that the worker is gone', async () => {
    const { master, clock, peer } = await setUp(1);
    const gone: string[] = [];
    master.scheduler.leave = ({ id }) => gone.push(`${id}, ${master.scheduler.leased} leased`);
    peer.close(1000);
    await clock.settle();
    expect(gone).toEqual(['w1, 0 leased']);
  });

  it('is said to all when the master stops, and waited for', async () => {
    const { master, clock, peer } = await setUp(0);
    const other = await master.connect();
    const ended = follow(master.sessions.endAll(1001, 'The master was stopped'));
    await clock.settle();
    expect([peer.end, other.end]).toEqual(['1001 The master was stopped', '1001 The master was stopped']);
    expect(ended().status).toBe('fulfilled');
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not waited for longer than a second', async () => {
    const { master, clock } = await setUp(0);
    master.network.lastLink.drop();
    const ended = follow(master.sessions.endAll(1001, 'The master was stopped'));
    await clock.advance(999);
    expect(ended().status).toBe('pending');
    await clock.advance(1);
    expect(ended().status).toBe('fulfilled');
  });
});
