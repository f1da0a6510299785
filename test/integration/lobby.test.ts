// TCP connections to a master's own server that have not asked for anything yet.
import { once } from 'node:events';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Worker } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Child } from './child.ts';
import { Cluster, gate } from './cluster.ts';

/** Connections that say nothing, and come again whenever they are closed. */
class Mutes {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #cutOffs = gate();
  #enough: number;
  #isOver = false;

  /** So many; {@link cutOffOften} is when they have been closed so often. */
  constructor(port: number, connections: number, enough: number) {
    this.#port = port;
    this.#enough = enough;
    onTestFinished(() => {
      this.#isOver = true;
      for (const socket of this.#sockets) socket.destroy();
    });
    for (let count = 0; count < connections; count += 1) this.#connect();
  }

  get cutOffOften(): Promise<void> {
    return this.#cutOffs.promise;
  }

  #connect(): void {
    const socket = connect(this.#port, '127.0.0.1');
    this.#sockets.add(socket);
    socket.resume();
    // Reset is an end as well.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#enough -= 1;
      if (this.#enough <= 0) this.#cutOffs.open();
      if (!this.#isOver) this.#connect();
    });
  }
}

const portOf = (cluster: Cluster<number, number>): number => cluster.master.address?.port ?? 0;

/** One that says so much, and nothing more. It never hangs up by itself. */
async function say(cluster: Cluster<number, number>, bytes = ''): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect({ port: portOf(cluster), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.on('data', (data) => {
    answer += String(data);
  });
  const ended = new Promise<string>((resolve) => {
    socket.on('end', () => resolve(answer));
    // Reset is an end as well.
    socket.on('error', () => resolve(answer));
  });
  await once(socket, 'connect');
  socket.write(bytes);
  return { socket, answer: ended };
}

/** A worker that tries until it is let in: where many come, it may be cut off before it has asked. */
function work(url: string): void {
  const worker = new Worker<number, number>((n) => n + 1, { url, reconnect: { base: 20, cap: 50 } });
  onTestFinished(() => worker.stop());
  worker.start().catch(() => {});
}

/** What a master says of those whom it does not let in, as it says it. */
function refusals(cluster: Cluster<number, number>) {
  const codes: number[] = [];
  const waiting: { count: number; reached: () => void }[] = [];
  cluster.master.on('connectionRefused', ({ code }) => {
    codes.push(code);
    for (const { count, reached } of waiting) if (codes.length >= count) reached();
  });
  const reach = (count: number): Promise<void> =>
    new Promise((reached) => {
      if (codes.length >= count) reached();
      else waiting.push({ count, reached });
    });
  return { codes, reach };
}

describe('a master on a port', () => {
  it('holds no more connections that say nothing than may be pending, and cuts off the oldest', async () => {
    const cluster = await Cluster.start<number, number>({ maxPending: 4, helloTimeout: 60_000 });
    const { codes, reach } = refusals(cluster);
    const all = [];
    for (let count = 0; count < 20; count += 1) all.push(await say(cluster));
    await reach(16);
    expect(await Promise.all(all.slice(0, 16).map(({ answer }) => answer))).toEqual(Array(16).fill(''));
    expect(all.slice(16).filter(({ socket }) => socket.readableEnded)).toEqual([]);
    expect(codes).toEqual(Array(16).fill(503));
  });

  it('gives an honest worker its tasks while they come again and again', async () => {
    const cluster = await Cluster.start<number, number>({ maxConnections: 4, maxPending: 3, helloTimeout: 60_000 });
    const mutes = new Mutes(portOf(cluster), 40, 100);
    await mutes.cutOffOften;
    work(cluster.url);
    for (let n = 0; n < 10; n += 1) expect(await cluster.scheduler.put(n)).toBe(n + 1);
  });

  it.skipIf(process.platform === 'win32')('does not run out of files by them', async () => {
    const child = new Child('master-process', { maxConnections: 10, helloTimeout: 60_000 }, 200);
    const [, port] = await child.first('listening');
    const mutes = new Mutes(Number(port), 400, 400);
    await mutes.cutOffOften;
    work(`ws://127.0.0.1:${port}/`);
    child.tell('put', 1);
    expect(await child.first('result')).toEqual(['result', 2]);
  });

  it('counts none that has become a worker, and cuts none of these off', async () => {
    const cluster = await Cluster.start<number, number>({ maxPending: 2 });
    const { codes, reach } = refusals(cluster);
    const gone: number[] = [];
    cluster.master.on('workerDisconnected', ({ code }) => gone.push(code));
    for (let count = 0; count < 4; count += 1) await cluster.join((n) => n + 1);
    for (let count = 0; count < 3; count += 1) await say(cluster);
    await reach(1);
    expect(codes).toEqual([503]);
    expect(gone).toEqual([]);
    expect(cluster.master.workers()).toHaveLength(4);
  });

  it('answers plain requests with 426 among them', async () => {
    const cluster = await Cluster.start<number, number>({ maxPending: 1 });
    for (let count = 0; count < 5; count += 1) {
      await say(cluster);
      const [response] = await once(get(`http://127.0.0.1:${portOf(cluster)}/`), 'response');
      response.resume();
      expect(response.statusCode).toBe(426);
    }
  });

  it('counts one that asks for what no server has on, which is answered and stays', async () => {
    const cluster = await Cluster.start<number, number>({ maxPending: 1, helloTimeout: 60_000 });
    const { socket, answer } = await say(cluster, 'GET / HTTP/1.1\r\nHost: x\r\nExpect: the unexpected\r\n\r\n');
    await once(socket, 'data');
    await say(cluster);
    expect(await answer).toMatch(/^HTTP\/1.1 417 /);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1.1 400 /],
    ['bytes at random', '\0\x16\x03\x01\x02\0\r\n\r\n', /^HTTP\/1.1 400 /],
    ['too large a header', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, /^HTTP\/1.1 431 /],
    ['an encoding that there is not', 'POST / HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n', /^HTTP\/1.1 400 /],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', /^$/],
    [
      'an upgrade without a key',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      /^HTTP\/1.1 400 /,
    ],
    [
      'an upgrade to something else',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      /^HTTP\/1.1 400 /,
    ],
    [
      'an upgrade elsewhere',
      'GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      /^HTTP\/1.1 404 /,
    ],
  ])('cuts off who asks for %s, raises nothing, and counts it no more', async (_what, bytes, expected) => {
    const cluster = await Cluster.start<number, number>({ maxPending: 2, helloTimeout: 60_000 });
    const { codes, reach } = refusals(cluster);
    for (let count = 0; count < 5; count += 1) {
      const { answer } = await say(cluster, bytes);
      expect(await answer).toMatch(expected);
    }
    const first = await say(cluster);
    await say(cluster);
    await say(cluster);
    await reach(1);
    expect(await first.answer).toBe('');
    expect(codes).toEqual([503]);
  });

  it('counts none that breaks off in its request', async () => {
    const cluster = await Cluster.start<number, number>({ maxPending: 3, helloTimeout: 60_000 });
    const { codes } = refusals(cluster);
    for (let count = 0; count < 5; count += 1) {
      const { socket } = await say(cluster, 'GET / HTTP/1.1\r\nUpgrade: web');
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    await cluster.join((n) => n + 1);
    expect(await cluster.scheduler.put(1)).toBe(2);
    expect(codes).toEqual([]);
  });

  it('stops among them, and counts none of them when it starts again', async () => {
    const cluster = await Cluster.start<number, number>({ maxPending: 2, helloTimeout: 60_000 });
    const mutes = [await say(cluster), await say(cluster)];
    await cluster.master.stop();
    await Promise.all(mutes.map(({ answer }) => answer));
    await cluster.master.start();
    const { codes, reach } = refusals(cluster);
    const first = await say(cluster);
    await say(cluster);
    await say(cluster);
    await reach(1);
    expect(await first.answer).toBe('');
    expect(codes).toEqual([503]);
  });
});
