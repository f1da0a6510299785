// What stopping waits for, and what it does not.
import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { follow, type Outcome } from '../../support/holders.ts';
import { welcomeOf } from '../../support/peers.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant } = MessageType;
const never = (): Promise<never> => new Promise(() => {});

describe('a Worker that a listener of `taskStarted` stops', () => {
  it('does not call the handler any more, and gives the task back', async () => {
    let calls = 0;
    const { worker, clock, master, events } = await new VirtualWorker<string, number>(
      () => {
        calls += 1;
        return calls;
      },
      { concurrency: 2 },
    ).connect();
    let stopped: () => Outcome<void> = follow(never());
    worker.on('taskStarted', () => {
      stopped = follow(worker.stop());
    });
    master.last.send([grant, 1, 1, 'a', 'task'], [grant, 2, 1, 'b', 'task']);
    await clock.advance(5000);
    expect(calls).toBe(0);
    expect([stopped().status, worker.state, clock.pendingTimers]).toEqual(['fulfilled', 'stopped', 0]);
    expect(master.last.end).toBe('1000 The worker was stopped');
    expect(events.filter(({ type }) => type === 'taskStarted')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'taskSettled')).toMatchObject([{ key: 'a', outcome: 'returned' }]);
  });
});

describe('a Worker that is stopped after its page was left', () => {
  it('waits until the socket is closed', async () => {
    const { worker, clock, network, page } = await new VirtualWorker(never).connect();
    network.lastLink.latencyMs = 100;
    page.hide();
    await clock.advance(50);
    const stopped = follow(worker.stop());
    await clock.advance(149);
    expect([stopped().status, network.lastLink.client.state]).toEqual(['pending', 'closing']);
    await clock.advance(1);
    expect([stopped().status, network.lastLink.client.state]).toEqual(['fulfilled', 'closed']);
  });

  it('waits for it even if it is stopped by the news of it', async () => {
    const { worker, clock, network, page } = await new VirtualWorker(never).connect();
    network.lastLink.latencyMs = 100;
    let stopped: () => Outcome<void> = follow(never());
    worker.on('disconnected', () => {
      stopped = follow(worker.stop());
    });
    page.hide();
    await clock.advance(199);
    expect(stopped().status).toBe('pending');
    await clock.advance(1);
    expect([stopped().status, network.lastLink.client.state]).toEqual(['fulfilled', 'closed']);
  });
});

describe('the handler of a Worker that is stopped', () => {
  it('is stopped when the connection is closed, not before', async () => {
    const states: string[] = [];
    const world = new VirtualWorker<unknown, never>({
      doTask: never,
      stop: () => void states.push(world.network.lastLink.client.state),
    });
    const { worker, clock, network } = await world.connect();
    network.lastLink.latencyMs = 100;
    const stopped = follow(worker.stop());
    await clock.advance(199);
    expect(states).toEqual([]);
    await clock.advance(1);
    expect([states, stopped().status]).toEqual([['closed'], 'fulfilled']);
  });

  it('is not waited for longer than the grace', async () => {
    const { worker, clock } = await new VirtualWorker({ doTask: never, stop: never }, { grace: 300 }).connect();
    const stopped = follow(worker.stop());
    await clock.advance(299);
    expect([stopped().status, worker.state]).toEqual(['pending', 'stopping']);
    await clock.advance(1);
    expect([stopped().status, worker.state, clock.pendingTimers]).toEqual(['fulfilled', 'stopped', 0]);
  });

  it('is waited for within the grace, and leaves no timer', async () => {
    let finish = (): void => {};
    const handler = {
      doTask: never,
      stop: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    };
    const { worker, clock } = await new VirtualWorker(handler, { grace: 300 }).connect();
    const stopped = follow(worker.stop());
    await clock.advance(200);
    expect(stopped().status).toBe('pending');
    finish();
    await clock.settle();
    expect([stopped().status, clock.pendingTimers]).toEqual(['fulfilled', 0]);
  });
});

describe('the promise of start()', () => {
  it.each(['dialling', 'greeting'] as const)('says so when the worker is stopped meanwhile: %s', async (when) => {
    const { worker, clock, network } = new VirtualWorker(never);
    network.isSilent = when === 'dialling';
    const started = follow(worker.start());
    await clock.settle();
    void worker.stop();
    await clock.settle();
    expect(started()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_STOPPED' } });
  });
});

describe('a Worker that has ended its connection itself, and is stopped then', () => {
  it('waits until the socket is closed', async () => {
    const { worker, clock, master, network } = await new VirtualWorker(never).connect();
    // What closes it is on its way for ever.
    network.lastLink.drop('up');
    master.last.send(welcomeOf());
    await clock.settle();
    expect([worker.state, network.lastLink.client.state]).toEqual(['waiting', 'closing']);
    const stopped = follow(worker.stop());
    await clock.advance(999);
    expect([stopped().status, network.lastLink.client.state]).toEqual(['pending', 'closing']);
    await clock.advance(1);
    expect([stopped().status, network.lastLink.client.state]).toEqual(['fulfilled', 'closed']);
  });
});
