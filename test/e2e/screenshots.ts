// Takes the README's picture: several workers over one map.

import { fileURLToPath } from 'node:url';
import { expect, test } from './support/test.ts';

const PICTURE = fileURLToPath(new URL('../../docs/images/demo.png', import.meta.url));

test('the map with two tabs and two Node workers', async ({ startDemo, startWorker, visit }) => {
  test.setTimeout(120_000);
  const viewport = { width: 1280, height: 800 };
  const demo = await startDemo(['--threads', '1']);
  await startWorker(demo, '--threads', '1', '--name', 'Node in the attic');
  const [visitor, other] = [await visit(demo, '', { viewport }), await visit(demo, '', { viewport })];
  await visitor.startContributing();
  await other.startContributing();
  await visitor.seeAllTiles();
  await visitor.go('Elephant valley');
  await visitor.seeAllTiles();
  await other.leave();
  const late = await visit(demo, '#20/-0.743643887/0.131825904', { viewport });
  await late.startContributing();
  await visitor.go('Seahorse valley');
  // Almost done: some tiles still tinted, some still to come.
  await expect.poll(() => visitor.drawnTiles.count(), { intervals: [30], timeout: 60_000 }).toBeGreaterThan(11);
  await visitor.page.screenshot({ path: PICTURE });
});
