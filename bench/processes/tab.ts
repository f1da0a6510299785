// What the bench's page offers to whoever has opened it: taskdist's worker, and the loop that it is compared to.
import type { Rendered, TileTask } from './tiles.ts';

export interface Tab {
  /** Resolves when its worker is connected. It is paused then. */
  connect(url: string): Promise<void>;
  pause(): void;
  resume(): void;
  /** Computes the tiles one after the other in one Web Worker, without taskdist. */
  loop(tiles: readonly TileTask[]): Promise<Rendered>;
}

declare global {
  var tab: Tab | undefined;
}
