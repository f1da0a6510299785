// How much of a browser's computing power is left when taskdist hands out the work.
import { availableParallelism } from 'node:os';
import type { Child } from '../harness/child.ts';
import type { Bench, Part, PartFindings } from '../harness/part.ts';
import { type Figures, inTurns, type Rounds } from '../harness/rounds.ts';
import { compared } from '../harness/rows.ts';
import type { Chromium } from '../processes/chromium.ts';
import type { TileMaster } from '../processes/tile-master.ts';
import type { TileWorker } from '../processes/tile-worker.ts';
import { type Rendered, type TileTask, tilesOf } from '../processes/tiles.ts';

const TABS = 10;
/** How long all of them may take to say that they take tasks, or none. */
const READY_LIMIT_MS = 30_000;
/** Not the first, on which more of what the system does besides may fall. */
const CORE = availableParallelism() - 1;

/**
 * Tasks are tiles of the demo's map, 256 KiB each; their pixels are checked by checksums.
 *
 * - One tab: a page with taskdist's worker, concurrency 1, and one Web Worker in its sandbox, all else by default. All tiles are put at
 *   once, and the time runs until the last one is there.
 * - The loop: another page of the same browser, which starts the same Web Worker's script, and has it compute the same tiles in the same
 *   order, one after the other; they are dropped where they are. The processes of both pages, all threads, are held on one core.
 * - Ten tabs of another browser, each with one Web Worker, and a Node worker with one thread, wherever the system puts them.
 *
 * All are there from the beginning, and paused while others measure.
 */
export const browser: Part = {
  name: 'browser',
  title: "tiles of the demo's map in Chromium",
  requires: ['chromium'],
  async run(bench) {
    const { one, many, setting } = await startAll(bench);
    const [tiles, manyTiles] = bench.isQuick ? [tilesOf(32), tilesOf(64)] : [tilesOf(96), tilesOf(192)];
    const expected = await one.loop(manyTiles);
    const check = (asked: readonly TileTask[], { elapsedMs, checksums }: Rendered): Figures => {
      if (checksums.length !== asked.length || checksums.some((sum, index) => sum !== expected.checksums[index]))
        throw new Error('A tile has other pixels than it must');
      return { tiles: asked.length, rate: (asked.length / elapsedMs) * 1000 };
    };
    const perTile = async (asked: readonly TileTask[], render: () => Promise<Rendered>): Promise<Figures> => {
      const before = await one.cpuMs();
      const rendered = await render();
      const cpuMs = (await one.cpuMs()) - before;
      return { ...check(asked, rendered), tabCpuMs: cpuMs / asked.length };
    };
    const rounds = await inTurns(
      {
        tab: () => perTile(tiles, () => one.compute(tiles)),
        loop: () => perTile(tiles, () => one.loop(tiles)),
        many: async () => check(manyTiles, await many.compute(manyTiles)),
      },
      bench,
    );
    return { rows: rowsOf(rounds, setting), series: rounds.series() };
  },
};

interface Setting {
  readonly version: string;
  readonly isPinned: boolean;
}

async function startAll(bench: Bench) {
  if (bench.chromium === undefined) throw new Error('There is no Chromium');
  const master = await bench.start<TileMaster>('tile-master');
  const port = await master.call('listen');
  const [page, url] = [`http://127.0.0.1:${port}/`, `ws://127.0.0.1:${port}/taskdist`];

  const chromium = await bench.start<Chromium>('chromium');
  const version = await chromium.call('launch', bench.chromium);
  const tab = await openTab(chromium, page, url);
  const loopTab = await chromium.call('open', page);
  // So that its thread is there, and held with the others.
  await chromium.call('loop', loopTab, tilesOf(1));
  const isPinned = await chromium.call('pinTabs', CORE);

  const crowd = await bench.start<Chromium>('chromium');
  await crowd.call('launch', bench.chromium);
  const lenders: Lender[] = [];
  while (lenders.length < TABS) lenders.push(await openTab(crowd, page, url));
  const node = await bench.start<TileWorker>('tile-worker');
  await node.call('connect', url, 1);
  lenders.push({ pause: () => node.call('pause'), resume: () => node.call('resume') });

  return {
    setting: { version, isPinned },
    one: {
      cpuMs: () => chromium.call('cpuMs'),
      compute: (tiles: readonly TileTask[]) => computeWith([tab], master, tiles),
      loop: (tiles: readonly TileTask[]) => chromium.call('loop', loopTab, tiles),
    },
    many: { compute: (tiles: readonly TileTask[]) => computeWith(lenders, master, tiles) },
  };
}

/** A worker that computes only while it is asked to. */
interface Lender {
  pause(): Promise<void>;
  resume(): Promise<void>;
}

async function openTab(chromium: Child<Chromium>, page: string, url: string): Promise<Lender> {
  const tab = await chromium.call('open', page);
  await chromium.call('connect', tab, url);
  return { pause: () => chromium.call('pause', tab), resume: () => chromium.call('resume', tab) };
}

async function computeWith(lenders: readonly Lender[], master: Child<TileMaster>, tiles: readonly TileTask[]) {
  await Promise.all(lenders.map((lender) => lender.resume()));
  await ready(master, lenders.length);
  const rendered = await master.call('compute', tiles);
  await Promise.all(lenders.map((lender) => lender.pause()));
  await ready(master, 0);
  return rendered;
}

/** Waits until so many workers take tasks; one may be lost, or have paused by itself. */
async function ready(master: Child<TileMaster>, lenders: number): Promise<void> {
  const untilMs = performance.now() + READY_LIMIT_MS;
  for (let found = await master.call('ready'); found !== lenders; found = await master.call('ready')) {
    if (performance.now() > untilMs) throw new Error(`Expected ${lenders} workers that take tasks, got ${found}`);
  }
}

function rowsOf(rounds: Rounds, { version, isPinned }: Setting): PartFindings['rows'] {
  const loop = rounds.values('loop', 'rate');
  const cores = availableParallelism();
  return [
    compared({
      what: 'one tab, one core',
      unit: 'tiles/s',
      values: rounds.values('tab', 'rate'),
      against: 'loop alone',
      againstValues: loop,
      target: { atLeast: 0.95 },
      note: `Chromium ${version}. ${isPinned ? PINNED : UNPINNED}`,
    }),
    compared({
      what: `${TABS} tabs and a Node worker, ${cores} cores`,
      unit: 'tiles/s',
      values: rounds.values('many', 'rate'),
      against: `loop × ${cores}`,
      againstValues: loop.map((rate) => rate * cores),
    }),
    compared({
      what: "one tab's CPU per tile",
      unit: 'ms',
      values: rounds.values('tab', 'tabCpuMs'),
      against: 'loop alone',
      againstValues: rounds.values('loop', 'tabCpuMs'),
      note: "A tab's CPU is that of all its threads: other work on the machine matters less to it than to the rate. The loop's has the checksums in it, under 1 %.",
    }),
  ];
}

const PINNED = 'One core: the processes of the tab and of the loop, all threads, are held on it.';
const UNPINNED = 'One core: one Web Worker computes; the page itself may run on another.';
