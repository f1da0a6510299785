// The server by itself: what it answers, and how it starts and ends.

import { Worker } from 'taskdist';
import { renderTile } from '../../demo/fractal.ts';
import { TILE_BYTES, type TileTask } from '../../demo/tile.ts';
import { countRunning, readCluster } from './support/cluster.ts';
import { expect, gate, SLOW_TILE, test } from './support/test.ts';

test('a tile is answered with its bytes and the name of who computed it', async ({ demo, startWorker }) => {
  await startWorker(demo, '--threads', '1', '--name', 'Dachboden für Gäste');
  const response = await fetch(`${demo.origin}/tiles/5/13/10`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const [worker] = (await readCluster(demo.origin)).workers;
  expect(response.headers.get('x-worker-id')).toBe(worker?.id);
  expect(response.headers.get('x-worker-colour')).toBe(worker?.colour);
  expect(decodeURIComponent(response.headers.get('x-worker-name') ?? '')).toBe('Dachboden für Gäste');
  const expected = Buffer.from(renderTile({ z: 5, x: 13, y: 10 }).buffer);
  expect(expected.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
});

test('HEAD is answered with headers, and computes nothing', async ({ demo }) => {
  for (const [path, type] of [
    ['/', 'text/html; charset=utf-8'],
    ['/cluster', 'text/event-stream'],
    ['/tiles/5/13/10', 'application/octet-stream'],
  ]) {
    const response = await fetch(demo.origin + path, { method: 'HEAD' });
    expect(response.status, path).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(await response.text()).toBe('');
  }
  expect((await fetch(`${demo.origin}/tiles/0/0/1`, { method: 'HEAD' })).status).toBe(400);
  expect(await readCluster(demo.origin)).toMatchObject({ queued: 0 });
});

test('what is no tile is refused', async ({ demo }) => {
  for (const path of ['/tiles/0/0/1', '/tiles/41/0/0', '/tiles/x/0/0', '/tiles/1/0', '/tiles/']) {
    const response = await fetch(demo.origin + path);
    expect(response.status, path).toBe(400);
    expect(await response.text()).toContain('There is no such tile');
  }
  expect((await fetch(`${demo.origin}/nothing`)).status).toBe(404);
  expect((await fetch(demo.origin, { method: 'POST' })).status).toBe(405);
  expect(await readCluster(demo.origin)).toMatchObject({ queued: 0 });
});

test('tiles of a higher priority are computed first, whoever asked first', async ({ demo, startPainter }) => {
  const queries = ['?priority=-7', '?priority=-1.5', '?priority=-3', ''];
  const requests: Promise<Response>[] = [];
  for (const [x, query] of queries.entries()) {
    requests.push(fetch(`${demo.origin}/tiles/2/${x}/0${query}`));
    await expect.poll(async () => (await readCluster(demo.origin)).queued, { intervals: [20] }).toBe(x + 1);
  }
  const order: string[] = [];
  await startPainter(demo, ({ x }) => void order.push(queries[x] ?? 'another'));
  expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(order).toEqual(['', '?priority=-1.5', '?priority=-3', '?priority=-7']);
});

test('a priority that makes no sense is refused', async ({ demo }) => {
  for (const priority of ['1', '-1001', 'high', '']) {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(`${demo.origin}/tiles/2/0/0?priority=${priority}`, { method });
      expect(response.status, priority).toBe(400);
    }
  }
  expect(await readCluster(demo.origin)).toMatchObject({ queued: 0 });
});

test('requests for the same tile share one task, which is cancelled when all of them have left', async ({ demo }) => {
  const queued = () => expect.poll(async () => (await readCluster(demo.origin)).queued, { intervals: [20] });
  const viewers = [new AbortController(), new AbortController()];
  const requests = viewers.map(({ signal }) => fetch(`${demo.origin}/tiles/3/2/1`, { signal }).catch(() => 'left'));
  const other = new AbortController();
  const otherRequest = fetch(`${demo.origin}/tiles/3/2/2`, { signal: other.signal }).catch(() => 'left');
  await queued().toBe(2);
  viewers[0]?.abort();
  expect(await requests[0]).toBe('left');
  other.abort();
  expect(await otherRequest).toBe('left');
  await queued().toBe(1);
  viewers[1]?.abort();
  expect(await requests[1]).toBe('left');
  await queued().toBe(0);
});

test('all who asked for the same tile are told who made it, and it counts once', async ({ demo, startPainter }) => {
  const requests = ['3/2/1', '3/02/1', '3/2/2'].map((tile) => fetch(`${demo.origin}/tiles/${tile}`));
  await expect.poll(async () => (await readCluster(demo.origin)).queued, { intervals: [20] }).toBe(2);
  await startPainter(demo, () => {}, { name: 'Painter' });
  const answers = await Promise.all(requests);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(answers.map(({ headers }) => headers.get('x-worker-name'))).toEqual(['Painter', 'Painter', 'Painter']);
  const [first, same, other] = await Promise.all(
    answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())),
  );
  expect([first?.equals(same ?? Buffer.of()), first?.equals(other ?? Buffer.of())]).toEqual([true, false]);
  expect(await readCluster(demo.origin)).toMatchObject({ done: 2, workers: [{ name: 'Painter', done: 2 }] });
});

