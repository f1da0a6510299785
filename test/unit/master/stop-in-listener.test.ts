// A listener that stops the master while it looks at its deadlines.
import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { Emitter } from '../../../src/events.ts';
import { type MasterEvent, masterEventTypes } from '../../../src/master/events.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { VirtualNetwork } from '../../../src/testing/virtual-network.ts';
import { follow } from '../../support/holders.ts';
import { helloOf, WorkerPeer } from '../../support/peers.ts';
import { TestScheduler } from '../../support/scheduler.ts';
import { createSessions } from '../../support/sessions.ts';

const { done } = MessageType;

/** A master whose listener stops it at the first attempt that ends, and a worker that runs two tasks. */
async function setUp() {
  const clock = new VirtualClock(0);
  const network = new VirtualNetwork({ latencyMs: 0 });
  const scheduler = new TestScheduler<string, string>();
  scheduler.open();
  const emitter = new Emitter<MasterEvent<string>>(masterEventTypes);
  const limits = { taskTimeoutMs: 1000, socketTimeoutMs: 30_000, helloTimeoutMs: 500, maxFrameBytes: 100_000 };
  const sessions = createSessions(scheduler, clock, limits, emitter);
  network.listen(clock, (adopt) => sessions.accept(adopt));

  const ended: string[] = [];
  const disconnected: unknown[] = [];
  let stop = (): void => {
    stop = () => {};
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'The master was stopped'));
    void sessions.endAll(1001, 'The master was stopped');
  };
  emitter.on('attemptEnded', ({ task, outcome }) => {
    ended.push(`${task} ${outcome}`);
    stop();
  });
  emitter.on('workerDisconnected', ({ worker }) => disconnected.push(worker));

  const controller = new AbortController();
  const outcomes = ['a', 'b'].map((task) => follow(scheduler.put(task, { signal: controller.signal })));
  const peer = new WorkerPeer(network, clock);
  await clock.settle();
  peer.send(helloOf({ concurrency: 2 }));
  await clock.settle();
  peer.news();
  return { clock, peer, ended, disconnected, outcomes, controller };
}

describe('a master that is stopped by a listener of `attemptEnded`', () => {
  it.each<[string, string, (world: Awaited<ReturnType<typeof setUp>>) => unknown]>([
    ['a timeout', 'a timeout', ({ clock }) => clock.advance(1000)],
    ['an abort', 'a aborted', ({ controller }) => controller.abort()],
    ['a result', 'a done', ({ peer }) => peer.send([done, 1, 'result'])],
  ])('at %s leaves no timer, and tells the end of each attempt once', async (_what, first, act) => {
    const world = await setUp();
    const { clock, peer, ended, disconnected } = world;
    await act(world);
    await clock.settle();
    expect(peer.end).toBe('1001 The master was stopped');
    expect(ended).toEqual([first, 'b returned']);
    expect(disconnected).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts a timeout as one failure', async () => {
    const { clock, disconnected, outcomes } = await setUp();
    await clock.advance(1000);
    expect(disconnected).toMatchObject([{ failed: 1, done: 0, running: 0 }]);
    expect(outcomes.map((outcome) => outcome())).toMatchObject([
      { status: 'rejected', reason: { code: 'TASKDIST_STOPPED' } },
      { status: 'rejected', reason: { code: 'TASKDIST_STOPPED' } },
    ]);
  });
});
