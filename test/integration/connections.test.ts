import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { Worker as Thread } from 'node:worker_threads';
import { CloseCode, sandbox, Worker } from 'taskdist';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Cluster, gate, nextMasterEvent, nextWorkerEvent, type RawClient } from './cluster.ts';

const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;

function countDisconnections<T, R>(worker: Worker<T, R>): () => number {
  let count = 0;
  worker.on('disconnected', () => {
    count += 1;
  });
  return () => count;
}

/** It answers its master's first ping. Before that, nobody can know whether what it was granted has reached it. */
async function isHeard<T, R>(cluster: Cluster<T, R>, raw: RawClient): Promise<void> {
  raw.send([10, 1]);
  await vi.waitFor(() => expect(cluster.master.workers().at(-1)?.roundTrip).toBeDefined());
}

describe('a connection that is lost', () => {
  it('puts its tasks back at their place, and counts late answers for nothing', async () => {
    const cluster = await Cluster.start<number, string>();
    const raw = await cluster.connectRaw();
    raw.hello({ prefetch: 1 });
    await raw.next(1);
    await isHeard(cluster, raw);
    const results = [1, 2, 3].map((n) => cluster.scheduler.put(n));
    await raw.next(2);
    await raw.next(2);
    expect(cluster.scheduler.leased).toBe(2);
    const left = nextMasterEvent(cluster.master, 'workerDisconnected');
    raw.socket.terminate();
    expect((await left).code).toBe(CloseCode.abnormal);
    expect(cluster.scheduler.queued).toBe(3);
    const order: number[] = [];
    await cluster.join((n, { attempt }) => {
      order.push(n);
      return `${n}/${attempt}`;
    });
    // The first one ran when its worker was lost; the second had not started; the third had not been granted.
    await expect(Promise.all(results)).resolves.toEqual(['1/2', '2/1', '3/1']);
    expect(order).toEqual([1, 2, 3]);
  });

  it('that lost a task too often makes it a dead letter', async () => {
    const cluster = await Cluster.start<number, string>({}, { maxDeliveries: 2 });
    const result = cluster.scheduler.put(1).catch((reason: unknown) => reason);
    for (let losses = 0; losses < 2; losses += 1) {
      const raw = await cluster.connectRaw();
      raw.hello();
      await raw.next(2);
      await isHeard(cluster, raw);
      raw.socket.terminate();
    }
    await expect(result).resolves.toMatchObject({
      code: 'TASKDIST_DEAD_LETTER',
      attempts: [{ error: { code: 'TASKDIST_WORKER_LOST' } }, { error: { code: 'TASKDIST_WORKER_LOST' } }],
    });
  });

  it('is made again by the worker, as soon as its master is back on the port', async () => {
    const first = await Cluster.start<number, number>();
    const port = first.master.address?.port ?? 0;
    const worker = await first.join((n) => n, { reconnect: { base: 5, cap: 20 } });
    const disconnected = nextWorkerEvent(worker, 'disconnected');
    await first.master.stop();
    expect(await disconnected).toMatchObject({ code: CloseCode.goingAway, retryDelay: expect.any(Number) });
    const connected = nextWorkerEvent(worker, 'connected');
    const second = await Cluster.start<number, number>({ port });
    await connected;
    await expect(second.scheduler.put(5)).resolves.toBe(5);
  });

  it('is not made again if the worker was told not to', async () => {
    const cluster = await Cluster.start<number, number>();
    const stopped = gate();
    const worker = await cluster.join({ doTask: (n) => n, stop: () => stopped.open() }, { reconnect: false });
    await cluster.master.stop();
    await stopped.promise;
    await expect.poll(() => worker.state).toBe('stopped');
  });

  it('is noticed by its silence', async () => {
    const cluster = await Cluster.start<number, string>({ socketTimeout: 150 });
    const raw = await cluster.connectRaw();
    raw.hello();
    const left = nextMasterEvent(cluster.master, 'workerDisconnected');
    // The raw client's WebSocket layer is alive, but nothing answers the pings.
    expect(await raw.next(4)).toEqual([4, 1]);
    expect((await left).code).toBe(CloseCode.silent);
    await raw.closed;
  });

  it('stays open while its worker computes in a sandbox for longer than the timeout', async () => {
    const cluster = await Cluster.start<{ type: string; ms: number }, string>({ socketTimeout: 2000 });
    const script = new URL('./fixtures/thread.mjs', import.meta.url);
    const worker = await cluster.join(sandbox(() => new Thread(script), { size: 1 }));
    const disconnections = countDisconnections(worker);
    await expect(cluster.scheduler.put({ type: 'busy', ms: 3000 })).resolves.toBe('done');
    expect(disconnections()).toBe(0);
  });

  it('stays open while its worker waits for longer than the timeout', async () => {
    const cluster = await Cluster.start<number, number>({ socketTimeout: 2000 });
    const worker = await cluster.join((n) => new Promise((resolve) => setTimeout(resolve, 3000, n)));
    const disconnections = countDisconnections(worker);
    await expect(cluster.scheduler.put(1)).resolves.toBe(1);
    expect(disconnections()).toBe(0);
  });
});

