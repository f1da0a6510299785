// Runs in a Web Worker: computes tiles, for a sandbox, or, if it is called so, in a loop.
import { exposeTaskHandler } from 'taskdist';
import { renderTile } from '../../demo/fractal.ts';
import { checksum, type Rendered, type TileTask } from '../processes/tiles.ts';

if (self.name === 'loop') {
  self.addEventListener('message', ({ data }: MessageEvent<TileTask[]>) => self.postMessage(loop(data)));
  self.postMessage('ready');
} else {
  exposeTaskHandler((task: TileTask) => renderTile(task));
}

function loop(tiles: readonly TileTask[]): Rendered {
  const startedAt = performance.now();
  const rendered = tiles.map((tile) => renderTile(tile));
  const elapsedMs = performance.now() - startedAt;
  return { elapsedMs, checksums: rendered.map(checksum) };
}
