import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { Trust } from '../../../src/scheduling/trust.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow, type TestHolder } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

type Opened = ReturnType<typeof openScheduler>;
type Holder = TestHolder<unknown, unknown>;

const verify = { trust: { after: 2 } };

/** So many results of these prove right. */
async function prove({ scheduler }: Opened, count: number, ...holders: readonly Holder[]): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const proven = scheduler.put(`proof ${n}`);
    for (const lease of await Promise.all(holders.map((holder) => holder.takeOne())))
      scheduler.complete(lease, 'right');
    await proven;
  }
}

/** A worker that has been right as often as it takes, and one that has with it; chance is as it is set. */
async function openTrusted(after = 2) {
  const chance = { value: 1, draws: 0 };
  const random = (): number => {
    chance.draws += 1;
    return chance.value;
  };
  const opened = openScheduler({ verify: { trust: { after } } }, random);
  const [a, b, c] = [opened.holder('a'), opened.holder('b'), opened.holder('c')];
  await prove(opened, after, a, b);
  opened.events.length = 0;
  return { ...opened, a, b, c, chance };
}

describe('who is trusted', () => {
  it('is whose results were right so often in a row: it has a task alone, and its result is taken at its word', async () => {
    const { scheduler, a, b, c } = await openTrusted();
    const outcome = follow(scheduler.put('task'));
    const lease = await a.takeOne();
    expect(lease.attempt).toBe(1);
    expect([await b.takeNow(), await c.takeNow()]).toEqual([[], []]);
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 1 });
    scheduler.complete(lease, 'whatever');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'whatever' });
    expect(scheduler.stats().total).toMatchObject({ trusted: 1, done: 3 });
  });

  it('is nobody before', async () => {
    const opened = openScheduler({ verify }, () => 1);
    const [a, b, c] = [opened.holder('a'), opened.holder('b'), opened.holder('c')];
    await prove(opened, 1, a, b);
    void opened.scheduler.put('task');
    await a.takeOne();
    expect(await c.takeNow()).toHaveLength(1);
  });

  it('is so after ten results if nothing else is said, and not after nine', async () => {
    const opened = openScheduler({ verify: {} }, () => 1);
    const [a, b, c] = [opened.holder('a'), opened.holder('b'), opened.holder('c')];
    await prove(opened, 9, a, b);
    void opened.scheduler.put('tenth');
    const [lease, other] = [await a.takeOne(), await b.takeOne()];
    opened.scheduler.complete(lease, 1);
    opened.scheduler.complete(other, 1);
    void opened.scheduler.put('task');
    await a.takeOne();
    expect(await c.takeNow()).toEqual([]);
  });

  it('is checked all the same, one time in as many as were right', async () => {
    const { scheduler, a, b, chance } = await openTrusted();
    chance.value = 0.499;
    const outcome = follow(scheduler.put('task'));
    scheduler.complete(await a.takeOne(), 'right');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'pending' });
    scheduler.complete(await b.takeOne(), 'right');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'right' });
    // Three were right now. That is one in three.
    void scheduler.put('task');
    const lease = await a.takeOne();
    chance.value = 0.34;
    scheduler.complete(lease, 'right');
    expect(scheduler.stats().total.trusted).toBe(1);
    // What was not checked does not count.
    void scheduler.put('task');
    chance.value = 0.33;
    scheduler.complete(await a.takeOne(), 'right');
    expect(scheduler.stats().total.trusted).toBe(1);
    expect(scheduler.stats()).toMatchObject({ queued: 1 });
  });

  it('is checked or not as is drawn when its result is there, when it can change nothing any more', async () => {
    const { scheduler, a, chance } = await openTrusted();
    void scheduler.put('task');
    const first = await a.takeOne();
    scheduler.started(first);
    scheduler.release(first, { kind: 'returned' });
    const second = await a.takeOne();
    expect(chance.draws).toBe(0);
    scheduler.complete(second, 1);
    expect(chance.draws).toBe(1);
  });

  it('is believed in nothing while one of its results is being checked, however quick it is', async () => {
    const { scheduler, a, b, chance } = await openTrusted();
    chance.value = 0;
    const checked = scheduler.put('checked');
    scheduler.complete(await a.takeOne(), 'right');
    chance.value = 1;
    const meanwhile = follow(scheduler.put('meanwhile'));
    scheduler.complete(await a.takeOne(), 'right');
    await nextTurn();
    expect(meanwhile()).toEqual({ status: 'pending' });
    scheduler.complete(await b.takeOne(), 'right');
    await checked;
    // Only what was drawn is waited for: or there would be no end to it.
    const later = scheduler.put('later');
    scheduler.complete(await a.takeOne(), 'right');
    expect(await later).toBe('right');
    expect(meanwhile()).toEqual({ status: 'pending' });
    expect(scheduler.stats().total).toMatchObject({ trusted: 1 });
  });

  it('is believed again, when it has proved right as often as before, though nobody is there who could check', async () => {
    const { scheduler, holder, a, b, chance } = await openTrusted();
    const [only] = [holder('only', { principal: 'p', labels: { gpu: true } })];
    for (let n = 0; n < 2; n += 1) {
      void scheduler.put(`proof ${n}`);
      for (const each of [only, b]) scheduler.complete(await each.takeOne(), 'right');
    }
    chance.value = 0;
    const stuck = follow(scheduler.put('stuck', { requires: { gpu: true } }));
    scheduler.complete(await only.takeOne(), 'right');
    chance.value = 1;
    const worth = async (): Promise<number> => {
      const before = scheduler.stats().total.trusted;
      void scheduler.put('task');
      scheduler.complete(await only.takeOne(), 'right');
      const { trusted } = scheduler.stats().total;
      if (trusted === before) scheduler.complete(await a.takeOne(), 'right');
      return trusted - before;
    };
    expect([await worth(), await worth(), await worth()]).toEqual([0, 0, 1]);
    // As soon as somebody could, it is waited for.
    const other = holder('other', { labels: { gpu: true } });
    expect(await worth()).toBe(0);
    scheduler.complete(await other.takeOne(), 'right');
    await nextTurn();
    expect(stuck()).toEqual({ status: 'fulfilled', value: 'right' });
    expect(await worth()).toBe(1);
  });

  it('is believed in nothing more when it is alone, and one of its results is to be checked', async () => {
    const { scheduler, a, b, c, chance } = await openTrusted();
    for (const other of [b, c]) scheduler.leave(other);
    chance.value = 0;
    void scheduler.put('drawn');
    scheduler.complete(await a.takeOne(), 'right');
    chance.value = 1;
    for (let n = 0; n < 5; n += 1) {
      void scheduler.put(n);
      scheduler.complete(await a.takeOne(), 'right');
    }
    expect(scheduler.stats()).toMatchObject({ queued: 6, unmatched: 6, total: { trusted: 0 } });
  });

  it('is one of several if somebody has the task already', async () => {
    const { scheduler, a, c, chance } = await openTrusted();
    void scheduler.put('task');
    const first = await c.takeOne();
    const second = await a.takeOne();
    scheduler.complete(second, 'right');
    expect(scheduler.stats().total).toMatchObject({ done: 2, trusted: 0 });
    scheduler.complete(first, 'right');
    expect(scheduler.stats().total).toMatchObject({ done: 3, trusted: 0 });
    expect(chance.draws).toBe(0);
  });

  it('is nobody who was wrong once', async () => {
    const { scheduler, a, b, c, chance } = await openTrusted();
    chance.value = 0;
    void scheduler.put('task');
    scheduler.complete(await a.takeOne(), 'wrong');
    scheduler.complete(await b.takeOne(), 'right');
    scheduler.complete(await c.takeOne(), 'right');
    void scheduler.put('next');
    await a.takeOne();
    expect(scheduler.stats()).toMatchObject({ queued: 1 });
    expect(await c.takeNow()).toHaveLength(1);
  });

  it('is so by all its workers, and when it comes again', async () => {
    const opened = openScheduler({ verify }, () => 1);
    const { scheduler, holder } = opened;
    const [phone, b] = [holder('phone', { principal: 'p' }), holder('b')];
    await prove(opened, 2, phone, b);
    scheduler.leave(phone);
    const laptop = holder('laptop', { principal: 'p' });
    void scheduler.put('task');
    scheduler.complete(await laptop.takeOne(), 1);
    expect(scheduler.stats().total).toMatchObject({ trusted: 1 });
  });

  it('is nobody, if that is asked, not even whom the master trusts', async () => {
    const { scheduler, holder } = openScheduler({ verify: { trust: false } });
    void scheduler.put('task');
    await holder('own', { isTrusted: true }).takeOne();
    expect(await holder('b').takeNow()).toHaveLength(1);
  });

  it('is nobody by itself, if that is asked', async () => {
    const opened = openScheduler({ verify: { trust: { after: Number.POSITIVE_INFINITY } } }, () => 1);
    const [a, b] = [opened.holder('a'), opened.holder('b')];
    await prove(opened, 20, a, b);
    void opened.scheduler.put('task');
    await a.takeOne();
    expect(await b.takeNow()).toHaveLength(1);
  });
});

