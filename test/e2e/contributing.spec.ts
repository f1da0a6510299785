// What a visitor sees and lends.

import type { TileTask } from '../../demo/tile.ts';
import { countRunning, readCluster } from './support/cluster.ts';
import { expect, QUICK_PLACE, SMALL, test } from './support/test.ts';

test('a visitor who only looks lends nothing', async ({ demo, startWorker, visit }) => {
  await startWorker(demo, '--threads', '2', '--name', 'Attic');
  const visitor = await visit(demo);
  await visitor.seeAllTiles();
  await visitor.expectTrueTiles();
  await expect(visitor.contribute).toHaveAttribute('aria-checked', 'false');
  await expect(visitor.workers).toHaveText([/Attic/]);
  expect(visitor.webSockets).toEqual([]);
  expect(visitor.page.workers()).toEqual([]);
  expect((await readCluster(demo.origin)).workers.map(({ platform }) => platform)).toEqual(['node']);
});

test('a tab contributes and its tiles appear', async ({ demo, visit }) => {
  const visitor = await visit(demo);
  await expect(visitor.nobody).toContainText('Nobody is computing');
  await expect(visitor.drawnTiles).toHaveCount(0);

  await visitor.nobody.getByRole('button', { name: 'Contribute' }).click();
  await expect(visitor.connection).toHaveText(/^On: lending \d+ cores?$/);
  await visitor.seeAllTiles();
  const tiles = await visitor.expectTrueTiles();

  await expect(visitor.nobody).toBeHidden();
  await expect(visitor.workers).toHaveCount(1);
  await expect(visitor.workers).toContainText('This tab');
  await expect(visitor.page.locator('#own-tiles')).toHaveText(String(tiles));
  await expect(visitor.page.locator('#own-share')).toHaveText('100 %');
  expect(await readCluster(demo.origin)).toMatchObject({ done: tiles, queued: 0 });
});

test('a tab that stops contributing lends nothing any more', async ({ demo, visit }) => {
  const visitor = await visit(demo);
  await visitor.startContributing();
  await visitor.seeAllTiles();
  expect(visitor.page.workers().length).toBeGreaterThan(0);

  await visitor.contribute.click();
  await expect(visitor.contribute).toHaveAttribute('aria-checked', 'false');
  await expect(visitor.workers).toHaveCount(0);
  await expect.poll(() => visitor.page.workers().length).toBe(0);
  expect((await readCluster(demo.origin)).workers).toEqual([]);
});

test('the slider says how many cores are lent, and pause lends none for a while', async ({ demo, visit }) => {
  const visitor = await visit(demo);
  await visitor.startContributing();
  await visitor.seeAllTiles();
  const concurrency = async () => (await readCluster(demo.origin)).workers[0]?.concurrency;

  const cores = Number(await visitor.cores.getAttribute('max'));
  await visitor.cores.press('End');
  await expect(visitor.connection).toHaveText(`On: lending ${cores} ${cores === 1 ? 'core' : 'cores'}`);
  await expect.poll(concurrency).toBe(cores);

  await visitor.pause.click();
  await expect(visitor.connection).toHaveText('Paused');
  await expect.poll(concurrency).toBe(0);
  await expect(visitor.nobody).toContainText('Everybody has paused');
  await visitor.go('Seahorse valley');
  await expect.poll(async () => (await readCluster(demo.origin)).queued).toBeGreaterThan(0);
  await expect(visitor.workers).toContainText('paused');
  expect(await countRunning(demo.origin)).toBe(0);
  await expect(visitor.drawnTiles).toHaveCount(0);

  await visitor.pause.click();
  await expect.poll(concurrency).toBe(cores);
  await visitor.seeAllTiles();
});

test('the tiles nearest to the centre of the view come first', async ({ demo, startPainter, visit }) => {
  const order: TileTask[] = [];
  // The centre of the view is that of one tile, in tiles of zoom 4: no two rings of tiles are equally near.
  const visitor = await visit(demo, '#4/-0.875/0.125', { viewport: { width: 1100, height: 800 } });
  await expect(visitor.waitingTiles).not.toHaveCount(0);
  await expect.poll(async () => (await readCluster(demo.origin)).queued).toBe(6);
  await startPainter(demo, (task) => void order.push(task), { prefetch: 0 });
  await visitor.seeAllTiles();
  const distances = order.map(({ x, y }) => Math.hypot(x - order[0]!.x, y - order[0]!.y));
  expect(distances.length).toBeGreaterThan(12);
  expect(distances).toEqual(distances.toSorted((a, b) => a - b));
});

test('a worker’s tiles show its colour for a moment', async ({ demo, startWorker, visit }) => {
  const visitor = await visit(demo, QUICK_PLACE, SMALL);
  const colour = visitor.page.waitForFunction(() =>
    document.querySelector<HTMLElement>('.tile-tint')?.style.getPropertyValue('--worker-colour'),
  );
  await startWorker(demo, '--threads', '1');
  expect(await (await colour).jsonValue()).toBe((await readCluster(demo.origin)).workers[0]?.colour);
  await visitor.seeAllTiles();
  await expect(visitor.page.locator('.tile-tint')).toHaveCount(0);
});
