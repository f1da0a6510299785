import { describe, expect, it } from 'vitest';
import { Cluster, nextMasterEvent } from './cluster.ts';

describe('the first of several tasks to give a result', () => {
  it.each(['msgpack', 'json'] as const)('aborts the others before they are ever run, over %s', async (codec) => {
    const cluster = await Cluster.start<string, string>();
    const seen: string[] = [];
    const outcomes: string[] = [];
    cluster.master.on('attemptEnded', ({ task, outcome }) => outcomes.push(`${task} ${outcome}`));
    const controller = new AbortController();
    const { signal } = controller;
    const first = cluster.scheduler.put('first', { signal }).then((result) => {
      controller.abort();
      return result;
    });
    const others = ['second', 'third'].map((task) => cluster.scheduler.put(task, { signal }));
    const settled = Promise.allSettled(others);
    await cluster.join(
      (task) => {
        seen.push(task);
        return task;
      },
      { concurrency: 1, prefetch: 0, codec },
    );
    await expect(first).resolves.toBe('first');
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    // Tasks go out in order: what comes behind shows that the aborted ones did not.
    await expect(cluster.scheduler.put('last')).resolves.toBe('last');
    expect(seen).toEqual(['first', 'last']);
    expect(outcomes).toEqual(['first done', 'last done']);
    expect(cluster.master.workers()).toMatchObject([{ done: 2, running: 0, late: 0 }]);
  });

  it('leaves a worker free for what comes next, although one of the others would never end', async () => {
    const cluster = await Cluster.start<string, string>();
    const controller = new AbortController();
    const { signal } = controller;
    const first = cluster.scheduler.put('first', { signal }).then(() => controller.abort());
    const endless = cluster.scheduler.put('endless', { signal }).catch(() => 'aborted');
    await cluster.join((task) => (task === 'endless' ? new Promise(() => {}) : task), { concurrency: 1, prefetch: 0 });
    await first;
    expect(await endless).toBe('aborted');
    const ended = nextMasterEvent(cluster.master, 'attemptEnded');
    await expect(cluster.scheduler.put('next')).resolves.toBe('next');
    expect(await ended).toMatchObject({ task: 'next', outcome: 'done' });
  });
});
