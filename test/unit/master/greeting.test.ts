import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

describe('Greeting', () => {
  it('welcomes a worker that says hello, and tells its limits', async () => {
    const master = new VirtualMaster({ socketTimeoutMs: 3000, maxFrameBytes: 100_000 });
    const peer = await master.connect();
    expect(master.sessions.list()).toEqual([]);
    peer.send(helloOf({ name: 'Ada', platform: 'python', concurrency: 4 }));
    await master.clock.settle();
    expect(peer.news()).toEqual([
      [
        MessageType.welcome,
        { version: 1, worker: 'w1', pingInterval: 1000, socketTimeout: 3000, maxFrameBytes: 100_000 },
      ],
      [MessageType.ping, 1],
    ]);
    expect(master.sessions.list()).toEqual([
      {
        id: 'w1',
        name: 'Ada',
        platform: 'python',
        labels: {},
        connectedAt: master.clock.epochNow(),
        isInterrupted: false,
        concurrency: 4,
        prefetch: 0,
        credit: 4,
        running: 0,
        waiting: 0,
        done: 0,
        failed: 0,
        late: 0,
        recalled: 0,
        rate: 0,
      },
    ]);
    expect(master.events).toEqual([{ type: 'workerConnected', worker: master.sessions.list()[0] }]);
  });

  it('gives every connection an id of its own', async () => {
    const master = new VirtualMaster();
    for (let round = 0; round < 2; round += 1) {
      const peer = await master.connect();
      peer.send(helloOf());
      await master.clock.settle();
      peer.close(1000);
      await master.clock.settle();
    }
    await (await master.connect()).send(helloOf());
    await master.clock.settle();
    expect(master.sessions.list().map(({ id }) => id)).toEqual(['w3']);
  });

  it('sends the welcome, the first ping and the first grants as one frame', async () => {
    const master = new VirtualMaster();
    for (const task of [1, 2, 3]) void master.scheduler.put(task);
    const peer = await master.connect();
    peer.send(helloOf({ concurrency: 2 }));
    await master.clock.settle();
    expect(peer.frames.map((frame) => frame.map(([type]) => type))).toEqual([
      [MessageType.welcome, MessageType.ping, MessageType.grant, MessageType.grant],
    ]);
  });

  it('reads on in the frame that says hello', async () => {
    const master = new VirtualMaster();
    for (const task of [1, 2, 3]) void master.scheduler.put(task);
    const peer = await master.connect();
    peer.send(helloOf({ concurrency: 1 }), [MessageType.credit, 3, 0]);
    await master.clock.settle();
    expect(peer.news().filter(([type]) => type === MessageType.grant)).toHaveLength(3);
  });

  it('ends with 4408 when no hello comes in time', async () => {
    const master = new VirtualMaster({ helloTimeoutMs: 500 });
    const peer = await master.connect();
    await master.clock.advance(499);
    expect(peer.end).toBeUndefined();
    await master.clock.advance(1);
    expect(peer.end).toBe('4408 No hello came in time');
    expect(master.events).toEqual([{ type: 'connectionRefused', code: 4408, reason: 'No hello came in time' }]);
    expect(master.clock.pendingTimers).toBe(0);
  });

  it('does not mind how long the worker is silent after its hello, for as long as a hello may take', async () => {
    const master = new VirtualMaster({ helloTimeoutMs: 500 });
    const peer = await master.connect();
    await master.clock.advance(499);
    peer.send(helloOf());
    await master.clock.advance(500);
    expect(peer.end).toBeUndefined();
  });

  it('ends with 4409 when something else comes first', async () => {
    const master = new VirtualMaster();
    const peer = await master.connect();
    peer.send([MessageType.pong, 1], helloOf());
    await master.clock.settle();
    expect(peer.end).toBe('4409 The first message must be a hello');
    expect(master.sessions.list()).toEqual([]);
    expect(master.events.map(({ type }) => type)).toEqual(['connectionRefused']);
  });

  it('ends with 4409 at a second hello', async () => {
    const master = new VirtualMaster();
    const peer = await master.connect();
    peer.send(helloOf(), helloOf());
    await master.clock.settle();
    expect(peer.end).toBe('4409 A second hello');
    expect(master.sessions.list()).toEqual([]);
  });

  it('ends with 4400 at a bad frame', async () => {
    const master = new VirtualMaster();
    const peer = await master.connect();
    peer.sendRaw('[[0]]');
    await master.clock.settle();
    expect(peer.end).toMatch(/^4400 /);
    expect(master.events).toMatchObject([{ type: 'connectionRefused', code: 4400 }]);
  });

  it('ends with 4406 where the versions differ, and says what to do', async () => {
    const master = new VirtualMaster();
    const byHello = await master.connect();
    byHello.send(helloOf({ version: 2 }));
    const bySubprotocol = await master.connect(['taskdist.v2.msgpack']);
    const byNone = await master.connect([]);
    await master.clock.settle();
    expect([byHello.end, bySubprotocol.end, byNone.end]).toEqual([
      expect.stringMatching(/^4406 This side speaks .* v1, the other version 2\. Update/),
      expect.stringMatching(/the other taskdist\.v2\.msgpack\. Update/),
      expect.stringMatching(/the other names no subprotocol\. Update/),
    ]);
    expect(master.events.map(({ type }) => type)).toEqual(Array(3).fill('connectionRefused'));
  });

  it('speaks JSON with a worker that asks for it', async () => {
    const master = new VirtualMaster();
    void master.scheduler.put(7);
    const peer = await master.connect(['taskdist.v1.json']);
    peer.sendRaw('[[0,{"version":1,"name":"x","platform":"p","concurrency":1,"prefetch":0}]]');
    await master.clock.settle();
    expect(peer.news()).toMatchObject([
      [MessageType.welcome, {}],
      [MessageType.ping, 1],
      [MessageType.grant, 1, 1, '0', 7],
    ]);
  });

  it('tells of a connection that ends before it said hello', async () => {
    const master = new VirtualMaster();
    const peer = await master.connect();
    peer.close(1000, 'never mind');
    await master.clock.settle();
    expect(master.events).toEqual([{ type: 'connectionRefused', code: 1000, reason: 'never mind' }]);
    expect(master.clock.pendingTimers).toBe(0);
  });
});
