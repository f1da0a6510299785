// What it costs to give nothing that counts, where results are verified.
import { describe, expect, it } from 'vitest';
import { Penalties } from '../../../src/scheduling/penalties.ts';
import type { FifoSchedulerOptions } from '../../../src/scheduling/scheduler-options.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { type HolderOptions, TestHolder } from '../../support/holders.ts';
import { TestScheduler } from '../../support/scheduler.ts';

/** Notes for how long it is to rest. */
class RestingHolder extends TestHolder<number, string> {
  readonly rests: number[] = [];
  /** How many slots it was believed to have, the last time. */
  slots = 0;

  rest(ms: number, slots: number): void {
    this.rests.push(ms);
    this.slots = slots;
  }
}

function setUp(options: FifoSchedulerOptions = { verify: { quorum: 2, trust: false } }) {
  const clock = new VirtualClock();
  const scheduler = new TestScheduler<number, string>({ backoff: { base: 0 }, maxAttempts: 100, ...options }, clock);
  scheduler.open();
  const holder = (id: string, about: HolderOptions = {}) => new RestingHolder(scheduler, id, about);
  const put = (count = 1): void => {
    for (let task = 0; task < count; task += 1) void scheduler.put(task).catch(() => {});
  };
  /** Takes a task, and gives that result after so long. */
  const answer = async (who: RestingHolder, result: string, ms = 0): Promise<void> => {
    const lease = await who.takeOne();
    scheduler.started(lease);
    await clock.advance(ms);
    scheduler.complete(lease, result);
  };
  const fail = async (who: RestingHolder, ms = 0): Promise<void> => {
    const lease = await who.takeOne();
    scheduler.started(lease);
    await clock.advance(ms);
    scheduler.fail(lease, new Error('no'));
  };
  /** Is at a task for so long already, and stays there. */
  const busy = async (who: RestingHolder, ms: number): Promise<void> => {
    scheduler.started(await who.takeOne());
    await clock.advance(ms);
  };
  return { clock, scheduler, holder, put, answer, fail, busy };
}

describe('a worker that fails a task which is verified', () => {
  it('rests for as long as another one has been at such a task by now, as long as nobody knows how long they take', async () => {
    const { clock, scheduler, holder, put, fail } = setUp();
    const [bad, good] = [holder('bad'), holder('good')];
    put(2);
    await fail(bad);
    expect(bad.rests).toEqual([]);
    const lease = await good.takeOne();
    scheduler.started(lease);
    await clock.advance(700);
    await fail(bad);
    await clock.advance(700);
    await fail(bad, 100);
    scheduler.release(lease, { kind: 'returned' });
    await fail(bad);
    expect(bad.rests).toEqual([700, 1400]);
  });

  it('rests for as long as a result takes on which a quorum agrees, less what it took to fail', async () => {
    const { holder, put, answer, fail } = setUp();
    const [bad, a, b] = ['bad', 'a', 'b'].map((id) => holder(id));
    if (bad === undefined || a === undefined || b === undefined) return;
    put(3);
    await answer(a, 'x', 70);
    await answer(b, 'x', 400);
    await fail(bad, 100);
    expect(bad.rests).toEqual([300]);
    await fail(bad, 500);
    expect(bad.rests).toEqual([300]);
  });

  it('rests by what tasks of that type take, whatever others do', async () => {
    const clock = new VirtualClock();
    const penalties = new Penalties(() => clock.now());
    const rests: number[] = [];
    const holder = Object.assign(new TestHolder(new TestScheduler<number, string>()), {
      rest: (ms: number) => rests.push(ms),
    });
    const startedAtMs = clock.now();
    await clock.advance(1000);
    penalties.worked({ startedAtMs, record: { type: 'long' } });
    penalties.worked({ startedAtMs: startedAtMs + 990, record: { type: 'short' } });
    for (const type of ['short', 'long', 'other']) penalties.impose(holder, { type, valid: 0 });
    expect(rests).toEqual([10, 1000]);
    for (let n = 0; n < 1000; n += 1) penalties.worked({ startedAtMs, record: { type: `type ${n}` } });
    // Of so many types no more is known than of all together.
    for (const type of ['type 3', 'type 999', 'type 1001']) penalties.impose(holder, { type, valid: 0 });
    expect(rests.slice(2)).toEqual([1000, 1000, 1000]);
  });

  it('is believed to have as many slots as results of it have proved right in a row, and one more', async () => {
    const { holder, put, answer, fail } = setUp();
    const [a, b] = [holder('a'), holder('b')];
    put(4);
    for (const _ of [1, 2, 3]) {
      await answer(a, 'x', 100);
      await answer(b, 'x', 100);
    }
    await fail(a);
    expect([a.rests, a.slots]).toEqual([[100], 4]);
  });

  it('does not rest if its master trusts it, or if nothing is verified', async () => {
    const trusting = setUp({ verify: { quorum: 2 } });
    const mine = trusting.holder('mine', { isTrusted: true });
    trusting.put();
    await trusting.fail(mine);
    const plain = setUp({});
    const other = plain.holder('other');
    plain.put();
    await plain.fail(other);
    expect([mine.rests, other.rests]).toEqual([[], []]);
  });
});

describe('a worker whose result is wrong', () => {
  it('does not rest if its master trusts it outright, though its results are checked all the same', async () => {
    const { holder, put, answer } = setUp();
    const [mine, a, b] = [holder('mine', { isTrusted: true }), holder('a'), holder('b')];
    put();
    await answer(mine, 'lie');
    await answer(a, 'truth', 250);
    await answer(b, 'truth', 250);
    expect(mine.rests).toEqual([]);
  });

  it('rests for it, and for each of its results that are discarded', async () => {
    const { holder, put, answer } = setUp();
    const [bad, a, b] = [holder('bad'), holder('a'), holder('b')];
    put(3);
    for (const _ of [1, 2, 3]) await answer(bad, 'lie');
    await answer(a, 'truth', 250);
    await answer(b, 'truth', 250);
    expect(bad.rests).toEqual([750]);
    expect([a.rests, b.rests]).toEqual([[], []]);
  });

  it('rests as all others do where no quorum can agree', async () => {
    const { scheduler, holder, put, busy } = setUp({ verify: { quorum: 2, maxReplicas: 2 } });
    const [a, b] = [holder('a'), holder('b')];
    put(2);
    const [x, y] = [await a.takeOne(), await b.takeOne()];
    await busy(holder('busy'), 800);
    scheduler.complete(x, 'x');
    scheduler.complete(y, 'y');
    expect([a.rests, b.rests]).toEqual([[800], [800]]);
  });
});
