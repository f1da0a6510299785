// Runs in a worker thread of Node: computes tiles.

import { exposeTaskHandler } from 'taskdist';
import { renderTile } from './fractal.ts';
import type { TileTask } from './tile.ts';

exposeTaskHandler((task: TileTask) => renderTile(task));
