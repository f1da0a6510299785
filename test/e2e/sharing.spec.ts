// Several workers, some of which vanish: the work is shared, and nothing is lost.

import { countRunning, readCluster } from './support/cluster.ts';
import { expect, gate, PAIR, QUICK_PLACE, SLOW_PLACE, SMALL, test } from './support/test.ts';

/** Well below the half minute of the server's patience: only a goodbye or a closed connection is noticed so soon. */
const AT_ONCE = { timeout: 10_000 };

/** For what does not last. */
const OFTEN = { intervals: [50] };

test('two tabs and a Node worker share the work', async ({ demo, startWorker, visit }) => {
  await startWorker(demo, '--threads', '1');
  const [one, other] = [await visit(demo, '#1/0/0', SMALL), await visit(demo, '#1/0/0', SMALL)];
  await one.startContributing();
  await other.startContributing();
  await expect(one.workers).toHaveCount(3);
  await one.seeAllTiles();
  await other.seeAllTiles();

  await one.page.goto(`${demo.origin}/#9/-0.75/0.109375`);
  await other.page.goto(`${demo.origin}/#9/0.296875/0.015625`);
  for (const visitor of [one, other]) {
    await visitor.seeAllTiles();
    await visitor.expectTrueTiles();
  }

  const { workers, done, queued } = await readCluster(demo.origin);
  expect(queued).toBe(0);
  expect(workers.map(({ platform }) => platform).toSorted()).toEqual(['browser', 'browser', 'node']);
  for (const worker of workers) {
    expect(worker.done, `${worker.name} has computed something`).toBeGreaterThan(0);
  }
  expect(workers.reduce((sum, worker) => sum + worker.done, 0)).toBe(done);
  const own = await Promise.all([one, other].map(({ page }) => page.locator('#own-tiles').textContent()));
  const browsers = workers.filter(({ platform }) => platform === 'browser');
  expect(own.map(Number).toSorted()).toEqual(browsers.map((worker) => worker.done).toSorted());
});

test('two tabs of one browser contribute', async ({ demo, visit, visitBeside }) => {
  const one = await visit(demo, '#9/-0.75/0.109375', SMALL);
  const other = await visitBeside(one, demo, '#9/0.296875/0.015625');
  await one.startContributing();
  await other.startContributing();
  for (const visitor of [one, other]) {
    await visitor.seeAllTiles();
    await visitor.expectTrueTiles();
    await expect(visitor.workers).toHaveCount(2);
    await expect(visitor.page.locator('.worker.is-own')).toHaveCount(1);
  }
});

test('a tab works on while another is in front of it', async ({ demo, visit }) => {
  const tab = await visit(demo, QUICK_PLACE, SMALL);
  await tab.startContributing();
  await tab.seeAllTiles();
  await tab.hide();

  const viewer = await visit(demo, '#9/-0.75/0.109375', SMALL);
  await viewer.seeAllTiles();
  await viewer.expectTrueTiles();
  await expect(viewer.workers).toHaveCount(1);
  await expect(viewer.page.locator('.worker.is-own')).toHaveCount(0);
});

test('a tab closed in mid-task leaves the list at once, and loses nothing', async ({ demo, startWorker, visit }) => {
  const viewer = await visit(demo, SLOW_PLACE, PAIR);
  await expect.poll(async () => (await readCluster(demo.origin)).queued).toBe(2);
  const tab = await visit(demo, QUICK_PLACE, SMALL);
  await tab.startContributing();
  await expect.poll(() => countRunning(demo.origin), OFTEN).toBeGreaterThan(0);
  await tab.page.close();
  await expect.poll(async () => (await readCluster(demo.origin)).workers.length, AT_ONCE).toBe(0);
  await expect(viewer.nobody).toBeVisible();
  await expect(viewer.waitingTiles).not.toHaveCount(0);

  await startWorker(demo, '--threads', '2');
  await viewer.seeAllTiles();
  await viewer.expectTrueTiles();
});

test('a tab that goes to another page leaves the list at once', async ({ demo, visit }) => {
  const tab = await visit(demo, SLOW_PLACE, PAIR);
  await tab.startContributing();
  await expect.poll(() => countRunning(demo.origin), OFTEN).toBeGreaterThan(0);
  await tab.page.goto('about:blank');
  await expect.poll(async () => (await readCluster(demo.origin)).workers.length, AT_ONCE).toBe(0);
});

test('a Node worker killed in mid-task loses nothing', async ({ demo, startWorker, visit }) => {
  const viewer = await visit(demo, SLOW_PLACE, PAIR);
  const worker = await startWorker(demo, '--threads', '2');
  await expect.poll(() => countRunning(demo.origin), OFTEN).toBe(2);
  await worker.kill('SIGKILL');
  await expect.poll(async () => (await readCluster(demo.origin)).workers.length, AT_ONCE).toBe(0);
  await expect(viewer.waitingTiles).not.toHaveCount(0);

  await viewer.startContributing();
  await viewer.seeAllTiles();
  await viewer.expectTrueTiles();
});

