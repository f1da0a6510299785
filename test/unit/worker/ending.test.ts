import { describe, expect, it, vi } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { encodeOne } from '../../support/frames.ts';
import { follow } from '../../support/holders.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, ping, pong, hello, done } = MessageType;
const never = (): Promise<never> => new Promise(() => {});

describe('a Worker and its master', () => {
  it('answers every ping at once', async () => {
    const { clock, master } = await new VirtualWorker(never).connect();
    master.last.send([ping, 7], [ping, 8]);
    await clock.settle();
    expect(master.last.news()).toEqual([
      [pong, 7],
      [pong, 8],
    ]);
  });

  it('answers a ping before it starts a task that came with it, which may block its thread for long', async () => {
    const { clock, master, network } = await new VirtualWorker(() => {
      framesAtStart = sent();
      return null;
    }).connect();
    const send = vi.spyOn(network.lastLink.client, 'send');
    const sent = (): number => send.mock.calls.length;
    let framesAtStart = -1;
    master.last.send([ping, 7], [grant, 1, 1, 'a', 'task']);
    await clock.settle();
    expect(framesAtStart).toBe(1);
    expect(master.last.frames.slice(-2)).toEqual([[[pong, 7]], [[done, 1, null]]]);
  });

  it('says how long a ping may have lain unread, as a handler held the thread', async () => {
    const { clock, master, network } = await new VirtualWorker(() => {
      clock.jump(500);
      // It came in meanwhile, and is read when the turn is over.
      clock.soon(() => network.lastLink.client.receive(encodeOne(codecs.msgpack, [[ping, 7]])));
      return null;
    }).connect();
    master.last.send([grant, 1, 1, 'a', 'task']);
    await clock.advance(500);
    expect(master.last.news()).toEqual([
      [done, 1, null],
      [pong, 7, 496],
    ]);
    master.last.send([ping, 8]);
    await clock.settle();
    expect(master.last.news()).toEqual([[pong, 8]]);
  });

  it('answers a ping before it runs what came in the same frame', async () => {
    const { clock, master } = await new VirtualWorker(() => {
      clock.jump(500);
      return null;
    }).connect();
    master.last.send([grant, 1, 1, 'a', 'task'], [ping, 7]);
    await clock.advance(500);
    expect(master.last.news()).toEqual([
      [pong, 7],
      [done, 1, null],
    ]);
  });

  it('gives up a master that is silent for `socketTimeout`, and connects again', async () => {
    const { worker, clock, network, events, master } = await new VirtualWorker(never).connect();
    await clock.advance(2000);
    master.last.send([ping, 1]);
    await clock.advance(2999);
    expect(worker.state).toBe('connected');
    await clock.advance(1);
    expect(worker.state).toBe('waiting');
    expect(events.at(-1)).toEqual({
      type: 'disconnected',
      code: 4410,
      reason: 'The master was silent for 3000 ms',
      retryDelay: 500,
    });
    await clock.advance(500);
    expect(network.links).toHaveLength(2);
  });

  it('does not give it up for its own standing still', async () => {
    const { worker, clock, master } = await new VirtualWorker(never).connect();
    clock.jump(60_000);
    await clock.advance(10);
    master.last.send([ping, 1]);
    await clock.advance(1000);
    expect(worker.state).toBe('connected');
  });

  it('tells the close code and the reason', async () => {
    const { clock, master, events } = await new VirtualWorker(never).connect();
    master.last.close(1001, 'The master was stopped');
    await clock.settle();
    expect(events.at(-1)).toMatchObject({
      type: 'disconnected',
      code: 1001,
      reason: 'The master was stopped',
      retryDelay: 500,
    });
  });
});

