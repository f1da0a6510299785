// Workers with tokens, and masters that ask for them.
import { acceptTokens, type ConnectionRequest } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster, gate, nextMasterEvent, nextWorkerEvent } from './cluster.ts';

const TOKEN = 'a secret of both';

describe('a master with tokens', () => {
  it.each<[string, string | (() => string | Promise<string>)]>([
    ['a text', TOKEN],
    ['a function', () => TOKEN],
    ['a function that promises it', async () => TOKEN],
  ])('lets in a worker that has one: %s', async (_what, token) => {
    const cluster = await Cluster.start<number, number>({ authenticate: acceptTokens('another', TOKEN) });
    await cluster.join((n) => n + 1, { token });
    await expect(cluster.scheduler.put(1)).resolves.toBe(2);
  });

  it.each([undefined, 'wrong'])('refuses a worker for good that has %s, and says where it came from', async (token) => {
    const cluster = await Cluster.start<number, number>({ authenticate: acceptTokens(TOKEN) });
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    await expect(cluster.join((n) => n, { token })).rejects.toMatchObject({ code: 'TASKDIST_REFUSED' });
    expect(await refused).toMatchObject({ code: 4401, address: '127.0.0.1' });
    expect(cluster.master.workers()).toEqual([]);
  });
});

describe('a master with a function', () => {
  it('asks it with the request, and tells of the identity', async () => {
    const asked = gate<[string | undefined, ConnectionRequest]>();
    const cluster = await Cluster.start<number, number>({
      authenticate: async (token, request) => {
        asked.open([token, request]);
        return { id: 'ada@example.org' };
      },
    });
    await cluster.join((n) => n, { url: `${cluster.url}?team=7`, token: TOKEN, name: 'Ada' });
    const [token, request] = await asked.promise;
    expect(token).toBe(TOKEN);
    expect(request).toMatchObject({
      address: '127.0.0.1',
      url: '/?team=7',
      name: 'Ada',
      headers: { host: new URL(cluster.url).host },
    });
    // Plain data alone.
    expect(structuredClone(request)).toEqual(request);
    expect(cluster.master.workers()).toMatchObject([{ name: 'Ada', identity: 'ada@example.org' }]);
  });

  it('is no worse for one that fails: the worker tries again', async () => {
    const log: string[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => log.push(message) };
    let tries = 0;
    const cluster = await Cluster.start<number, number>({
      logger,
      authenticate: async () => {
        tries += 1;
        if (tries === 1) throw new Error('The database is down');
        return true;
      },
    });
    const disconnected = nextMasterEvent(cluster.master, 'connectionRefused');
    const result = cluster.scheduler.put(1);
    const options = { token: TOKEN, reconnect: { base: 1, cap: 5 } };
    await expect(cluster.join((n) => n + 1, options)).rejects.toMatchObject({ code: 'TASKDIST_CONNECT' });
    expect((await disconnected).code).toBe(4500);
    await expect(result).resolves.toBe(2);
    expect(log).toEqual(['`authenticate` failed: The database is down']);
  });

  it('waits for it no longer than for a hello', async () => {
    const cluster = await Cluster.start<number, number>({
      helloTimeout: 100,
      authenticate: () => new Promise(() => {}),
    });
    await expect(cluster.join((n) => n, { reconnect: false })).rejects.toThrow('not known in time');
  });

  it('takes a worker that changes its mind meanwhile', async () => {
    const asked = gate();
    const answer = gate();
    const cluster = await Cluster.start<number, number>({
      authenticate: async () => {
        asked.open();
        await answer.promise;
        return true;
      },
    });
    const connected = nextMasterEvent(cluster.master, 'workerConnected');
    const raw = await cluster.connectRaw();
    raw.hello({ concurrency: 1 });
    await asked.promise;
    raw.send([9, 4, 0, 0]);
    // Behind it in the same connection: the ping of WebSocket is answered once the credit is read.
    const pong = new Promise((resolve) => raw.socket.once('pong', resolve));
    raw.socket.ping();
    await pong;
    answer.open();
    expect((await connected).worker).toMatchObject({ concurrency: 4 });
  });

  it('never has the token in what it tells or logs', async () => {
    const log: unknown[] = [];
    const write = (...words: unknown[]): void => void log.push(words);
    const logger = { debug: write, info: write, warn: write, error: write };
    const cluster = await Cluster.start<number, number>({ logger, authenticate: (token) => token === TOKEN });
    const told: unknown[] = [];
    for (const type of ['workerConnected', 'workerDisconnected', 'connectionRefused'] as const) {
      cluster.master.on(type, (event) => told.push(event));
    }
    await cluster.join((n) => n, { token: TOKEN });
    const raw = await cluster.connectRaw();
    const refused = nextMasterEvent(cluster.master, 'connectionRefused');
    // Not JSON, close to the token: an engine's own words would quote it.
    raw.socket.send(`[[0,{"token":${TOKEN}}]]`);
    const { reason } = await raw.closed;
    await refused;
    expect(JSON.stringify([told, log, reason])).not.toContain('secret');
    expect(told).toHaveLength(2);
  });
});

describe('a worker', () => {
  it('asks its function for a token again when it connects again', async () => {
    const tokens: unknown[] = [];
    const authenticate = (token: string | undefined): boolean => tokens.push(token) > 0;
    const first = await Cluster.start<number, number>({ authenticate });
    let count = 0;
    const token = (): string => {
      count += 1;
      return `token ${count}`;
    };
    const worker = await first.join((n) => n, { token, reconnect: { base: 5, cap: 20 } });
    const port = first.master.address?.port ?? 0;
    await first.master.stop();
    const connected = nextWorkerEvent(worker, 'connected');
    await Cluster.start<number, number>({ authenticate, port });
    await connected;
    expect(tokens[0]).toBe('token 1');
    expect(tokens.at(-1)).toBe(`token ${count}`);
    expect(count).toBeGreaterThan(1);
  });
});
