import { describe, expect, it } from 'vitest';
import type { Requirements } from '../../../src/labels.ts';
import { openScheduler } from '../../support/scheduler.ts';

const cases: readonly (readonly [Requirements, readonly string[]])[] = [
  [{}, ['none', 'gpu', 'big', 'eu']],
  [{ gpu: true }, ['gpu', 'big']],
  [{ gpu: false }, ['none', 'eu']],
  [{ memory: 8 }, ['gpu']],
  [{ memory: { min: 8 } }, ['gpu', 'big']],
  [{ memory: { max: 8 } }, ['gpu', 'eu']],
  [{ memory: { min: 5, max: 20 } }, ['gpu', 'big']],
  [{ region: ['eu', 'us'] }, ['big', 'eu']],
  [{ region: 'eu', memory: { min: 4 } }, ['eu']],
  [{ gpu: true, region: 'eu' }, []],
];

function setUp() {
  const opened = openScheduler();
  const { holder } = opened;
  const holders = [
    holder('none'),
    holder('gpu', { labels: { gpu: true, memory: 8 } }),
    holder('big', { labels: { gpu: true, memory: 16, region: 'us' } }),
    holder('eu', { labels: { memory: 4, region: 'eu' } }),
  ];
  return { ...opened, holders };
}

describe('a task that requires labels', () => {
  it.each(cases)('is given to those who have them: %j', async (requires, ids) => {
    const { scheduler, holders } = setUp();
    void scheduler.put('task', { requires });
    const takers: string[] = [];
    for (const each of holders) {
      const [lease] = await each.takeNow();
      if (lease === undefined) continue;
      takers.push(each.id);
      scheduler.release(lease, { kind: 'returned' });
    }
    expect(takers).toEqual(ids);
    expect(scheduler.stats().unmatched).toBe(ids.length === 0 ? 1 : 0);
  });

  it('tells by its lease whom it suits', async () => {
    const { scheduler, holders, holder } = setUp();
    const [, gpu] = holders;
    const choosing = holder('choosing', { accepts: ['b'], labels: { gpu: true } });
    void scheduler.put({ type: 'a' }, { requires: { gpu: true } });
    const lease = await gpu?.takeOne();
    const suits = () => [...holders, choosing].filter((each) => lease?.suits(each)).map(({ id }) => id);
    expect(suits()).toEqual(['gpu', 'big']);
    if (lease !== undefined) scheduler.release(lease, { kind: 'rejected' });
    expect(suits()).toEqual(['big']);
  });

  it('does not hold up others, whatever its priority', async () => {
    const { scheduler, holders } = setUp();
    void scheduler.put('special', { requires: { region: 'mars' }, priority: 9 });
    void scheduler.put('usual');
    expect((await holders[0]?.takeNow())?.map(({ task }) => task)).toEqual(['usual']);
  });

  it('goes to those who wait and have them, not to those who have waited longer', async () => {
    const { scheduler, holders } = setUp();
    const taking = holders.map((each) => each.take());
    void scheduler.put('task', { requires: { region: 'us' } });
    expect(await taking[2]).toMatchObject([{ task: 'task' }]);
    expect(scheduler.queued).toBe(0);
  });

  it('must be of a type that is accepted, too', async () => {
    const { scheduler, holder } = openScheduler();
    void scheduler.put({ type: 'a' }, { requires: { gpu: true } });
    const labels = { gpu: true };
    expect(await holder('label', { accepts: ['b'], labels }).takeNow()).toEqual([]);
    expect(await holder('type', { accepts: ['a'] }).takeNow()).toEqual([]);
    expect(await holder('both', { accepts: ['a', 'b'], labels }).takeNow()).toHaveLength(1);
  });

  it('is in one order with others of the same requirements, however they are written', async () => {
    const { scheduler, holder } = openScheduler();
    void scheduler.put(1, { requires: { gpu: true, region: ['eu', 'us'] } });
    void scheduler.put(2);
    void scheduler.put(3, { requires: { region: ['us', 'eu'], gpu: true } });
    const taken = await holder('h', { labels: { region: 'eu', gpu: true } }).takeNow();
    expect(taken.map(({ task }) => task)).toEqual([1, 2, 3]);
  });

  it('waits for the next one if all who have them have rejected it', async () => {
    const { scheduler, holders, holder } = setUp();
    void scheduler.put('task', { requires: { gpu: true } });
    for (const each of holders.slice(1, 3)) scheduler.release(await each.takeOne(), { kind: 'rejected' });
    for (const each of holders) expect(await each.takeNow()).toEqual([]);
    expect(scheduler.stats().unmatched).toBe(1);
    expect(await holder('new', { labels: { gpu: true } }).takeNow()).toHaveLength(1);
  });
});