describe('a Worker that is stopped', () => {
  it('says goodbye, aborts what runs, and stops its handler when all is over', async () => {
    let isHandlerStopped = false;
    const signals: AbortSignal[] = [];
    const settle: (() => void)[] = [];
    const { worker, clock, master, events } = await new VirtualWorker({
      doTask: (_: unknown, context) => {
        signals.push(context.signal);
        return new Promise<void>((resolve) => settle.push(resolve));
      },
      stop() {
        isHandlerStopped = true;
      },
    }).connect();
    master.last.send([grant, 1, 1, 'a', 1], [grant, 2, 1, 'b', 2]);
    await clock.settle();
    const stopped = follow(worker.stop());
    expect(worker.state).toBe('stopping');
    await clock.settle();
    expect(master.last.end).toBe('1000 The worker was stopped');
    expect(signals.map(({ reason }) => reason)).toMatchObject([{ code: 'TASKDIST_TASK_ABORTED' }]);
    expect([isHandlerStopped, stopped().status]).toEqual([false, 'pending']);
    settle[0]?.();
    await clock.settle();
    expect([isHandlerStopped, stopped().status, worker.state]).toEqual([true, 'fulfilled', 'stopped']);
    expect(events.slice(-3)).toMatchObject([
      { type: 'taskSettled', key: 'b', outcome: 'returned' },
      { type: 'disconnected', code: 1000, retryDelay: undefined },
      { type: 'taskSettled', key: 'a', outcome: 'returned' },
    ]);
  });

  it('waits no longer than the grace, and leaves nothing behind', async () => {
    const { worker, clock, master, page } = await new VirtualWorker(never, { grace: 300 }).connect();
    master.last.send([grant, 1, 1, 'a', 1]);
    await clock.settle();
    const stopped = follow(worker.stop());
    await clock.advance(299);
    expect(stopped().status).toBe('pending');
    await clock.advance(1);
    expect(stopped().status).toBe('fulfilled');
    expect([clock.pendingTimers, page.watchers]).toEqual([0, 0]);
  });

  it('waits for its socket to be closed', async () => {
    const { worker, clock, network } = await new VirtualWorker(never).connect();
    network.lastLink.latencyMs = 100;
    const stopped = follow(worker.stop());
    await clock.advance(199);
    expect(stopped().status).toBe('pending');
    await clock.advance(1);
    expect(stopped().status).toBe('fulfilled');
  });

  it('waits no longer than a second for a master that does not answer', async () => {
    const { worker, clock, network } = await new VirtualWorker(never).connect();
    network.lastLink.drop();
    const stopped = follow(worker.stop());
    await clock.advance(999);
    expect(stopped().status).toBe('pending');
    await clock.advance(1);
    expect([stopped().status, clock.pendingTimers]).toEqual(['fulfilled', 0]);
  });

  it('may be stopped at any time, and again', async () => {
    const world = new VirtualWorker(never);
    await world.worker.stop();
    expect(world.worker.state).toBe('stopped');
    await world.connect();
    const both = [follow(world.worker.stop()), follow(world.worker.stop())];
    await world.clock.settle();
    expect(both.map((outcome) => outcome().status)).toEqual(['fulfilled', 'fulfilled']);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it.each(['dialling', 'greeting', 'waiting'] as const)('is stopped while it connects: %s', async (when) => {
    const { worker, clock, network, master, page } = new VirtualWorker(never);
    network.isSilent = when === 'dialling';
    if (when === 'waiting') master.stop();
    const started = follow(worker.start());
    await clock.settle();
    const stopped = follow(worker.stop());
    await clock.advance(100_000);
    expect([stopped().status, worker.state]).toEqual(['fulfilled', 'stopped']);
    expect(started().status).toBe('rejected');
    expect([network.links.length, network.openLinks.length, clock.pendingTimers, page.watchers]).toEqual([1, 0, 0, 0]);
  });

  it('stops although its handler cannot', async () => {
    const errors: unknown[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (...details: unknown[]) => errors.push(details[1]) };
    const error = new Error('cannot stop');
    const handler = {
      doTask: never,
      stop() {
        throw error;
      },
    };
    const { worker, clock } = await new VirtualWorker(handler, { logger }).connect();
    const stopped = follow(worker.stop());
    await clock.settle();
    expect([stopped().status, errors]).toEqual(['fulfilled', [error]]);
  });
});

describe('a Worker in a page', () => {
  it('says goodbye when the page is left, and connects again when it is shown', async () => {
    const { worker, clock, network, master, page } = await new VirtualWorker(never).connect();
    master.last.send([grant, 1, 1, 'a', 1]);
    await clock.settle();
    page.hide();
    expect(worker.state).toBe('hidden');
    await clock.advance(60_000);
    expect(master.last.end).toBe('1000 The page was left');
    expect(network.links).toHaveLength(1);
    page.show();
    await clock.settle();
    expect([worker.state, network.links.length]).toEqual(['connecting', 2]);
    expect(master.last.news().map(([type]) => type)).toEqual([hello]);
  });

  it('hears that the page is shown only if it was hidden', async () => {
    const { clock, network, page } = await new VirtualWorker(never).connect();
    page.show();
    page.comeOnline();
    await clock.advance(1000);
    expect(network.links).toHaveLength(1);
  });

  it('connects at once when the network is back', async () => {
    const { worker, clock, network, page } = await new VirtualWorker(never).connect();
    network.lastLink.reset();
    await clock.advance(100);
    expect(worker.state).toBe('waiting');
    page.comeOnline();
    expect(worker.state).toBe('connecting');
    await clock.advance(1000);
    expect(network.links).toHaveLength(2);
  });

  it('does not connect while the page is hidden, even when the network is back', async () => {
    const { worker, clock, network, page } = await new VirtualWorker(never).connect();
    network.lastLink.reset();
    await clock.advance(100);
    page.hide();
    page.comeOnline();
    await clock.advance(100_000);
    expect([worker.state, network.links.length]).toEqual(['hidden', 1]);
  });

  it('stops in a page that is hidden', async () => {
    const { worker, clock, page } = await new VirtualWorker(never).connect();
    page.hide();
    await clock.settle();
    const stopped = follow(worker.stop());
    await clock.settle();
    page.show();
    await clock.advance(10_000);
    expect([stopped().status, worker.state, page.watchers, clock.pendingTimers]).toEqual([
      'fulfilled',
      'stopped',
      0,
      0,
    ]);
  });
});
