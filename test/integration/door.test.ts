// Who is let in by a master that listens.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { FifoScheduler, Master, type MasterOptions } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { Cluster, nextMasterEvent, RawClient } from './cluster.ts';

/** What comes of a try to connect: 101, or the status of the refusal and when to try again. */
async function knock(url: string, options: ClientOptions = {}): Promise<{ status: number; retryAfter?: string }> {
  const socket = new WebSocket(url, ['taskdist.v1.json'], options);
  onTestFinished(() => socket.terminate());
  return await new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ status: 101 }));
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, { statusCode = 0, headers }) => {
      const retryAfter = headers['retry-after'];
      resolve({ status: statusCode, ...(retryAfter === undefined ? {} : { retryAfter }) });
    });
  });
}

/** A client that comes from somewhere else, as a proxy says it. */
async function comeFrom(cluster: Cluster<number, number>, address: string): Promise<RawClient> {
  const socket = new WebSocket(cluster.url, ['taskdist.v1.json'], { headers: { 'X-Forwarded-For': address } });
  onTestFinished(() => socket.terminate());
  const client = new RawClient(socket);
  await once(socket, 'open');
  return client;
}

const byProxy: MasterOptions = { addressOf: ({ headers, address }) => headers['x-forwarded-for'] ?? address };

async function tcp(port: number | undefined): Promise<Socket> {
  // Left half-open, it never hangs up by itself.
  const socket = connect({ port: port ?? 0, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  // Reset is an end as well.
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** A WebSocket of which the test writes each byte. */
async function upgrade(socket: Socket): Promise<void> {
  const key = Buffer.alloc(16).toString('base64');
  const request = `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\n`;
  socket.write(`${request}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: taskdist.v1.json\r\n\r\n`);
  await once(socket, 'data');
}

/** A master on a server of the test's, which sees the sockets that are accepted. */
async function attach(options: MasterOptions = {}) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const cluster = new Cluster<number, number>({ server, ...options });
  await cluster.master.start();
  const { port } = server.address() as AddressInfo;
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  return { cluster, port, url: `ws://127.0.0.1:${port}/`, accepted };
}

describe('a page', () => {
  it('may connect if it is of the same host and port, and programs may always', async () => {
    const cluster = await Cluster.start<number, number>();
    const { host } = new URL(cluster.url);
    expect(await knock(cluster.url, { origin: `http://${host}` })).toEqual({ status: 101 });
    expect(await knock(cluster.url)).toEqual({ status: 101 });
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    expect(await knock(cluster.url, { origin: 'http://127.0.0.1' })).toEqual({ status: 403 });
    expect(await refused).toMatchObject({
      code: 403,
      address: '127.0.0.1',
      reason: expect.stringContaining('origins'),
    });
    expect(await knock(cluster.url, { origin: 'null' })).toEqual({ status: 403 });
  });

  it('may connect if its origin is listed, and then the same host may not unless it is too', async () => {
    const cluster = await Cluster.start<number, number>({ origins: ['https://example.org'] });
    expect(await knock(cluster.url, { origin: 'https://example.org' })).toEqual({ status: 101 });
    expect(await knock(cluster.url, { origin: 'https://example.com' })).toEqual({ status: 403 });
    expect(await knock(cluster.url, { origin: `http://${new URL(cluster.url).host}` })).toEqual({ status: 403 });
  });

  it('may connect wherever it is from, if all may', async () => {
    const cluster = await Cluster.start<number, number>({ origins: '*' });
    for (const origin of ['https://example.org', 'null']) {
      expect(await knock(cluster.url, { origin })).toEqual({ status: 101 });
    }
  });

  it('is judged in the same way on a server of the user’s', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { master } = new Cluster<number, number>({ server, path: '/taskdist' });
    await master.start();
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await knock(`ws://${host}/taskdist`, { origin: `http://${host}` })).toEqual({ status: 101 });
    expect(await knock(`ws://${host}/taskdist`, { origin: 'http://evil.example' })).toEqual({ status: 403 });
  });
});

