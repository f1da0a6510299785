// A handler that computes in the thread that reads the socket: what gets out, and is read, between two tasks.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Worker as Thread } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import './nothing-left.ts';

const [WELCOME, GRANT, PING, DONE, PONG] = [1, 2, 4, 5, 10];
const master = { version: 1, worker: 'w', pingInterval: 60_000, socketTimeout: 120_000, maxFrameBytes: 1_000_000 };

/** A master by hand, and a worker in a thread of its own that holds tasks until they are released. */
async function setUp() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const [released, started] = [new Int32Array(new SharedArrayBuffer(4)), new Int32Array(new SharedArrayBuffer(4))];
  const release = (): void => {
    Atomics.add(released, 0, 1);
    Atomics.notify(released, 0);
  };
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const thread = new Thread(new URL('./fixtures/blocking-worker.mjs', import.meta.url), {
    workerData: { url, released: released.buffer, started: started.buffer },
  });
  onTestFinished(async () => {
    await thread.terminate();
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const [socket] = await once(server, 'connection');
  const received: unknown[][] = [];
  socket.on('message', (data: Buffer) => received.push(...JSON.parse(data.toString('utf8'))));
  const send = (...messages: unknown[][]): void => socket.send(JSON.stringify(messages));
  await expect.poll(() => received.length).toBe(1);
  received.length = 0;
  return { send, started: () => Atomics.load(started, 0), release, received };
}

describe('a handler that blocks', () => {
  it('holds back neither the result before, nor what came in, by another task', async () => {
    const { send, started, release, received } = await setUp();
    send([WELCOME, master], ...[0, 1, 2].map((index) => [GRANT, index, 1, `key ${index}`, index]));
    const expected: unknown[][] = [];
    for (const index of [0, 1]) {
      // Or the ping is read, and answered, before the task starts.
      await expect.poll(started).toBe(index + 1);
      send([PING, index]);
      release();
      expected.push([DONE, index, `result ${index}`], [PONG, index]);
      // The next task does not end before this is here.
      await expect
        .poll(() => received.map((message) => message.slice(0, message[0] === PONG ? 2 : 3)))
        .toEqual(expected);
    }
  });
});
