// Runs in a Web Worker: computes tiles on a core of the visitor.

import { exposeTaskHandler } from 'taskdist';
import { renderTile } from '../fractal.ts';
import type { TileTask } from '../tile.ts';

exposeTaskHandler((task: TileTask) => renderTile(task));
