import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { virtualEnvironment } from '../../../src/testing/virtual-environment.ts';
import { VirtualNetwork } from '../../../src/testing/virtual-network.ts';
import { Worker } from '../../../src/worker/worker.ts';
import { follow } from '../../support/holders.ts';
import { welcomeOf } from '../../support/peers.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { hello, grant } = MessageType;
const echo = (task: unknown): unknown => task;

describe('a Worker that starts', () => {
  it('connects, says hello, and is connected when it is welcome', async () => {
    const { worker, clock, master, events } = new VirtualWorker(echo, { name: 'Ada', concurrency: 2, accepts: ['a'] });
    expect(worker.state).toBe('stopped');
    const started = follow(worker.start());
    expect([worker.state, worker.id]).toEqual(['connecting', undefined]);
    await clock.settle();
    expect(master.last.frames).toEqual([
      [
        [
          hello,
          {
            version: 1,
            name: 'Ada',
            platform: 'virtual',
            concurrency: 2,
            prefetch: 'auto',
            accepts: ['a'],
            resume: true,
          },
        ],
      ],
    ]);
    expect([worker.state, started().status]).toEqual(['connecting', 'pending']);
    master.last.send(welcomeOf({ worker: 'w7' }));
    await clock.settle();
    expect([worker.state, worker.id, started().status]).toEqual(['connected', 'w7', 'fulfilled']);
    expect(events).toEqual([
      { type: 'connecting', url: 'ws://localhost:9000/', tries: 1 },
      { type: 'connected', url: 'ws://localhost:9000/', id: 'w7', isResumed: false },
    ]);
  });

  it('has the name of its environment, and says nothing of types, unless told otherwise', async () => {
    const { worker, clock, master } = new VirtualWorker(echo, { prefetch: 0, accepts: () => true });
    void worker.start();
    await clock.settle();
    expect(master.last.news()).toEqual([
      [hello, { version: 1, name: 'virtual', platform: 'virtual', concurrency: 1, prefetch: 0, resume: true }],
    ]);
  });

  it('takes as many tasks as its handler says', () => {
    const handler = { doTask: echo, getConcurrency: () => 5 };
    expect(new VirtualWorker(handler).worker.concurrency).toBe(5);
    expect(new VirtualWorker(handler, { concurrency: 2 }).worker.concurrency).toBe(2);
  });

  it('offers the subprotocol of its codec', async () => {
    const { worker, clock, network, master } = new VirtualWorker(echo, { codec: 'json' });
    void worker.start();
    await clock.settle();
    expect(network.lastLink.client.subprotocol).toBe('taskdist.v1.json');
    expect(network.lastLink.client.sent).toEqual([expect.stringMatching(/^\[\[0,\{"version":1,/)]);
    expect(master.last.news()).toHaveLength(1);
  });

  it('cannot be started twice', async () => {
    const { worker } = await new VirtualWorker(echo).connect();
    await expect(worker.start()).rejects.toMatchObject({
      code: 'TASKDIST_INVALID_STATE',
      message: /connected already/,
    });
  });

  it('rejects its promise when the first try fails, and tries on all the same', async () => {
    const { worker, clock, master, network, events } = new VirtualWorker(echo);
    master.stop();
    const started = follow(worker.start());
    await clock.settle();
    expect(started()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_CONNECT' } });
    expect(worker.state).toBe('waiting');
    expect(events.at(-1)).toEqual({ type: 'disconnected', code: 1006, reason: '', retryDelay: 500 });
    await clock.advance(500);
    expect(network.links).toHaveLength(2);
  });

  it('gives a connection up that is not welcome within `connectTimeout`', async () => {
    for (const isSilent of [true, false]) {
      const { worker, clock, network, events } = new VirtualWorker(echo, { connectTimeout: 700 });
      network.isSilent = isSilent;
      void worker.start();
      await clock.advance(699);
      expect(worker.state).toBe('connecting');
      await clock.advance(1);
      expect(worker.state).toBe('waiting');
      expect(events.at(-1)).toMatchObject({
        type: 'disconnected',
        reason: 'No welcome within 700 ms (`connectTimeout`)',
      });
      expect(network.lastLink.client.state).toBe('closed');
    }
  });

  it('waits longer from failure to failure, up to the cap', async () => {
    const { worker, clock, master, events } = new VirtualWorker(echo, { reconnect: { base: 100, cap: 1000 } });
    master.stop();
    void worker.start();
    await clock.advance(6000);
    const delays = events.flatMap((event) => (event.type === 'disconnected' ? [event.retryDelay] : []));
    expect(delays.slice(0, 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
    const tries = events.flatMap((event) => (event.type === 'connecting' ? [event.tries] : []));
    expect(tries.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('counts its failures anew after a connection that held for five seconds', async () => {
    const world = await new VirtualWorker(echo).connect();
    for (let round = 0; round < 3; round += 1) {
      await world.clock.advance(2500);
      world.master.last.send([MessageType.ping, 1]);
      await world.clock.advance(2500);
      world.network.lastLink.reset();
      await world.clock.advance(500);
      await world.welcome();
      expect(world.worker.state).toBe('connected');
    }
    expect(world.events.filter(({ type }) => type === 'connecting')).toMatchObject([
      { tries: 1 },
      ...Array(3).fill({ tries: 2 }),
    ]);
  });

  it('stops for good when it is refused', async () => {
    const { worker, clock, master, events, network } = new VirtualWorker(echo);
    const started = follow(worker.start());
    await clock.settle();
    master.last.close(4406, 'Update the older one');
    await clock.settle();
    expect(started()).toMatchObject({ reason: { code: 'TASKDIST_REFUSED', message: /Update the older one/ } });
    expect(events.at(-1)).toEqual({
      type: 'disconnected',
      code: 4406,
      reason: 'Update the older one',
      retryDelay: undefined,
    });
    await clock.advance(100_000);
    expect([worker.state, network.links.length, clock.pendingTimers]).toEqual(['stopped', 1, 0]);
  });

  it('stops for good when the server knows no subprotocol of ours, or another version', async () => {
    const { worker, clock, network } = new VirtualWorker(echo);
    network.listen(
      clock,
      (adopt) => adopt({ opened() {}, received() {}, drained() {}, closed() {} }),
      () => 'taskdist.v9.msgpack',
    );
    const started = follow(worker.start());
    await clock.advance(100_000);
    expect(started()).toMatchObject({ reason: { code: 'TASKDIST_REFUSED' } });
    expect([worker.state, network.links.length]).toEqual(['stopped', 1]);

    const other = new VirtualWorker(echo);
    const otherStarted = follow(other.worker.start());
    await other.clock.settle();
    other.master.last.send(welcomeOf({ version: 2 }));
    await other.clock.advance(100_000);
    expect(otherStarted()).toMatchObject({ reason: { code: 'TASKDIST_REFUSED' } });
    expect([other.worker.state, other.master.last.end]).toEqual(['stopped', expect.stringMatching(/^4406 /)]);
  });

  it('stops for good when a connection ends, if it is not to reconnect', async () => {
    const { worker, clock, network, events } = await new VirtualWorker(echo, { reconnect: false }).connect();
    network.lastLink.reset();
    await clock.advance(100_000);
    expect(events.at(-1)).toMatchObject({ type: 'disconnected', retryDelay: undefined });
    expect([worker.state, network.links.length, clock.pendingTimers]).toEqual(['stopped', 1, 0]);
  });

  it('can be started again after it has stopped', async () => {
    const world = await new VirtualWorker(echo).connect();
    void world.worker.stop();
    await world.clock.settle();
    await world.connect();
    expect(world.worker.state).toBe('connected');
  });

  it('can be stopped by a listener of its first event', async () => {
    const { worker, clock, network } = new VirtualWorker(echo);
    worker.on('connecting', () => void worker.stop());
    const started = follow(worker.start());
    await clock.advance(10_000);
    expect([worker.state, network.links.length, clock.pendingTimers]).toEqual(['stopped', 0, 0]);
    expect(started()).toMatchObject({ reason: { code: 'TASKDIST_STOPPED' } });
  });

  it('takes a socket that cannot even be made for a failed try', async () => {
    const clock = new VirtualClock();
    const environment = virtualEnvironment({ clock, network: new VirtualNetwork() });
    let tries = 0;
    const worker = new Worker(
      echo,
      {},
      {
        ...environment,
        connect() {
          tries += 1;
          throw new Error('Insecure');
        },
      },
    );
    const started = follow(worker.start());
    await clock.settle();
    expect(started()).toMatchObject({ reason: { code: 'TASKDIST_CONNECT', message: /Insecure/ } });
    expect(worker.state).toBe('waiting');
    await clock.advance(100_000);
    expect(tries).toBeGreaterThan(3);
    void worker.stop();
    await clock.settle();
    expect([worker.state, clock.pendingTimers]).toEqual(['stopped', 0]);
  });

  it.each<[string, Parameters<VirtualWorker['master']['last']['send']>]>([
    ['a second welcome', [welcomeOf()]],
    [
      'a lease granted twice',
      [
        [grant, 1, 1, 'k', 1],
        [grant, 1, 1, 'k', 1],
      ],
    ],
  ])('ends a connection on which the master breaks the rules: %s', async (_, messages) => {
    const { clock, master, worker } = await new VirtualWorker(() => new Promise(() => {})).connect();
    master.last.send(...messages);
    await clock.settle();
    expect(master.last.end).toMatch(/^4409 /);
    expect(worker.state).toBe('waiting');
  });

  it('ends a connection on which something is granted before the welcome', async () => {
    const { worker, clock, master } = new VirtualWorker(echo);
    void worker.start();
    await clock.settle();
    master.last.send([grant, 1, 1, 'k', 1]);
    await clock.settle();
    expect(master.last.end).toMatch(/^4409 /);
  });

  it('ends a connection with a bad frame', async () => {
    const { clock, master } = await new VirtualWorker(echo).connect();
    master.last.sendRaw('nonsense');
    await clock.settle();
    expect(master.last.end).toMatch(/^4400 /);
  });
});
