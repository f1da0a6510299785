import { describe, expect, it } from 'vitest';
import { SharedTiles, type TileScheduler } from '../../../demo/shared-tiles.ts';
import type { TileTask } from '../../../demo/tile.ts';

interface PutTask {
  readonly task: TileTask;
  readonly signal: AbortSignal;
  readonly priority: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Takes tasks and leaves it to the test to settle them; like the real one, it rejects a task that is aborted. */
class FakeScheduler implements TileScheduler {
  readonly puts: PutTask[] = [];

  put(task: TileTask, { signal, priority }: { signal: AbortSignal; priority: number }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.puts.push({ task, signal, priority, resolve, reject });
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }

  nth(index: number): PutTask {
    const put = this.puts[index];
    if (put === undefined) {
      throw new Error(`Only ${this.puts.length} tasks were put`);
    }
    return put;
  }
}

const TILE = { z: 3, x: 1, y: 2 };
const OTHER = { z: 3, x: 1, y: 3 };

function setup() {
  const scheduler = new FakeScheduler();
  return {
    scheduler,
    tiles: new SharedTiles(scheduler),
    viewer: new AbortController(),
    another: new AbortController(),
  };
}

describe('SharedTiles', () => {
  it('puts one task for viewers that ask for the same tile', async () => {
    const { scheduler, tiles, viewer, another } = setup();
    const first = tiles.get(TILE, 0, viewer.signal);
    const second = tiles.get(TILE, 0, another.signal);
    expect(scheduler.puts).toHaveLength(1);
    scheduler.nth(0).resolve('pixels');
    expect(await first).toEqual({ task: { type: 'tile', ...TILE }, result: 'pixels' });
    expect(await second).toEqual(await first);
  });

  it('keeps the priority with which a tile was asked for first', () => {
    const { scheduler, tiles, viewer, another } = setup();
    void tiles.get(TILE, -3, viewer.signal);
    void tiles.get(TILE, -1, another.signal);
    void tiles.get(OTHER, -2, another.signal);
    expect(scheduler.puts.map(({ priority }) => priority)).toEqual([-3, -2]);
  });

  it('tells the very task object that was put', async () => {
    const { scheduler, tiles, viewer } = setup();
    const tile = tiles.get(TILE, 0, viewer.signal);
    scheduler.nth(0).resolve('pixels');
    expect((await tile).task).toBe(scheduler.nth(0).task);
  });

  it('puts a task for each different tile', () => {
    const { scheduler, tiles, viewer } = setup();
    void tiles.get(TILE, 0, viewer.signal);
    void tiles.get(OTHER, 0, viewer.signal);
    expect(scheduler.puts).toHaveLength(2);
    expect(tiles.inFlight).toBe(2);
  });

  it('goes on for those who stay when one viewer leaves', async () => {
    const { scheduler, tiles, viewer, another } = setup();
    const first = tiles.get(TILE, 0, viewer.signal);
    const second = tiles.get(TILE, 0, another.signal);
    viewer.abort();
    await expect(first).rejects.toHaveProperty('name', 'AbortError');
    expect(scheduler.nth(0).signal.aborted).toBe(false);
    scheduler.nth(0).resolve('pixels');
    expect((await second).result).toBe('pixels');
  });

  it('cancels the task when its last viewer leaves', async () => {
    const { scheduler, tiles, viewer, another } = setup();
    const requests = [tiles.get(TILE, 0, viewer.signal), tiles.get(TILE, 0, another.signal)];
    viewer.abort();
    another.abort();
    expect(scheduler.nth(0).signal.aborted).toBe(true);
    expect(tiles.inFlight).toBe(0);
    const outcomes = await Promise.allSettled(requests);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('puts a new task for who asks after the last viewer has left', async () => {
    const { scheduler, tiles, viewer, another } = setup();
    const first = tiles.get(TILE, 0, viewer.signal);
    viewer.abort();
    const second = tiles.get(TILE, 0, another.signal);
    await expect(first).rejects.toThrow();
    scheduler.nth(1).resolve('pixels');
    expect((await second).result).toBe('pixels');
    expect(scheduler.nth(1).signal.aborted).toBe(false);
  });

  it('puts a new task for who asks after the tile was finished', async () => {
    const { scheduler, tiles, viewer } = setup();
    const first = tiles.get(TILE, 0, viewer.signal);
    scheduler.nth(0).resolve('pixels');
    await first;
    void tiles.get(TILE, 0, viewer.signal);
    expect(scheduler.puts).toHaveLength(2);
  });

  it('does not cancel what is finished when a viewer leaves later', async () => {
    const { scheduler, tiles, viewer } = setup();
    const tile = tiles.get(TILE, 0, viewer.signal);
    scheduler.nth(0).resolve('pixels');
    await tile;
    viewer.abort();
    expect(scheduler.nth(0).signal.aborted).toBe(false);
  });

  it('rejects for every viewer when the task fails, and forgets it', async () => {
    const { scheduler, tiles, viewer, another } = setup();
    const requests = [tiles.get(TILE, 0, viewer.signal), tiles.get(TILE, 0, another.signal)];
    scheduler.nth(0).reject(new Error('given up'));
    for (const request of requests) {
      await expect(request).rejects.toThrow('given up');
    }
    expect(tiles.inFlight).toBe(0);
  });

  it('rejects when the scheduler refuses the task at once', async () => {
    const tiles = new SharedTiles({
      put() {
        throw new Error('full');
      },
    });
    await expect(tiles.get(TILE, 0, new AbortController().signal)).rejects.toThrow('full');
    expect(tiles.inFlight).toBe(0);
  });

  it('puts nothing for a viewer that has left already', async () => {
    const { scheduler, tiles, viewer } = setup();
    viewer.abort();
    await expect(tiles.get(TILE, 0, viewer.signal)).rejects.toHaveProperty('name', 'AbortError');
    expect(scheduler.puts).toHaveLength(0);
  });
});