test('a Node worker that is stopped says goodbye and exits with 0', async ({ demo, startWorker, visit }) => {
  await visit(demo, SLOW_PLACE, PAIR);
  const worker = await startWorker(demo, '--threads', '1', '--name', 'Attic');
  await expect.poll(() => countRunning(demo.origin), OFTEN).toBe(1);
  expect(await worker.kill('SIGINT')).toEqual({ code: 0, signal: null });
  expect(worker.output).toContain('disconnected');
  expect((await readCluster(demo.origin)).workers).toEqual([]);
});

test('a Node worker that is stopped computes what it has begun', async ({ demo, startWorker }) => {
  const worker = await startWorker(demo, '--threads', '1', '--name', 'Attic');
  const request = fetch(`${demo.origin}/tiles/12/2688/1280`);
  await expect.poll(() => countRunning(demo.origin), OFTEN).toBe(1);
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const response = await request;
  expect(response.status).toBe(200);
  expect(response.headers.get('x-worker-name')).toBe('Attic');
  expect(await readCluster(demo.origin)).toMatchObject({ workers: [], queued: 0, done: 1 });
});

test('tiles that wait at a slow worker are recalled and computed by one that is idle', async ({
  demo,
  startPainter,
  startWorker,
  visit,
}) => {
  const { passed, open } = gate();
  await startPainter(demo, () => passed, { name: 'Snail', prefetch: 3 });
  const visitor = await visit(demo, QUICK_PLACE, SMALL);
  const [snail, swift] = [visitor.workers.nth(0), visitor.workers.nth(1)];
  await expect(snail).toContainText('1 of 1 busy');
  await expect(snail).toContainText('3 prefetched, 0 recalled');
  await expect(visitor.figure('Prefetched')).toHaveText('3');
  await expect(visitor.figure('Recalled')).toHaveText('0');
  await expect(visitor.drawnTiles).toHaveCount(0);

  await startWorker(demo, '--threads', '1', '--name', 'Swift');
  await expect(visitor.drawnTiles).toHaveCount(3);
  await expect(snail).toContainText('0 prefetched, 3 recalled');
  await expect(visitor.figure('Recalled')).toHaveText('3');
  await expect(snail).toContainText('0 tiles');
  await expect(swift).toContainText('3 tiles');

  open();
  await visitor.seeAllTiles();
  await visitor.expectTrueTiles();
  await expect(visitor.figure('Done')).toHaveText('4');
  await expect(visitor.figure('Running')).toHaveText('0');
  await expect(visitor.page.locator('#run-time td')).toHaveText(Array(3).fill(/^[\d.]+ (ms|s)$/));
});

test('tiles that were scrolled away are cancelled', async ({ demo, startWorker, visit }) => {
  const visitor = await visit(demo, SLOW_PLACE, PAIR);
  await expect.poll(async () => (await readCluster(demo.origin)).queued).toBeGreaterThan(0);
  await visitor.page.goto(`${demo.origin}/${QUICK_PLACE}`);
  await startWorker(demo, '--threads', '2');
  await visitor.seeAllTiles();
  const tiles = await visitor.expectTrueTiles();
  // None of the first place has been computed.
  expect(await readCluster(demo.origin)).toMatchObject({ done: tiles, queued: 0 });
  expect(await countRunning(demo.origin)).toBe(0);
});

test('a tile that nobody waits for any more is given up while it runs', async ({ demo, startWorker, visit }) => {
  await startWorker(demo, '--threads', '1');
  const visitor = await visit(demo, SLOW_PLACE, PAIR);
  await expect.poll(() => countRunning(demo.origin), OFTEN).toBe(1);
  await visitor.page.goto(`${demo.origin}/${QUICK_PLACE}`);
  await visitor.seeAllTiles();
  const tiles = await visitor.expectTrueTiles();
  expect(await readCluster(demo.origin)).toMatchObject({ done: tiles });
});

test('a tab works on when the server has been restarted', async ({ demo, startDemo, visit }) => {
  const visitor = await visit(demo, QUICK_PLACE, SMALL);
  await visitor.startContributing();
  await visitor.seeAllTiles();
  expect(await demo.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await expect(visitor.gone).toBeVisible();
  await expect(visitor.connection).toHaveText(/trying again/);
  for (const figure of ['#own-share', '#worker-count', '#queued']) {
    await expect(visitor.page.locator(figure)).toHaveText('–');
  }
  await visitor.page.goto(`${demo.origin}/#9/0.296875/0.015625`);
  await expect(visitor.waitingTiles).not.toHaveCount(0);

  const again = await startDemo(['--no-worker', '--port', String(demo.port)]);
  await expect(visitor.connection).toHaveText(/^On: /);
  await expect(visitor.gone).toBeHidden();
  await visitor.seeAllTiles();
  await visitor.expectTrueTiles();
  await expect(visitor.page.locator('.worker.is-own')).toHaveCount(1);
  expect((await readCluster(again.origin)).workers).toHaveLength(1);
  // What the browser itself writes about a server that is not there.
  visitor.forgive(/^error: (Failed to load resource: net::ERR_|WebSocket connection to .* failed)/);
});
