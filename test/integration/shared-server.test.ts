// Several masters on one server of the user's.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TaskFunction, Worker } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Cluster } from './cluster.ts';

async function listen(): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response) => response.end('a page'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function join(url: string, handler: TaskFunction<number, string>): Promise<void> {
  const worker = new Worker<number, string>(handler, { url });
  onTestFinished(() => worker.stop());
  await worker.start();
}

/** Why a WebSocket does not come about. */
async function refusalOf(url: string): Promise<string> {
  const socket = new WebSocket(url, ['taskdist.v1.json']);
  onTestFinished(() => socket.terminate());
  const [error] = await once(socket, 'error');
  return error.message;
}

describe('two masters on one server', () => {
  it('serve a path each, and the server answers 404 for any other', async () => {
    const { server, url } = await listen();
    const [a, b] = [
      new Cluster<number, string>({ server, path: '/a' }),
      new Cluster<number, string>({ server, path: '/b' }),
    ];
    await a.master.start();
    await b.master.start();
    await join(`${url}/a`, (n) => `a ${n}`);
    await join(`${url}/b?x=1`, (n) => `b ${n}`);
    expect(await Promise.all([a.scheduler.put(1), b.scheduler.put(2)])).toEqual(['a 1', 'b 2']);
    for (const path of ['/', '/c', '/a/', '/A']) expect(await refusalOf(url + path)).toContain('404');

    // Whichever of them is left answers.
    await b.master.stop();
    for (const path of ['/b', '/c']) expect(await refusalOf(url + path)).toContain('404');
    await expect(a.scheduler.put(3)).resolves.toBe('a 3');
    await a.master.stop();
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('cannot have the same path, until the first is stopped', async () => {
    const { server, url } = await listen();
    const options = { server, path: '/tasks' };
    const [first, second] = [new Cluster<number, string>(options), new Cluster<number, string>(options)];
    await first.master.start();
    await expect(second.master.start()).rejects.toMatchObject({
      code: 'TASKDIST_INVALID_OPTION',
      message: expect.stringContaining('"/tasks"'),
    });
    expect(server.listenerCount('upgrade')).toBe(1);
    await join(`${url}/tasks`, (n) => `first ${n}`);
    await expect(first.scheduler.put(1)).resolves.toBe('first 1');
    await first.master.stop();

    await second.master.stop();
    await second.master.start();
    await join(`${url}/tasks`, (n) => `second ${n}`);
    await expect(second.scheduler.put(2)).resolves.toBe('second 2');
  });

  it('leaves one whose path was refused as it was before', async () => {
    const { server } = await listen();
    const [first, second] = [new Cluster({ server }), new Cluster({ server })];
    await first.master.start();
    await expect(second.master.start()).rejects.toThrow('path');
    await first.master.stop();
    // Nothing of the first try is in the way of another.
    await second.master.start();
  });

  it('keeps its path when another that was refused it is stopped', async () => {
    const { server, url } = await listen();
    const [first, second, third] = [1, 2, 3].map(() => new Cluster<number, string>({ server }));
    await first?.master.start();
    await expect(second?.master.start()).rejects.toThrow('path');
    await second?.master.stop();
    await expect(third?.master.start()).rejects.toThrow('path');
    await join(`${url}/`, (n) => `first ${n}`);
    await expect(first?.scheduler.put(1)).resolves.toBe('first 1');
  });

  it('may have the same path on different servers', async () => {
    const [one, other] = [await listen(), await listen()];
    for (const { server, url } of [one, other]) {
      const { master, scheduler } = new Cluster<number, string>({ server, path: '/tasks' });
      await master.start();
      await join(`${url}/tasks`, (n) => `${url} ${n}`);
      await expect(scheduler.put(1)).resolves.toBe(`${url} 1`);
    }
  });
});