describe('who is caught', () => {
  it('has the results it gave to tasks that are open count no more; others run them', async () => {
    const opened = openScheduler({ verify: { trust: false } });
    const { scheduler, holder, events } = opened;
    const [liar, b, c, d] = [holder('liar'), holder('b'), holder('c'), holder('d')];
    const open = follow(scheduler.put('open'));
    void scheduler.put('caught');
    const [first, second] = await liar.takeNow();
    scheduler.complete(first as Lease<unknown>, 'lie');
    const [openB, caughtB] = await b.takeNow();
    scheduler.complete(second as Lease<unknown>, 'lie');
    scheduler.complete(caughtB as Lease<unknown>, 'truth');
    expect((await c.takeNow()).map((lease) => scheduler.complete(lease, 'truth'))).toEqual([true]);
    expect(events.filter(({ type }) => type === 'workerDistrusted')).toMatchObject([
      { key: '1', workerId: 'liar', discarded: 1 },
    ]);
    expect(scheduler.stats().total).toMatchObject({ distrusted: 1, discarded: 1 });
    // Its friend does not help it.
    scheduler.complete(openB as Lease<unknown>, 'lie');
    expect(open()).toEqual({ status: 'pending' });
    expect(await liar.takeNow()).toEqual([]);
    expect((await c.takeNow()).map((lease) => scheduler.complete(lease, 'truth'))).toEqual([true]);
    expect((await d.takeNow()).map((lease) => scheduler.complete(lease, 'truth'))).toEqual([true]);
    await nextTurn();
    expect(open()).toEqual({ status: 'fulfilled', value: 'truth' });
  });

  it('is not alone with a task any more', async () => {
    const { scheduler, a, b, c, chance } = await openTrusted();
    void scheduler.put('caught');
    const other = follow(scheduler.put('other'));
    const [caught, alone] = await a.takeNow();
    expect(await b.takeNow()).toEqual([]);
    chance.value = 0;
    scheduler.complete(caught as Lease<unknown>, 'wrong');
    scheduler.complete(await b.takeOne(), 'right');
    scheduler.complete(await c.takeOne(), 'right');
    chance.value = 1;
    expect(scheduler.stats()).toMatchObject({ queued: 1, leased: 0 });
    scheduler.complete(alone as Lease<unknown>, 'wrong');
    await nextTurn();
    expect(other()).toEqual({ status: 'pending' });
    expect(scheduler.stats().total).toMatchObject({ trusted: 0 });
  });

  it('may be believed again when it has proved right again, though what was being checked is open', async () => {
    const { scheduler, a, b, c, chance } = await openTrusted();
    const judge = async (task: string, ...results: readonly (readonly [Holder, string])[]) => {
      void scheduler.put(task, { priority: 1 });
      for (const [holder, result] of results) scheduler.complete(await holder.takeOne(), result);
    };
    chance.value = 0;
    const checked = follow(scheduler.put('checked'));
    scheduler.complete(await a.takeOne(), 'right');
    await judge('caught', [a, 'wrong'], [b, 'right'], [c, 'right']);
    for (const task of ['first', 'second']) await judge(task, [c, 'right'], [a, 'right']);
    chance.value = 1;
    await judge('alone', [a, 'right']);
    expect(scheduler.stats().total).toMatchObject({ distrusted: 1, discarded: 1, trusted: 1 });
    expect(checked()).toEqual({ status: 'pending' });
  });

  it('keeps what was accepted of it', async () => {
    const { scheduler, a, b, c, chance } = await openTrusted();
    const accepted = scheduler.put('accepted');
    scheduler.complete(await a.takeOne(), 'lie');
    expect(await accepted).toBe('lie');
    chance.value = 0;
    void scheduler.put('caught');
    for (const [holder, result] of [
      [a, 'lie'],
      [b, 'truth'],
      [c, 'truth'],
    ] as const) {
      scheduler.complete(await holder.takeOne(), result);
    }
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 0, total: { distrusted: 1, discarded: 0, done: 4 } });
  });

  it('is called by its person, if that is known', async () => {
    const { scheduler, holder, events } = openScheduler({ verify: { trust: false } });
    const [liar, b, c] = [holder('liar', { principal: 'p' }), holder('b'), holder('c')];
    void scheduler.put('task');
    scheduler.complete(await liar.takeOne(), 'lie');
    for (const honest of [b, c]) scheduler.complete(await honest.takeOne(), 'truth');
    expect(events.at(-1)).toMatchObject({ type: 'workerDistrusted', workerId: 'liar', principal: 'p' });
  });
});