test('a tile that cannot be computed is answered with 502 and the reason', async ({ demo }) => {
  const url = `ws://127.0.0.1:${demo.port}/taskdist`;
  const failing = new Worker<TileTask, never>(
    () => {
      throw new RangeError('out of ink');
    },
    { url },
  );
  await failing.start();
  const failed = await fetch(`${demo.origin}/tiles/0/0/0`);
  expect(failed.status).toBe(502);
  expect(await failed.text()).toContain('out of ink');
  await failing.stop();

  const confused = new Worker<TileTask, string>(() => 'a poem', { url, name: 'Poet' });
  await confused.start();
  const answered = await fetch(`${demo.origin}/tiles/0/0/0`);
  expect(answered.status).toBe(502);
  expect(await answered.text()).toBe('Poet answered with something that is not a tile.\n');
  // No credit for that.
  expect(await readCluster(demo.origin)).toMatchObject({ done: 0, workers: [{ name: 'Poet', done: 0 }] });
  await confused.stop();
});

test('a tile that is waited for while the server shuts down is answered with 503', async ({ demo }) => {
  const request = fetch(`${demo.origin}/tiles/3/2/1`);
  await expect.poll(async () => (await readCluster(demo.origin)).queued, { intervals: [20] }).toBe(1);
  const exit = demo.kill('SIGINT');
  expect((await request).status).toBe(503);
  expect(await exit).toEqual({ code: 0, signal: null });
});

test('a tile that is being computed while the server shuts down is still answered', async ({ demo, startPainter }) => {
  const { passed, open } = gate();
  await startPainter(demo, () => passed);
  const request = fetch(`${demo.origin}/tiles/0/0/0`);
  await expect.poll(() => countRunning(demo.origin), { intervals: [20] }).toBe(1);
  const exit = demo.kill('SIGTERM');
  await expect.poll(async () => (await fetch(demo.origin)).status, { intervals: [20] }).toBe(503);
  open();
  const response = await request;
  expect(response.status).toBe(200);
  expect(await response.arrayBuffer()).toHaveProperty('byteLength', TILE_BYTES);
  expect(await exit).toEqual({ code: 0, signal: null });
});

test('a second signal stops the server and its worker at once', async ({ startDemo }) => {
  const demo = await startDemo(['--threads', '1']);
  await expect.poll(async () => (await readCluster(demo.origin)).workers.length).toBe(1);
  const request = fetch(demo.origin + SLOW_TILE).catch(() => 'cut off');
  await expect.poll(() => countRunning(demo.origin), { intervals: [20] }).toBe(1);
  void demo.kill('SIGTERM');
  // It has had the first one when it refuses.
  await expect.poll(async () => (await fetch(demo.origin)).status, { intervals: [20] }).toBe(503);
  // The output closes when the last process that holds it has ended.
  expect(await demo.kill('SIGTERM')).toEqual({ code: 1, signal: null });
  expect(await request).toBe('cut off');
  // Its worker has had no time to notice.
  expect(demo.output).not.toContain('disconnected');
});

test('the server brings a worker of its own, which ends with it', async ({ startDemo }) => {
  const demo = await startDemo(['--threads', '1']);
  const response = await fetch(`${demo.origin}/tiles/0/0/0`);
  expect(response.status).toBe(200);
  expect((await readCluster(demo.origin)).workers).toMatchObject([{ platform: 'node', concurrency: 1, done: 1 }]);
  // The output closes when the last process that holds it has ended.
  expect(await demo.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('the server’s own worker ends too when the server is killed', async ({ startDemo }) => {
  const demo = await startDemo(['--threads', '1']);
  await expect.poll(async () => (await readCluster(demo.origin)).workers.length).toBe(1);
  expect(await demo.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a port in use, or an option that makes no sense, is one clear line and exit code 1', async ({
  demo,
  runToEnd,
}) => {
  const second = await runToEnd('server.js', '--no-worker', '--port', String(demo.port));
  expect(second.exit).toEqual({ code: 1, signal: null });
  expect(second.output.trim().split('\n')).toEqual([
    expect.stringContaining(`Port ${demo.port} of 127.0.0.1 is in use`),
  ]);

  const nonsense = await runToEnd('server.js', '--port', 'http');
  expect(nonsense.exit).toEqual({ code: 1, signal: null });
  expect(nonsense.output).toBe('Expected --port to be an integer from 0 to 65535, got "http"\n');

  const aimless = await runToEnd('worker.js');
  expect(aimless.exit).toEqual({ code: 1, signal: null });
  expect(aimless.output).toContain('--master');
});
