// A hundred thousand tasks, while workers come, go, and lose their connections: neither memory nor anything else grows.
import { expect, it } from 'vitest';
import { Child } from './child.ts';
import './nothing-left.ts';

const TASKS = 100_000;
/** After so many, what is made once has been made: compiled code, buffers, the largest of each table. */
const SAMPLES = 5;
const WORKERS = 6;
/** A worker comes, another goes, and two connections break, after so many tasks. */
const TASKS_PER_CHANGE = 100;

/** What the fixture tells. */
interface Report {
  readonly heaps: readonly number[];
  readonly counts: Readonly<Record<'joins' | 'leaves' | 'losses' | 'resumes' | 'rejoins' | 'runs', number>>;
  readonly settled: number;
  readonly wrong: number;
  readonly left: Readonly<Record<'listeners' | 'sessions' | 'sockets' | 'queued' | 'leased', number>>;
  readonly resources: readonly string[];
}

it('leaves the heap flat after gc, and no socket, timer or session, after 100 000 tasks of workers that come and go', async () => {
  const options = { tasks: TASKS, samples: SAMPLES, workers: WORKERS, tasksPerChange: TASKS_PER_CHANGE };
  const child = new Child('churn-process', options);
  const [, told] = await child.first('report');
  // Our own fixture's.
  const { heaps, counts, settled, wrong, left, resources } = told as Report;
  console.log(
    `Heap after gc, MB: ${heaps.map((bytes) => (bytes / 1e6).toFixed(2)).join(', ')}; ${JSON.stringify(counts)}`,
  );
  expect([settled, wrong]).toEqual([TASKS, 0]);
  expect(counts.leaves).toBe(TASKS / TASKS_PER_CHANGE);
  expect(counts.losses).toBeGreaterThan(TASKS / TASKS_PER_CHANGE / 2);
  expect(counts.resumes).toBeGreaterThan(counts.losses / 2);
  const [early = 0, late = 0] = [heaps[0], heaps.at(-1)];
  expect(late - early).toBeLessThan(2_000_000);
  expect(left).toEqual({ listeners: 0, sessions: 0, sockets: 0, queued: 0, leased: 0 });
  expect(resources).toEqual([]);
}, 240_000);