describe('whom the master trusts', () => {
  it('is not checked', async () => {
    const { scheduler, holder } = openScheduler({ verify: {} }, () => 0);
    const outcome = follow(scheduler.put('task'));
    const lease = await holder('own', { isTrusted: true }).takeOne();
    expect(await holder('b').takeNow()).toEqual([]);
    scheduler.complete(lease, 1);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 1 });
    expect(scheduler.stats().total).toMatchObject({ trusted: 1 });
  });

  it('decides, though others are at it, or say otherwise', async () => {
    const opened = openScheduler({ verify: { quorum: 3, trust: { after: 1 } } }, () => 0);
    const { scheduler, holder, events } = opened;
    const [a, b, own] = [holder('a'), holder('b'), holder('own', { isTrusted: true })];
    const outcome = follow(scheduler.put('task'));
    scheduler.complete(await a.takeOne(), 'wrong');
    await b.takeOne();
    const lease = await own.takeOne();
    expect(await holder('c').takeNow()).toEqual([]);
    scheduler.complete(lease, 'right');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'right' });
    expect(b.reasons).toEqual(['superseded']);
    expect(events).toMatchObject([{ type: 'settled' }, { type: 'workerDistrusted', workerId: 'a' }]);
  });

  it('has its own result accepted, where `equals` allows for something', async () => {
    const equals = (x: unknown, y: unknown): boolean => Math.round(Number(x)) === Math.round(Number(y));
    const { scheduler, holder } = openScheduler({ verify: { equals } });
    const outcome = follow(scheduler.put('task'));
    scheduler.complete(await holder('a').takeOne(), 1.2);
    scheduler.complete(await holder('own', { isTrusted: true }).takeOne(), 1.1);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 1.1 });
    expect(scheduler.stats().total).toMatchObject({ distrusted: 0 });
  });
});