describe('a master', () => {
  it('lets in so many connections, and of one address so many', async () => {
    const cluster = await Cluster.start<number, number>({ ...byProxy, maxConnections: 3, maxConnectionsPerAddress: 2 });
    const [first] = [await comeFrom(cluster, '192.0.2.1'), await comeFrom(cluster, '192.0.2.1')];
    const headers = (address: string): ClientOptions => ({ headers: { 'X-Forwarded-For': address } });
    expect(await knock(cluster.url, headers('192.0.2.1'))).toEqual({ status: 429 });
    await comeFrom(cluster, '192.0.2.2');
    expect(await knock(cluster.url, headers('192.0.2.3'))).toEqual({ status: 503 });
    first.socket.close();
    await first.closed;
    expect(await knock(cluster.url, headers('192.0.2.3'))).toEqual({ status: 101 });
  });

  it('waits for as many workers that have broken off, and no more', async () => {
    const cluster = await Cluster.start<number, number>({ maxConnections: 2, resumeWindow: 60_000 });
    cluster.scheduler.put(1).catch(() => {});
    const left = nextMasterEvent(cluster.master, 'workerDisconnected');
    for (let count = 0; count < 3; count += 1) {
      const interrupted = nextMasterEvent(cluster.master, 'workerInterrupted');
      const raw = await cluster.connectRaw();
      cluster.scheduler.put(1).catch(() => {});
      raw.hello({ resume: true });
      await raw.next(2);
      raw.socket.terminate();
      await interrupted;
    }
    expect(await left).toMatchObject({ worker: { id: 'w1' }, code: 1006 });
    expect(cluster.master.workers().map(({ id }) => id)).toEqual(['w2', 'w3']);
  });

  it('lets an honest worker in while a thousand connections say nothing', async () => {
    const cluster = await Cluster.start<number, number>({ maxPending: 1000 });
    const mute: RawClient[] = [];
    // Not all at once, as they would have to wait for a place in the system's queue.
    for (let round = 0; round < 10; round += 1) {
      mute.push(...(await Promise.all(Array.from({ length: 100 }, () => cluster.connectRaw()))));
    }
    const put = cluster.scheduler.put(20);
    await cluster.join((n) => n + 1);
    await expect(put).resolves.toBe(21);
    // The one that had the longest time to say hello has made room.
    expect(await mute[0]?.closed).toMatchObject({ code: 1013 });
    expect(mute[1]?.socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each([
    ['says nothing', ''],
    ['does not end its request', 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n'],
    ['does not end what its request holds', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n'],
  ])('closes a connection that %s in time', async (_what, bytes) => {
    const cluster = await Cluster.start<number, number>({ helloTimeout: 200 });
    const socket = await tcp(cluster.master.address?.port);
    socket.write(bytes);
    const startedAt = performance.now();
    await once(socket, 'end');
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('answers one request by plain HTTP, and hangs up', async () => {
    const cluster = await Cluster.start<number, number>();
    const socket = await tcp(cluster.master.address?.port);
    let answers = '';
    socket.on('data', (data) => {
      answers += data;
      // As whoever would stay for ever.
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'end');
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 426']);
  });

  it('does not wait for who was refused to hang up', async () => {
    const cluster = await Cluster.start<number, number>({ origins: [] });
    const socket = await tcp(cluster.master.address?.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://y\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
    await cluster.master.stop();
  });

  it('bans an address that has misbehaved too often, for a while, and no other', async () => {
    const cluster = await Cluster.start<number, number>({ ...byProxy, ban: { strikes: 3, duration: 60_000 } });
    const honest = await comeFrom(cluster, '192.0.2.1');
    honest.hello();
    await honest.next(1);
    const banned = nextMasterEvent(cluster.master, 'addressBanned');
    const sentAt = Date.now();
    for (let count = 0; count < 3; count += 1) {
      const client = await comeFrom(cluster, '192.0.2.1');
      client.socket.send('{}');
      await client.closed;
    }
    const { address, reason, until } = await banned;
    expect({ address, reason }).toEqual({ address: '192.0.2.1', reason: expect.stringMatching(/^4400 /) });
    expect(until - sentAt).toBeGreaterThanOrEqual(60_000);
    expect(await knock(cluster.url, { headers: { 'X-Forwarded-For': '192.0.2.1' } })).toEqual({
      status: 403,
      retryAfter: expect.stringMatching(/^(59|60)$/),
    });
    expect(await knock(cluster.url, { headers: { 'X-Forwarded-For': '192.0.2.2' } })).toEqual({ status: 101 });
    // Who is inside stays.
    const result = cluster.scheduler.put(1);
    const [, lease] = await honest.next(2);
    honest.send([5, lease, 2]);
    await expect(result).resolves.toBe(2);
  });

  it('bans nobody for what a peer makes of its frames', async () => {
    const cluster = await Cluster.start<number, number>({ ...byProxy, ban: { strikes: 1 } });
    for (const code of [1002, 1009, 4400, 4409]) {
      const left = nextMasterEvent(cluster.master, 'workerDisconnected');
      const raw = await comeFrom(cluster, '192.0.2.1');
      raw.hello();
      await raw.next(1);
      raw.socket.close(code);
      expect(await left).toMatchObject({ code });
    }
    await comeFrom(cluster, '192.0.2.1');
  });

  it('bans nobody from this machine, from where everybody may come by a proxy', async () => {
    const cluster = await Cluster.start<number, number>({ ban: { strikes: 1 } });
    for (let count = 0; count < 3; count += 1) {
      const client = await cluster.connectRaw();
      client.socket.send('{}');
      expect((await client.closed).code).toBe(4400);
    }
  });

  it.each<[string, Buffer, number]>([
    // A text frame whose payload is not UTF-8, a reserved opcode, and a frame that claims to have 8 MiB.
    ['no UTF-8', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
    ['no WebSocket', Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
    ['too large a frame', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0]), 1009],
  ])('knows what a peer was closed for that does not answer: %s', async (_what, bytes, code) => {
    const cluster = await Cluster.start<number, number>({ ...byProxy, ban: { strikes: 1 } });
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    const socket = await tcp(cluster.master.address?.port);
    await upgrade(socket);
    socket.write(bytes);
    expect(await refused).toMatchObject({ code, address: '127.0.0.1' });
    expect(await knock(cluster.url)).toMatchObject({ status: 403 });
  });

  it('answers pings of WebSocket', async () => {
    const cluster = await Cluster.start<number, number>();
    const raw = await cluster.connectRaw();
    const ponged = once(raw.socket, 'pong');
    raw.socket.ping('x');
    expect(String(...(await ponged))).toBe('x');
  });

  it('does not pile up answers to pings that nobody reads, and goes on', async () => {
    const { cluster, url, accepted } = await attach();
    const socket = new WebSocket(url, ['taskdist.v1.json']);
    onTestFinished(() => socket.terminate());
    const raw = new RawClient(socket);
    const atMaster = await accepted;
    await once(socket, 'open');
    raw.hello();
    await raw.next(1);
    const put = cluster.scheduler.put(1);
    const [, lease] = await raw.next(2);
    socket.pause();
    // Their answers are more than the system keeps for the two.
    const pings = 200_000;
    const payload = Buffer.alloc(125);
    for (let count = 0; count < pings; count += 1) socket.ping(payload);
    // All of them are read when this is.
    raw.send([5, lease, 2]);
    await expect(put).resolves.toBe(2);
    expect(atMaster.writableLength).toBeGreaterThan(0);
    expect(atMaster.writableLength).toBeLessThan(20_000);
    socket.resume();
    const last = cluster.scheduler.put(3);
    const [, next] = await raw.next(2);
    raw.send([5, next, 4]);
    await expect(last).resolves.toBe(4);
  });

  it.each<[string, MasterOptions, boolean]>([
    ['has said hello', {}, false],
    ['is known', { authenticate: () => new Promise(() => {}) }, true],
  ])('holds little of who sends much before it %s', async (_until, options, hasSaidHello) => {
    const cluster = await Cluster.start<number, number>({ ...byProxy, ...options, ban: { strikes: 1 } });
    const raw = await cluster.connectRaw();
    if (hasSaidHello) raw.hello();
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    // A part of a frame that may be as large: there is nothing to be heard.
    raw.socket.send('x'.repeat(140_000), { fin: false });
    expect(await refused).toMatchObject({ code: 1009, reason: 'More than 131072 bytes before the welcome' });
    await raw.closed;
    expect(await knock(cluster.url)).toMatchObject({ status: 403 });
  });

  it('takes a large hello, with all that may be said behind it, and then frames as large as may be', async () => {
    const cluster = await Cluster.start<number, number>({ authenticate: async () => true });
    const raw = await cluster.connectRaw();
    raw.hello({ concurrency: 0, ignored: 'x'.repeat(60_000) });
    for (let count = 0; count < 900; count += 1) raw.send([9, 1, 0, 0]);
    await raw.next(1);
    const put = cluster.scheduler.put(1);
    const [, lease] = await raw.next(2);
    raw.send([5, lease, 2, 'x'.repeat(1_000_000)]);
    await expect(put).resolves.toBe(2);
  });

  it('takes no message in more pieces than it is worth', async () => {
    const cluster = await Cluster.start<number, number>({ maxFrameBytes: 65_536 });
    const raw = await cluster.connectRaw();
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    for (let piece = 0; piece < 100; piece += 1) raw.socket.send('x', { fin: false });
    expect(await refused).toMatchObject({ code: 1008 });
  });

  it('takes no piece in more chunks than it is worth', async () => {
    const { cluster, port, accepted } = await attach({ maxFrameBytes: 65_536 });
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    const socket = await tcp(port);
    const atMaster = await accepted;
    await upgrade(socket);
    socket.setNoDelay();
    // One for each 128 bytes of a frame that may be as large.
    const chunks = 513;
    socket.write(Buffer.from([0x81, 0x80 | 126, chunks >> 8, chunks & 0xff, 0, 0, 0, 0]));
    for (let count = 0; count < chunks && !atMaster.destroyed; count += 1) {
      // Each by itself, as the system would put them together.
      const read = Promise.race([once(atMaster, 'data'), once(atMaster, 'close')]);
      socket.write(' ');
      await read;
    }
    expect(await refused).toMatchObject({ code: 1008 });
  });

  it('closes who floods it unasked, and gives its tasks to others', async () => {
    const cluster = await Cluster.start<number, number>({ maxMessageRate: 100, socketTimeout: 1000 });
    const raw = await cluster.connectRaw();
    raw.hello();
    const [, welcome] = await raw.next(1);
    expect(welcome).toMatchObject({ maxMessageRate: 100 });
    const put = cluster.scheduler.put(1);
    const [, lease] = await raw.next(2);
    for (let count = 0; count < 500; count += 1) raw.send([12, lease, count]);
    expect(await raw.closed).toMatchObject({ code: 4429 });
    await cluster.join((n) => n + 1);
    await expect(put).resolves.toBe(2);
  });

  it('closes no worker whose handler tells of its progress in a tight loop', async () => {
    const cluster = await Cluster.start<number, string>({ maxMessageRate: 100, socketTimeout: 1000 });
    let told = 0;
    cluster.master.on('progress', () => {
      told += 1;
    });
    const left = nextMasterEvent(cluster.master, 'workerDisconnected').then(({ reason }) => reason);
    await cluster.join(async (n, context) => {
      for (let round = 0; round < n; round += 1) {
        for (let count = 0; count < 1000; count += 1) context.progress(count);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return 'done';
    });
    const outcome = await Promise.race([cluster.scheduler.put(1000), left]);
    expect(outcome).toBe('done');
    expect(told).toBeGreaterThan(50);
  });
});

describe('the options of who is let in', () => {
  it.each<[string, unknown, string]>([
    ['authenticate', 'secret', '`authenticate` to be a function, got "secret"'],
    ['addressOf', 'X-Forwarded-For', '`addressOf` to be a function, got "X-Forwarded-For"'],
    ['origins', 'https://example.org', "`origins` to be '*', or a list of origins such as 'https://example.org'"],
    ['origins', ['example.org'], "`origins[0]` to be '*', or a list"],
    ['maxConnections', 0, '`maxConnections` to be an integer ≥ 1 or Infinity, got 0'],
    ['maxConnectionsPerAddress', 1.5, '`maxConnectionsPerAddress` to be an integer ≥ 1 or Infinity, got 1.5'],
    ['maxPending', -1, '`maxPending` to be an integer ≥ 1 or Infinity, got -1'],
    ['maxPendingPerAddress', '9', '`maxPendingPerAddress` to be an integer ≥ 1 or Infinity, got "9"'],
    ['maxMessageRate', 99, '`maxMessageRate` to be an integer ≥ 100 or Infinity, got 99'],
    ['ban', true, '`ban` to be an object, got true'],
    ['ban', { strikes: 0 }, '`ban.strikes` to be an integer ≥ 1, got 0'],
    ['ban', { within: 0 }, '`ban.within` to be a number of milliseconds ≥ 1, got 0'],
    ['ban', { duration: Number.POSITIVE_INFINITY }, '`ban.duration` to be a number of milliseconds ≥ 1, got Infinity'],
  ])('refuse a wrong %s: %j', (name, value, message) => {
    expect(() => new Master(new FifoScheduler(), { [name]: value })).toThrow(`Expected ${message}`);
  });

  it('refuse a ban with a name that does not exist', () => {
    // @ts-expect-error: no such option
    expect(() => new Master(new FifoScheduler(), { ban: { strike: 1 } })).toThrow('Unknown option `strike` for ban');
  });
});