describe('a peer that does not keep to the protocol', () => {
  it.each([
    ['bytes where text was agreed on', (socket: WebSocket) => socket.send(new Uint8Array([1, 2, 3])), 4400],
    ['text that is not JSON', (socket: WebSocket) => socket.send('hello?'), 4400],
    ['something else than an array', (socket: WebSocket) => socket.send('{"a":1}'), 4400],
    ['an unknown message', (socket: WebSocket) => socket.send('[[99]]'), 4400],
    ['a malformed hello', (socket: WebSocket) => socket.send('[[0,{"version":1}]]'), 4400],
    ['something before hello', (socket: WebSocket) => socket.send('[[10,1]]'), 4409],
    ['a frame that is too large', (socket: WebSocket) => socket.send('x'.repeat(70_000)), 1009],
  ])('is closed for %s, and others go on', async (_what, misbehave, code) => {
    const cluster = await Cluster.start<number, number>({ maxFrameBytes: 65_536 });
    await cluster.join((n) => n);
    const raw = await cluster.connectRaw();
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    misbehave(raw.socket);
    expect((await raw.closed).code).toBe(code);
    await refused;
    await expect(cluster.scheduler.put(1)).resolves.toBe(1);
  });

  it('is closed for an answer to a lease that it never had, and its tasks go elsewhere', async () => {
    const cluster = await Cluster.start<number, number>();
    const raw = await cluster.connectRaw();
    raw.hello();
    const result = cluster.scheduler.put(7);
    const [, lease] = await raw.next(2);
    raw.send([5, Number(lease) + 1, 666]);
    expect(await raw.closed).toMatchObject({
      code: CloseCode.violation,
      reason: expect.stringContaining('never granted'),
    });
    await cluster.join((n) => n);
    await expect(result).resolves.toBe(7);
  });

  it('is closed if it never says hello', async () => {
    const cluster = await Cluster.start({ helloTimeout: 50 });
    const raw = await cluster.connectRaw();
    expect((await raw.closed).code).toBe(CloseCode.helloTimeout);
  });

  it.each([
    ['another version’s subprotocol', 'taskdist.v2.msgpack', undefined],
    ['no subprotocol', '', undefined],
    ['another version in its hello', 'taskdist.v1.json', { version: 2 }],
  ])('is refused with %s, and told what to do', async (_what, subprotocol, hello) => {
    const cluster = await Cluster.start();
    const raw = await cluster.connectRaw(subprotocol);
    if (hello !== undefined) raw.hello(hello);
    expect(await raw.closed).toMatchObject({
      code: CloseCode.unsupportedVersion,
      reason: expect.stringContaining('Update'),
    });
  });

  it('is a late one, if it answers a lease that was taken back', async () => {
    const cluster = await Cluster.start<number, string>({ taskTimeout: 20 }, { maxAttempts: 1 });
    const raw = await cluster.connectRaw();
    raw.hello();
    const result = cluster.scheduler.put(1).catch((reason: unknown) => reason);
    const [, lease] = await raw.next(2);
    expect(await raw.next(3)).toEqual([3, lease, 'timeout']);
    raw.send([5, lease, 'too late']);
    raw.send([5, lease, 'and again']);
    await expect(result).resolves.toMatchObject({ code: 'TASKDIST_DEAD_LETTER' });
    await expect.poll(() => cluster.master.workers()[0]?.late).toBe(2);
  });
});

describe('Worker without its master', () => {
  it('rejects start() if nobody is there, says so, and goes on trying', async () => {
    const free = createTcpServer();
    free.listen(0, '127.0.0.1');
    await once(free, 'listening');
    const port = portOf(free);
    await new Promise((resolve) => free.close(resolve));
    const worker = new Worker((n: number) => n, {
      masterHost: '127.0.0.1',
      masterPort: port,
      reconnect: { base: 1, cap: 5 },
    });
    onTestFinished(() => worker.stop());
    await expect(worker.start()).rejects.toMatchObject({
      code: 'TASKDIST_CONNECT',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const cluster = await Cluster.start<number, number>({ port });
    await expect(cluster.scheduler.put(4)).resolves.toBe(4);
  });

  it('gives a server up that accepts and says nothing', async () => {
    const mute = createTcpServer((socket) => socket.resume());
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => void mute.close());
    const worker = new Worker((n: number) => n, {
      masterPort: portOf(mute),
      masterHost: '127.0.0.1',
      connectTimeout: 50,
    });
    onTestFinished(() => worker.stop());
    await expect(worker.start()).rejects.toThrow('connectTimeout');
  });

  it('stops for good when it is refused', async () => {
    const newer = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(newer, 'listening');
    onTestFinished(() => void newer.close());
    newer.on('connection', (socket) => socket.close(4406, 'Cannot speak v1: Update the older one.'));
    const worker = new Worker((n: number) => n, { url: `ws://127.0.0.1:${portOf(newer)}` });
    onTestFinished(() => worker.stop());
    await expect(worker.start()).rejects.toMatchObject({
      code: 'TASKDIST_REFUSED',
      message: expect.stringContaining('Update the older one'),
    });
    await expect.poll(() => worker.state).toBe('stopped');
  });
});
