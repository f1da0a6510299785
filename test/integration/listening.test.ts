import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { FifoScheduler, Master, type MasterOptions, Worker } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createCertificate } from './certificate.ts';
import { Cluster, nextMasterEvent } from './cluster.ts';

const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;

describe('Master on a port', () => {
  it('tells where it listens, and answers plain requests with 426', async () => {
    const { master } = await Cluster.start();
    expect(master.address).toMatchObject({ host: '127.0.0.1' });
    const [response] = await once(get(`http://127.0.0.1:${master.address?.port}/`), 'response');
    response.resume();
    expect(response.statusCode).toBe(426);
  });

  it('serves its path only', async () => {
    const { master } = await Cluster.start({ path: '/tasks' });
    const socket = new WebSocket(`ws://127.0.0.1:${master.address?.port}/`, ['taskdist.v1.json']);
    const [error] = await once(socket, 'error');
    expect(error.message).toContain('404');
  });

  it('reports a port in use, and serves it as soon as it is free', async () => {
    const blocker = createTcpServer();
    blocker.listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const port = portOf(blocker);
    const cluster = new Cluster<number, number>({ port, listenTimeout: 20 });
    const result = cluster.scheduler.put(1);
    const failure = nextMasterEvent(cluster.master, 'error');
    await expect(cluster.master.start()).rejects.toMatchObject({
      code: 'TASKDIST_LISTEN',
      message: expect.stringContaining(`127.0.0.1:${port}`),
      cause: { code: 'EADDRINUSE' },
    });
    expect((await failure).error.code).toBe('TASKDIST_LISTEN');
    const listening = nextMasterEvent(cluster.master, 'listening');
    blocker.close();
    await listening;
    await cluster.join((n) => n + 1);
    await expect(result).resolves.toBe(2);
  });

  it('can be stopped while it waits to try again, and does not try then', async () => {
    const blocker = createTcpServer();
    blocker.listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    onTestFinished(() => void blocker.close());
    const { master } = new Cluster({ port: portOf(blocker), listenTimeout: 1_000_000 });
    await master.start().catch(() => {});
    await master.stop();
  });

  it('stops twice, settles everything, and starts again', async () => {
    const { scheduler, master } = await Cluster.start<number, number>();
    const queued = scheduler.put(1);
    const stopped = Promise.all([master.stop(), master.stop()]);
    await expect(queued).rejects.toMatchObject({ code: 'TASKDIST_STOPPED' });
    await expect(scheduler.put(2)).rejects.toMatchObject({ code: 'TASKDIST_STOPPED' });
    await stopped;
    expect(master.address).toBeUndefined();
    await master.start();
    const worker = new Worker<number, number>((n) => n, { url: `ws://127.0.0.1:${master.address?.port}` });
    onTestFinished(() => worker.stop());
    await worker.start();
    await expect(scheduler.put(3)).resolves.toBe(3);
  });

  it('refuses to start twice, and to share its scheduler with another that runs', async () => {
    const { scheduler, master } = await Cluster.start();
    await expect(master.start()).rejects.toThrow('running already');
    const other = new Master(scheduler, { port: 0 });
    await expect(other.start()).rejects.toThrow('uses this scheduler already');
  });

  it.each([
    ['port', 70_000, '`port` to be an integer from 0 to 65535, got 70000'],
    ['port', '9000', '`port` to be an integer from 0 to 65535, got "9000"'],
    ['host', '', '`host` to be a string of 1 to 255 characters, got ""'],
    ['path', 'tasks', '`path` to be a path that starts with /, without query and percent-encoded, got "tasks"'],
    ['server', {}, '`server` to be an http.Server or https.Server, got an object'],
    ['listenTimeout', -1, '`listenTimeout` to be a number of milliseconds ≥ 0, got -1'],
    ['socketTimeout', 10, '`socketTimeout` to be a number of milliseconds ≥ 100, got 10'],
    ['taskTimeout', Number.NaN, '`taskTimeout` to be a number of milliseconds ≥ 1 or Infinity, got NaN'],
    ['helloTimeout', 0, '`helloTimeout` to be a number of milliseconds ≥ 1, got 0'],
    ['maxFrameBytes', 1000, '`maxFrameBytes` to be an integer from 65536 to 1073741824, got 1000'],
    ['logger', null, '`logger` to be an object, got null'],
    ['logger', {}, '`logger.debug` to be a function, got undefined'],
  ])('refuses a wrong %s: %s', (name, value, message) => {
    const options = { [name]: value } as MasterOptions;
    expect(() => new Master(new FifoScheduler(), options)).toThrow(`Expected ${message}`);
  });

  it('refuses an option that does not exist, and a scheduler that is none', () => {
    expect(() => new Master(new FifoScheduler(), { prot: 1 } as MasterOptions)).toThrow('Unknown option `prot`');
    expect(() => new Master({} as FifoScheduler<unknown, unknown>)).toThrow('`scheduler` to be a TaskScheduler');
  });
});

describe('Master attached to a server', () => {
  it('serves one path, and leaves the server to its owner', async () => {
    const server = createServer((_request, response) => response.end('a page'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const port = portOf(server);
    const { scheduler, master } = new Cluster<number, number>({ server, path: '/taskdist' });
    await master.start();
    const worker = new Worker<number, number>((n) => n * 2, { url: `http://127.0.0.1:${port}/taskdist?x=1` });
    onTestFinished(() => worker.stop());
    await worker.start();
    await expect(scheduler.put(2)).resolves.toBe(4);

    const stray = new WebSocket(`ws://127.0.0.1:${port}/elsewhere`);
    const [error] = await once(stray, 'error');
    expect(error.message).toContain('404');

    await worker.stop();
    await master.stop();
    expect(server.listening).toBe(true);
    expect(server.listenerCount('upgrade')).toBe(0);
    const [response] = await once(get(`http://127.0.0.1:${port}/`), 'response');
    response.resume();
    expect(response.statusCode).toBe(200);
  });

  it('leaves other paths to other listeners', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const others = new WebSocketServer({ noServer: true });
    const { master } = new Cluster({ server, path: '/taskdist' });
    await master.start();
    const greet = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (request.url === '/chat') others.handleUpgrade(request, socket, head, (webSocket) => webSocket.send('hello'));
    };
    server.on('upgrade', greet);
    onTestFinished(() => void server.off('upgrade', greet));
    const chat = new WebSocket(`ws://127.0.0.1:${portOf(server)}/chat`);
    onTestFinished(() => chat.terminate());
    const [message] = await once(chat, 'message');
    expect(message.toString()).toBe('hello');
  });

  it('serves wss with an https server', async () => {
    const { key, cert } = createCertificate();
    const server = createTlsServer({ key, cert });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { master } = new Cluster({ server });
    await master.start();
    const socket = new WebSocket(`wss://localhost:${portOf(server)}/`, ['taskdist.v1.json'], { ca: cert });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    socket.send('[[0,{"version":1,"name":"n","platform":"p","concurrency":0,"prefetch":0}]]');
    const [welcome] = await once(socket, 'message');
    expect(JSON.parse(welcome.toString())[0][0]).toBe(1);
  });
});