describe('the table of the trusted', () => {
  it('counts results in a row', () => {
    const trust = new Trust();
    for (let n = 0; n < 3; n += 1) trust.won('a');
    trust.won('b');
    expect([trust.validOf('a'), trust.validOf('b'), trust.validOf('c')]).toEqual([3, 1, 0]);
    trust.reset('a');
    expect([trust.validOf('a'), trust.validOf('b'), trust.size]).toEqual([0, 1, 1]);
  });

  it('forgets of too many who was heard of least recently', () => {
    const trust = new Trust(2);
    trust.won('a');
    trust.won('b');
    trust.validOf('a');
    trust.won('c');
    expect([trust.size, trust.validOf('b'), trust.validOf('a'), trust.validOf('c')]).toEqual([2, 0, 1, 1]);
  });

  it('does not take in those who are gone for good when their result proves right', async () => {
    const { scheduler, holder } = openScheduler({ verify: { trust: { after: 1 } } }, () => 1);
    const [a, b] = [holder('a'), holder('b')];
    const proven = scheduler.put('task');
    scheduler.complete(await a.takeOne(), 'right');
    scheduler.leave(a);
    scheduler.complete(await b.takeOne(), 'right');
    await proven;
    // The same id cannot come again; here it does.
    const again = holder('a');
    void scheduler.put('next');
    await again.takeOne();
    expect(await b.takeNow()).toHaveLength(1);
  });

  it('keeps those who may come again when their result proves right', async () => {
    const { scheduler, holder } = openScheduler({ verify: { trust: { after: 1 } } }, () => 1);
    const [phone, b] = [holder('phone', { principal: 'p' }), holder('b')];
    const proven = scheduler.put('task');
    scheduler.complete(await phone.takeOne(), 'right');
    scheduler.leave(phone);
    scheduler.complete(await b.takeOne(), 'right');
    await proven;
    void scheduler.put('next');
    await holder('laptop', { principal: 'p' }).takeOne();
    expect(await b.takeNow()).toEqual([]);
  });

  it('does not keep those who are gone for good', async () => {
    const { scheduler, holder, a, b } = await openTrusted();
    scheduler.leave(a);
    // The same id cannot come again; here it does.
    const again = holder('a');
    void scheduler.put('task');
    await again.takeOne();
    expect(await b.takeNow()).toHaveLength(1);
  });
});
