// The page under hands other than a mouse's: a keyboard, a thumb.

import { readCluster } from './support/cluster.ts';
import { expect, QUICK_PLACE, SMALL, test } from './support/test.ts';
import type { Visitor } from './support/visitor.ts';

test('everything can be done with the keyboard alone', async ({ demo, visit }) => {
  const visitor = await visit(demo);
  const { page } = visitor;
  const focus = page.locator(':focus');
  const hasVisibleFocus = () => focus.evaluate((element) => getComputedStyle(element).outlineStyle !== 'none');

  await page.keyboard.press('Tab');
  await expect(visitor.contribute).toBeFocused();
  expect(await hasVisibleFocus()).toBe(true);
  await page.keyboard.press('Space');
  await expect(visitor.contribute).toHaveAttribute('aria-checked', 'true');
  await visitor.seeAllTiles();

  await page.keyboard.press('Tab');
  await expect(visitor.cores).toBeFocused();
  expect(await hasVisibleFocus()).toBe(true);
  await page.keyboard.press('End');
  const cores = Number(await visitor.cores.getAttribute('max'));
  await expect.poll(async () => (await readCluster(demo.origin)).workers[0]?.concurrency).toBe(cores);

  await page.keyboard.press('Tab');
  await expect(visitor.pause).toBeFocused();
  expect(await hasVisibleFocus()).toBe(true);
  await page.keyboard.press('Enter');
  await expect(visitor.pause).toHaveText('Resume');
  await page.keyboard.press('Enter');
  await expect(visitor.pause).toHaveText('Pause');

  await page.keyboard.press('Tab');
  await expect(focus).toHaveText('The whole set');
  await page.keyboard.press('Tab');
  await expect(focus).toHaveText('Seahorse valley');
  expect(await hasVisibleFocus()).toBe(true);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#9\//);

  for (let presses = 0; presses < 4; presses++) {
    await page.keyboard.press('Tab');
  }
  await expect(page.locator('#map')).toBeFocused();
  expect(await hasVisibleFocus()).toBe(true);
  await page.keyboard.press('+');
  await expect(page).toHaveURL(/#10\//);
  const before = page.url();
  await page.keyboard.press('ArrowLeft');
  await expect(page).not.toHaveURL(before);
  await visitor.seeAllTiles();
});

test('a phone’s width is enough', async ({ demo, startWorker, visit }) => {
  await startWorker(demo, '--threads', '1', '--name', 'A worker with a name far too long for the width of any phone');
  const visitor = await visit(demo, '', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const toggle = visitor.page.getByRole('button', { name: 'Details' });
  await expect(visitor.contribute).toBeInViewport({ ratio: 1 });
  await expect(visitor.pause).toBeHidden();
  await expectNoOverflow(visitor);

  await toggle.tap();
  await expect(toggle).toHaveAttribute('aria-expanded', 'true');
  await expect(visitor.pause).toBeInViewport({ ratio: 1 });
  await expect(visitor.workers).toHaveCount(1);
  await expectNoOverflow(visitor);

  await visitor.contribute.tap();
  await expect(visitor.workers).toHaveCount(2);
  await expectNoOverflow(visitor);
  await visitor.seeAllTiles();
  await toggle.tap();
  await expect(visitor.pause).toBeHidden();
});

test('a phone held sideways is enough', async ({ demo, startWorker, visit }) => {
  await startWorker(demo, '--threads', '1');
  const visitor = await visit(demo, '', { viewport: { width: 740, height: 360 }, hasTouch: true, isMobile: true });
  const panel = visitor.page.locator('#panel');
  await expect(visitor.contribute).toBeInViewport({ ratio: 1 });
  await expect(visitor.pause).toBeHidden();
  expect((await panel.boundingBox())?.height).toBeLessThan(120);

  await visitor.page.getByRole('button', { name: 'Details' }).tap();
  await expect(visitor.contribute).toBeInViewport({ ratio: 1 });
  await expect(visitor.pause).toBeInViewport({ ratio: 1 });
  await visitor.page.getByRole('button', { name: 'Its own image' }).scrollIntoViewIfNeeded();
  await expect(visitor.page.getByRole('button', { name: 'Its own image' })).toBeInViewport({ ratio: 1 });
  await expectNoOverflow(visitor);
});

test('the switch is seen in the system’s own colours', async ({ demo, visit }) => {
  const visitor = await visit(demo, QUICK_PLACE, { ...SMALL, forcedColors: 'active' });
  const colours = () =>
    visitor.contribute.evaluate((button) => {
      const [track, thumb] = button.querySelectorAll('span');
      const ground = getComputedStyle(document.getElementById('panel') ?? button).backgroundColor;
      const { backgroundColor, borderColor, borderStyle } = getComputedStyle(track ?? button);
      return {
        ground,
        track: backgroundColor,
        borderColor,
        borderStyle,
        thumb: getComputedStyle(thumb ?? button).backgroundColor,
      };
    });
  const off = await colours();
  expect(off.borderStyle).toBe('solid');
  expect(off.borderColor).not.toBe(off.ground);
  expect(off.thumb).not.toBe(off.track);

  await visitor.startContributing();
  await expect.poll(async () => (await colours()).track).not.toBe(off.track);
  const on = await colours();
  expect(on.borderColor).not.toBe(on.ground);
  expect(on.thumb).not.toBe(on.track);

  await visitor.seeAllTiles();
  const dot = visitor.workers.locator('.dot');
  expect(await dot.evaluate((element) => getComputedStyle(element).backgroundColor)).not.toBe(on.ground);
  expect(await visitor.page.locator('#map').evaluate((map) => getComputedStyle(map).backgroundColor)).toBe(
    'rgb(9, 12, 34)',
  );
});

async function expectNoOverflow({ page }: Visitor): Promise<void> {
  const sticksOut = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    return [document.documentElement, ...document.querySelectorAll('#panel, #panel *, .notices *')]
      .filter((element) => {
        const { right, left } = element.getBoundingClientRect();
        return (
          right > width + 0.5 ||
          left < -0.5 ||
          (element.id === 'panel-body' && element.scrollWidth > element.clientWidth)
        );
      })
      .map((element) => element.outerHTML.slice(0, 100));
  });
  expect(sticksOut).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    page.viewportSize()?.width ?? 0,
  );
}
