// Floods from another process, while an honest worker works: it goes on working, and the master's memory stays bounded.
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Child } from './child.ts';
import { Cluster } from './cluster.ts';

const MIB = 1024 * 1024;
/** How long each flood lasts. */
const FLOOD_MS = 800;
const FLOODERS = 8;
/** What the process may grow by: buffers of eight connections, and garbage that nobody has collected yet. */
const MAX_GROWTH_BYTES = 256 * MIB;
/** Under a flood, an honest task may wait behind it. */
const MAX_TASK_MS = 5000;

it.each([
  'messages that nobody asked for',
  'bytes at random',
  'the largest frames, of the smallest values',
  'the largest hellos',
  'answers over and over',
  'nothing, and reads nothing',
  'a hello, and breaks off',
])('a master that is sent %s serves an honest worker on, in bounded memory', async (kind) => {
  const cluster = await Cluster.start<{ type: string; bytes?: Uint8Array }, number>({ resumeWindow: 1000 });
  await cluster.join(() => 1, { accepts: ['honest'] });
  // For whoever would rather take tasks: more than anybody can hold, though the bytes are the same for all.
  const bytes = new Uint8Array(65_536);
  for (let task = 0; task < 1000; task += 1) cluster.scheduler.put({ type: 'bait', bytes }).catch(() => {});
  const before = process.memoryUsage().rss;
  const flooder = new Child('flood', { url: cluster.url, kind, connections: FLOODERS });
  await flooder.first('flooded');
  const endsAtMs = performance.now() + FLOOD_MS;
  let most = before;
  let slowestMs = 0;
  while (performance.now() < endsAtMs) {
    const sinceMs = performance.now();
    expect(await cluster.scheduler.put({ type: 'honest' })).toBe(1);
    slowestMs = Math.max(slowestMs, performance.now() - sinceMs);
    most = Math.max(most, process.memoryUsage().rss);
    // The flood is what lasts, not the honest work.
    await wait(5);
  }
  await flooder.kill();
  expect(most - before).toBeLessThan(MAX_GROWTH_BYTES);
  expect(slowestMs).toBeLessThan(MAX_TASK_MS);
});
