// How much a master sends to a worker that has enough to do, or reads too slowly.
import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import type { VirtualSocket } from '../../../src/testing/virtual-socket.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { grant, done } = MessageType;

/** A worker that has said hello; its end of the line at the master reads nothing until it is told so. */
async function setUp(description: Partial<WorkerDescription>, isStalled = false) {
  const master = new VirtualMaster<unknown, unknown>({ maxFrameBytes: 1_048_576, socketTimeoutMs: 600_000 });
  const peer = await master.connect();
  const socket = master.network.lastLink.server as VirtualSocket;
  peer.send(helloOf(description));
  await master.clock.settle();
  peer.news();
  if (isStalled) socket.stall();
  const granted = (): number[] => peer.news().flatMap((message) => (message[0] === grant ? [message[1]] : []));
  const answer = async (...leases: number[]): Promise<void> => {
    peer.send(...leases.map((lease): [5, number, null] => [done, lease, null]));
    await master.clock.settle();
  };
  return {
    ...master,
    clock: master.clock,
    scheduler: master.scheduler,
    sessions: master.sessions,
    socket,
    granted,
    answer,
  };
}

describe('a master whose worker has enough to go on with', () => {
  it('grants an eighth of the prefetch at once, instead of one by one', async () => {
    const { scheduler, clock, granted, answer } = await setUp({ concurrency: 1, prefetch: 64 });
    for (let n = 0; n < 200; n += 1) void scheduler.put(n);
    await clock.settle();
    expect(granted().length).toBe(65);
    for (let lease = 1; lease < 8; lease += 1) await answer(lease);
    expect(granted()).toEqual([]);
    await answer(8);
    expect(granted()).toEqual([66, 67, 68, 69, 70, 71, 72, 73]);
  });

  it('grants more in the midst of many answers, before it has read them all', async () => {
    const { scheduler, clock, socket, granted, answer } = await setUp({ concurrency: 1, prefetch: 400 });
    for (let n = 0; n < 1000; n += 1) void scheduler.put(n);
    await clock.settle();
    expect(granted().length).toBe(401);
    const before = socket.sent.length;
    await answer(...Array.from({ length: 310 }, (_, n) => n + 1));
    // At 128 and at 256 of them, and when all are read.
    expect(granted().length).toBe(310);
    expect(socket.sent.slice(before).length).toBe(3);
  });

  it('grants at once what it could start', async () => {
    const { scheduler, clock, granted, answer } = await setUp({ concurrency: 2, prefetch: 64 });
    for (let n = 0; n < 3; n += 1) void scheduler.put(n);
    await clock.settle();
    expect(granted()).toEqual([1, 2, 3]);
    await answer(1, 2);
    void scheduler.put('next');
    await clock.settle();
    expect(granted()).toEqual([4]);
  });
});

describe('a master whose worker reads too slowly', () => {
  it('holds about a mebibyte for it, whatever its credit, and gives the other tasks to others', async () => {
    const { scheduler, clock, sessions, socket } = await setUp({ concurrency: 1, prefetch: 1000 }, true);
    for (let n = 0; n < 100; n += 1) void scheduler.put(new Uint8Array(100_000));
    await clock.settle();
    expect(socket.bufferedBytes).toBeGreaterThan(1_000_000);
    expect(socket.bufferedBytes).toBeLessThan(1_300_000);
    expect(sessions.list()).toMatchObject([{ running: 1, waiting: 10 }]);
    expect(scheduler.queued).toBe(89);
  });

  it.each([
    ['when it is told that something has left', true],
    ['soon after something has left, where nobody tells', false],
  ])('goes on %s', async (_, isTold) => {
    const { scheduler, clock, socket, granted } = await setUp({ concurrency: 1, prefetch: 1000 }, true);
    for (let n = 0; n < 30; n += 1) void scheduler.put(new Uint8Array(100_000));
    await clock.settle();
    expect(granted()).toEqual([]);
    socket.flow(isTold);
    await clock.settle();
    expect(granted().length).toBe(isTold ? 30 : 11);
    await clock.advance(10);
    expect([socket.bufferedBytes, scheduler.queued]).toEqual([0, 0]);
  });

  it('does not look at it any more once it is gone', async () => {
    const { scheduler, clock, socket, sessions } = await setUp({ concurrency: 1, prefetch: 1000 }, true);
    for (let n = 0; n < 30; n += 1) void scheduler.put(new Uint8Array(100_000));
    await clock.settle();
    socket.terminate();
    await clock.settle();
    expect([sessions.list(), scheduler.queued, clock.pendingTimers]).toEqual([[], 30, 0]);
  });
});
