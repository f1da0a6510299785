// Workers that refuse tasks: who is offered what, and that refusals cost nothing once they do not matter any more.
import { describe, expect, it, vi } from 'vitest';
import { Heap } from '../../../src/heap.ts';
import { Profile } from '../../../src/scheduling/profile.ts';
import type { TestHolder } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

type Holder = TestHolder<unknown, unknown>;

/** A scheduler with so many workers, and how often it looks for a first task when one is put and served. */
function crowd(count: number) {
  const { scheduler, holder, events } = openScheduler({ unmatchedAfter: 100 });
  const holders = Array.from({ length: count }, (_, index) => holder(`h${index}`));
  const refuse = async (by: readonly Holder[]): Promise<void> => {
    for (const each of by) scheduler.release(await each.takeOne(), { kind: 'rejected' });
  };
  const looks = async (): Promise<number> => {
    for (const each of holders) void each.take();
    const first = vi.spyOn(Profile.prototype, 'first');
    void scheduler.put('task');
    await scheduler.clock.settle();
    const calls = first.mock.calls.length;
    first.mockRestore();
    return calls;
  };
  return { scheduler, holders, refuse, looks, events };
}

describe('workers that have refused a task', () => {
  it('are one kind of workers, if it is the same task', async () => {
    const fresh = await crowd(200).looks();
    const { refuse, looks, holders, scheduler, events } = crowd(200);
    void scheduler.put('poison');
    await refuse(holders);
    await scheduler.clock.advance(100);
    expect(events).toMatchObject([{ type: 'unmatched', task: 'poison', reason: 'rejected' }]);
    expect(await looks()).toBe(fresh);
  });

  it('are as the others again when it is settled', async () => {
    const fresh = await crowd(50).looks();
    const { refuse, looks, holders, scheduler } = crowd(50);
    const controller = new AbortController();
    for (const [index, each] of holders.entries()) {
      void scheduler.put(`poison ${index}`, { signal: controller.signal, priority: index }).catch(() => {});
      await refuse([each]);
    }
    controller.abort();
    expect(await looks()).toBe(fresh);
  });

  it('are as the others again after many refusals, when the last of them is settled', async () => {
    const fresh = await crowd(3).looks();
    const { refuse, looks, holders, scheduler } = crowd(3);
    const controllers = Array.from({ length: 40 }, () => new AbortController());
    for (const { signal } of controllers) void scheduler.put('poison', { signal }).catch(() => {});
    for (let n = 0; n < 40; n += 1) await refuse(holders.slice(0, 1));
    for (const controller of controllers) controller.abort();
    expect(await looks()).toBe(fresh);
  });

  it.each([1, 32, 33, 100])('are offered all but what they have refused, if it is %i of many kinds', async (count) => {
    const { scheduler, holders, refuse } = crowd(2);
    const [a, b] = holders as [Holder, Holder];
    for (let n = 0; n < count; n += 1) void scheduler.put({ type: `kind ${n}`, n });
    for (let n = 0; n < count; n += 1) await refuse([a]);
    void scheduler.put({ type: 'kind 0', n: count });
    void scheduler.put({ type: 'other', n: count + 1 });
    const numbers = async (holder: Holder) => (await holder.takeNow()).map(({ task }) => (task as { n: number }).n);
    expect(await numbers(a)).toEqual([count, count + 1]);
    expect(await numbers(b)).toEqual(Array.from({ length: count }, (_, n) => n));
  });

  it.each([1, 32, 33, 100])(
    'look at few others to find theirs, if they have refused %i of many kinds',
    async (count) => {
      const { scheduler, holders, refuse } = crowd(1);
      const [a] = holders as [Holder];
      for (let n = 0; n < count; n += 1) void scheduler.put({ type: `poison ${n}` });
      await refuse(Array<Holder>(count).fill(a));
      for (let n = 0; n < 500; n += 1) void scheduler.put({ type: `kind ${n}` });
      const find = vi.spyOn(Heap.prototype, 'find');
      // What is empty is passed over once, and not at every look.
      for (let n = 0; n < 500; n += 1) scheduler.complete(await a.takeOne(), n);
      expect(find.mock.calls.length).toBeLessThanOrEqual(500 * 2 * (2 * 32 + 1));
      find.mockRestore();
    },
  );

  it('cost no look at what else waits, however their refusals come and go, once they have refused much', async () => {
    const { scheduler, holders, refuse } = crowd(2);
    const [a, b] = holders as [Holder, Holder];
    const consider = vi.spyOn(Profile.prototype, 'consider');
    const putAndRefuse = async (count: number) => {
      for (let n = 0; n < count; n += 1) void scheduler.put('poison');
      await refuse(Array<Holder>(count).fill(a));
    };
    await putAndRefuse(40);
    consider.mockClear();
    for (let n = 0; n < 30; n += 1) scheduler.complete(await b.takeOne(), n);
    // There is a lane yet of what it has refused.
    await putAndRefuse(30);
    expect(consider).not.toHaveBeenCalled();
    for (let n = 0; n < 40; n += 1) scheduler.complete(await b.takeOne(), n);
    void scheduler.put({ type: 'another' });
    // By all alike, and by nobody else.
    expect(consider).toHaveBeenCalledTimes(1);
    consider.mockRestore();
  });

  it('are not offered it while it waits, whatever else they have refused, nor after others have', async () => {
    const { scheduler, holders, refuse } = crowd(3);
    const [a, b, c] = holders as [Holder, Holder, Holder];
    void scheduler.put(1);
    await refuse([a, b]);
    void scheduler.put(2);
    await refuse([a]);
    const forA = a.take();
    expect((await b.takeOne()).task).toBe(2);
    expect((await c.takeOne()).task).toBe(1);
    void scheduler.put(3);
    expect((await forA)[0]?.task).toBe(3);
  });

  it('are served from where they wait, when what they refused is settled meanwhile', async () => {
    const { scheduler, holders, refuse } = crowd(2);
    const [a, b] = holders as [Holder, Holder];
    void scheduler.put('poison');
    await refuse([a]);
    const waiting = a.take();
    scheduler.complete(await b.takeOne(), 'done');
    void scheduler.put('other');
    expect((await waiting)[0]?.task).toBe('other');
  });
});
