// The page under hands other than a mouse's: a keyboard, a thumb.

import { readCluster } from './support/cluster.ts';
import { expect, test } from './support/test.ts';
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
  await visitor.expectTrueTiles();
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
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
}
