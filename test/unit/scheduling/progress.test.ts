import { describe, expect, it } from 'vitest';
import type { ProgressInfo } from '../../../src/scheduling/task-options.ts';
import { openScheduler } from '../../support/scheduler.ts';

function setUp() {
  const opened = openScheduler();
  const said: (readonly [unknown, ProgressInfo])[] = [];
  return { ...opened, said, onProgress: (...said_: readonly [unknown, ProgressInfo]) => said.push(said_) };
}

describe('the progress of an attempt', () => {
  it('reaches `onProgress`, with who reports it, in its order', async () => {
    const { scheduler, holder, said, onProgress } = setUp();
    void scheduler.put('other');
    void scheduler.put('task', { onProgress });
    const [other, lease] = await holder('h').takeNow();
    if (other === undefined || lease === undefined) throw new Error('Nothing to take');
    for (const value of [0.5, { of: 2 }, undefined]) scheduler.progressed(lease, value);
    // Nobody listens to this one.
    scheduler.progressed(other, 1);
    const info = { key: '1', attempt: 1, worker: 'holder h', workerId: 'h' };
    expect(said).toEqual([
      [0.5, info],
      [{ of: 2 }, info],
      [undefined, info],
    ]);
  });

  it('tells which attempt it is of', async () => {
    const { scheduler, clock, holder, said, onProgress } = setUp();
    void scheduler.put('task', { onProgress, speculate: true });
    const [first, second] = [holder('first'), holder('second')];
    scheduler.fail(await first.takeOne(), new Error('no'));
    const again = await first.takeOne();
    scheduler.started(again);
    await clock.advance(1000);
    scheduler.progressed(await second.takeOne(), 'copy');
    scheduler.progressed(again, 'again');
    expect(said.map(([value, { attempt, worker }]) => [value, attempt, worker])).toEqual([
      ['copy', 3, 'holder second'],
      ['again', 2, 'holder first'],
    ]);
  });

  it.each(['settled', 'aborted', 'given back'])('is not heard of one that is over: %s', async (how) => {
    const { scheduler, holder, said, onProgress } = setUp();
    const controller = new AbortController();
    scheduler.put('task', { onProgress, signal: controller.signal }).catch(() => {});
    const lease = await holder('h').takeOne();
    if (how === 'settled') scheduler.complete(lease, 'done');
    else if (how === 'aborted') controller.abort();
    else scheduler.release(lease, { kind: 'returned' });
    scheduler.progressed(lease, 'late');
    expect(said).toEqual([]);
  });
});
