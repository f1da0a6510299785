// An abort that falls between taking a task and granting it.
import { describe, expect, it } from 'vitest';
import { Emitter } from '../../../src/events.ts';
import { type MasterEvent, masterEventTypes } from '../../../src/master/events.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import type { TaskScheduler } from '../../../src/scheduling/scheduler.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { VirtualNetwork } from '../../../src/testing/virtual-network.ts';
import { follow } from '../../support/holders.ts';
import { leaseOf } from '../../support/leases.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, WorkerPeer } from '../../support/peers.ts';
import { createSessions } from '../../support/sessions.ts';

const { grant, cancel, done } = MessageType;

/** The tasks granted since this was asked last. */
function granted(peer: WorkerPeer): unknown[] {
  return peer.news().flatMap((message) => (message[0] === grant ? [message[4]] : []));
}

describe('an abort by whoever waits for the task before', () => {
  it('keeps the next task from being sent', async () => {
    const master = new VirtualMaster<string, string>();
    const { clock, scheduler } = master;
    const controller = new AbortController();
    const { signal } = controller;
    const first = scheduler.put('first', { signal });
    // The first result wins: the rest is not needed any more.
    void first.then(() => controller.abort());
    const second = follow(scheduler.put('second', { signal }));
    const third = follow(scheduler.put('third'));
    const peer = await master.connect();
    peer.send(helloOf());
    await clock.settle();
    expect(granted(peer)).toEqual(['first']);
    peer.send([done, 1, 'result']);
    await clock.settle();
    expect(second()).toEqual({ status: 'rejected', reason: signal.reason });
    expect(granted(peer)).toEqual(['third']);
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 1]);
    expect(master.attempts).toEqual(['done 0']);
    peer.send([done, 2, 'another']);
    await clock.settle();
    expect(third()).toEqual({ status: 'fulfilled', value: 'another' });
    expect(master.sessions.list()).toMatchObject([{ done: 2, running: 0, late: 0 }]);
  });

  it('reaches a worker also if it comes from within the next task, as that is being written', async () => {
    const master = new VirtualMaster<unknown, string>();
    const { clock, scheduler } = master;
    const controller = new AbortController();
    const first = follow(scheduler.put('first', { signal: controller.signal }));
    const peer = await master.connect();
    peer.send(helloOf({ concurrency: 2 }));
    await clock.settle();
    peer.news();
    const task = {
      get n() {
        controller.abort('enough');
        return 2;
      },
    };
    const second = follow(scheduler.put(task));
    await clock.settle();
    expect(first()).toEqual({ status: 'rejected', reason: 'enough' });
    expect(peer.news()).toEqual([
      [grant, 2, 1, '1', { n: 2 }],
      [cancel, 1, 'aborted'],
    ]);
    peer.send([done, 2, 'result']);
    await clock.settle();
    expect(second()).toEqual({ status: 'fulfilled', value: 'result' });
  });

  it('keeps it from being sent to a worker that waited for it', async () => {
    const master = new VirtualMaster<string, string>();
    const { clock, scheduler } = master;
    const peer = await master.connect();
    peer.send(helloOf({ concurrency: 2 }));
    await clock.settle();
    const controller = new AbortController();
    const aborted = follow(scheduler.put('aborted', { signal: controller.signal }));
    void scheduler.put('wanted');
    // Behind the handing out of what was put just now.
    queueMicrotask(() => controller.abort());
    await clock.settle();
    expect([aborted().status, granted(peer)]).toEqual(['rejected', ['wanted']]);
  });
});

describe('Session', () => {
  it('sends no lease that has ended by the time it gets it, nor gives it back', async () => {
    const clock = new VirtualClock(0);
    const network = new VirtualNetwork({ latencyMs: 0 });
    const released: unknown[] = [];
    const batches = [[leaseOf('void', { isLive: false }), leaseOf('live'), leaseOf('void too', { isLive: false })]];
    const scheduler: TaskScheduler<string, string> = {
      open() {},
      close() {},
      join() {},
      leave() {},
      loadChanged() {},
      started() {},
      turnedBack() {},
      progressed() {},
      take: async (_holder, _max, signal) =>
        batches.shift() ?? new Promise((resolve) => signal.addEventListener('abort', () => resolve([]))),
      complete: () => true,
      fail: () => true,
      discard: () => true,
      release: ({ task }) => released.push(task) > 0,
    };
    const limits = { taskTimeoutMs: 1000, socketTimeoutMs: 3000, helloTimeoutMs: 500, maxFrameBytes: 100_000 };
    const sessions = createSessions(scheduler, clock, limits, new Emitter<MasterEvent<string>>(masterEventTypes));
    network.listen(clock, (adopt) => sessions.accept(adopt));
    const peer = new WorkerPeer(network, clock);
    await clock.settle();
    peer.send(helloOf({ concurrency: 3 }));
    await clock.settle();
    expect([granted(peer), released]).toEqual([['live'], []]);
    expect(sessions.list()).toMatchObject([{ running: 1 }]);
  });
});
