// Many workers whose master is gone, and back on its port: they do not come back all at once.
import { Worker } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Child } from './child.ts';
import { Cluster } from './cluster.ts';

const WORKERS = 50;
/** What a worker waits for at most after the first failure, as it is by default. */
const BASE_MS = 500;
/** How many within so long is too close. */
const CLOSE_MS = 50;

/** The most that fall into any stretch of time of that length. */
function mostWithin(lengthMs: number, atMs: readonly number[]): number {
  return Math.max(...atMs.map((start) => atMs.filter((each) => each >= start && each < start + lengthMs).length));
}

/** In words, for whoever reads along. */
function spread(atMs: readonly number[]): string {
  const sorted = atMs.toSorted((a, b) => a - b);
  const [min, median, max] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  const [shortest, middle, longest] = [min, median, max].map((ms) => Math.round(ms ?? Number.NaN));
  return `min ${shortest}, median ${middle}, max ${longest} ms, at most ${mostWithin(CLOSE_MS, atMs)} within ${CLOSE_MS} ms`;
}

/** Fifty workers that are welcome, and what becomes of them from then on. */
async function crowd(port: number) {
  const connectedAtMs: number[] = [];
  const firstDelaysMs: number[] = [];
  const workers = Array.from({ length: WORKERS }, () => {
    const worker = new Worker<number, number>((n) => n, { url: `ws://127.0.0.1:${port}/` });
    onTestFinished(() => worker.stop());
    return worker;
  });
  await Promise.all(workers.map((worker) => worker.start()));
  for (const worker of workers) {
    let hasFailed = false;
    worker.on('disconnected', ({ retryDelay }) => {
      if (!hasFailed) firstDelaysMs.push(retryDelay ?? Number.NaN);
      hasFailed = true;
    });
    worker.on('connected', () => connectedAtMs.push(performance.now()));
  }
  const areBack = (): Promise<void> => expect.poll(() => connectedAtMs.length, { timeout: 20_000 }).toBe(WORKERS);
  return { connectedAtMs, firstDelaysMs, areBack };
}

/** Full jitter: the whole of the time is used. What is drawn does not depend on how busy this machine is. */
function expectSpread(firstDelaysMs: readonly number[], sinceLostMs: readonly number[]): void {
  expect(firstDelaysMs).toHaveLength(WORKERS);
  expect(Math.min(...firstDelaysMs)).toBeLessThan(BASE_MS / 4);
  expect(Math.max(...firstDelaysMs)).toBeGreaterThan((BASE_MS * 3) / 4);
  expect(Math.max(...firstDelaysMs)).toBeLessThan(BASE_MS);
  // Five on the average; more than twenty come less than once in a million runs.
  expect(mostWithin(CLOSE_MS, firstDelaysMs)).toBeLessThanOrEqual(20);
  expect(Math.max(...sinceLostMs) - Math.min(...sinceLostMs)).toBeGreaterThan(BASE_MS / 4);
}

describe('fifty workers whose master is started again on its port', () => {
  it('connect one by one, if it stops and is back at once', async () => {
    const { master, scheduler } = await Cluster.start<number, number>();
    const port = master.address?.port ?? 0;
    const { connectedAtMs, firstDelaysMs, areBack } = await crowd(port);
    await master.stop();
    const lostAtMs = performance.now();
    const next = await Cluster.start<number, number>({ port });
    await areBack();
    const sinceLostMs = connectedAtMs.map((atMs) => atMs - lostAtMs);
    console.log(`Stopped, and back at once: waits ${spread(firstDelaysMs)}; connected ${spread(sinceLostMs)}`);
    expectSpread(firstDelaysMs, sinceLostMs);
    expect(next.master.workers()).toHaveLength(WORKERS);
    const results = await Promise.all(Array.from({ length: 200 }, (_, n) => next.scheduler.put(n)));
    expect(results.reduce((sum, n) => sum + n)).toBe(19_900);
    expect(scheduler.queued).toBe(0);
  });

  it.skipIf(process.platform === 'win32')(
    'connect one by one, if it is killed and another process takes its place',
    async () => {
      const first = new Child('master-process', {});
      const [, port] = await first.first('listening');
      const { connectedAtMs, firstDelaysMs, areBack } = await crowd(Number(port));
      await first.kill();
      const lostAtMs = performance.now();
      const next = new Child('master-process', { port });
      await next.first('listening');
      const absentMs = Math.round(performance.now() - lostAtMs);
      await areBack();
      const sinceLostMs = connectedAtMs.map((atMs) => atMs - lostAtMs);
      console.log(
        `Killed, and back after ${absentMs} ms: waits ${spread(firstDelaysMs)}; connected ${spread(sinceLostMs)}`,
      );
      expectSpread(firstDelaysMs, sinceLostMs);
      expect(next.all('workerConnected')).toHaveLength(WORKERS);
      expect(next.all('workerDisconnected')).toHaveLength(0);
      for (let n = 1; n <= 100; n += 1) next.tell('put', n);
      await next.first('result', 100);
    },
  );
});
