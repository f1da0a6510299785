// Takes the README's picture: several workers over one map.

import { fileURLToPath } from 'node:url';
import { test } from './support/test.ts';

const PICTURE = fileURLToPath(new URL('../../docs/images/demo.png', import.meta.url));

test('the map with two tabs and two Node workers', async ({ startDemo, startWorker, visit }) => {
  test.setTimeout(120_000);
  const viewport = { width: 1200, height: 750 };
  const demo = await startDemo(['--threads', '1']);
  await startWorker(demo, '--threads', '1', '--name', 'Node in the attic');
  const [visitor, other] = [await visit(demo, '', { viewport }), await visit(demo, '', { viewport })];
  await visitor.startContributing();
  await other.startContributing();
  await visitor.seeAllTiles();
  await visitor.go('Seahorse valley');
  await visitor.seeAllTiles();
  await other.page.close();
  const late = await visit(demo, '#20/-0.743643887/0.131825904', { viewport });
  await late.startContributing();
  await visitor.go('Elephant valley');
  await visitor.page.locator('#who-title').evaluate((title) => title.scrollIntoView({ block: 'start' }));
  // Some tiles are still to come, some still tinted, in several colours.
  await visitor.page.waitForFunction(() => {
    const tints = [...document.querySelectorAll<HTMLElement>('.tile-tint')];
    const colours = new Set(tints.map(({ style }) => style.getPropertyValue('--worker-colour')));
    return document.querySelectorAll('.tile.is-drawn').length >= 12 && tints.length >= 3 && colours.size >= 3;
  });
  await visitor.page.screenshot({ path: PICTURE });
});
