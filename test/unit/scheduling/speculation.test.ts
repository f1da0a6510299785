import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import type { PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow, type TestHolder } from '../../support/holders.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

type Opened = ReturnType<typeof openScheduler>;
type Holder = TestHolder<unknown, unknown>;

/** Whatever a wait has brought so far. */
function waitFor({ scheduler }: Opened, holder: Holder, max = 1) {
  const taken: Lease<unknown>[] = [];
  const controller = new AbortController();
  void Promise.resolve(scheduler.take(holder, max, controller.signal)).then((leases) => taken.push(...leases));
  return { taken, stop: () => controller.abort() };
}

/** Makes three results of this type, each after this time. */
async function learn(opened: Opened, worker: Holder, ms: number, task: unknown = 'usual'): Promise<void> {
  for (let n = 0; n < 3; n += 1) {
    void opened.scheduler.put(task, { speculate: true });
    const lease = await worker.takeOne();
    opened.scheduler.started(lease);
    await opened.clock.advance(ms);
    opened.scheduler.complete(lease, 'usual');
  }
}

/** A task that runs at `slow`, and somebody idle; no time has gone by. */
async function straggle(options: PutOptions = {}, random?: () => number) {
  const opened = openScheduler({}, random);
  const { scheduler, holder } = opened;
  const [slow, idle] = [holder('slow'), holder('idle')];
  const outcome = follow(scheduler.put('task', { speculate: true, ...options }));
  const first = await slow.takeOne();
  scheduler.started(first);
  const wait = waitFor(opened, idle);
  return { ...opened, slow, idle, outcome, first, wait };
}

/** The same, when the second attempt has been given. */
async function speculate(options: PutOptions = {}, random?: () => number) {
  const straggling = await straggle(options, random);
  await straggling.clock.advance(1000);
  const [copy] = straggling.wait.taken;
  if (copy === undefined) throw new Error('There is no second attempt');
  return { ...straggling, copy };
}

describe('when an attempt counts as long', () => {
  it('does after a second, as long as little is known', async () => {
    const { clock, wait, slow, idle, scheduler, events } = await straggle();
    await clock.advance(999);
    expect(wait.taken).toEqual([]);
    await clock.advance(1);
    expect(wait.taken).toMatchObject([{ key: '0', task: 'task', attempt: 2, isSpeculative: true, isLive: true }]);
    expect(events).toEqual([
      {
        type: 'speculated',
        key: '0',
        task: 'task',
        worker: idle.name,
        workerId: 'idle',
        beside: slow.name,
        besideId: 'slow',
      },
    ]);
    expect(scheduler.stats().total).toMatchObject({ speculated: 1, speculatedFirst: 0 });
  });

  it.each([
    [10, 100],
    [66, 100],
    [200, 300],
  ])('does after 1.5 times the median, and 100 ms: after results of %i ms, at %i ms', async (usual, due) => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, idle] = [holder('slow'), holder('idle')];
    await learn(opened, slow, usual);
    void scheduler.put('task', { speculate: true });
    scheduler.started(await slow.takeOne());
    const { taken } = waitFor(opened, idle);
    await clock.advance(due - 1);
    expect(taken).toEqual([]);
    await clock.advance(1);
    expect(taken).toHaveLength(1);
  });

  it('does by what is known of its own type', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, ...idle] = ['slow', 'i1', 'i2', 'i3'].map((id) => holder(id));
    await learn(opened, slow as Holder, 10);
    await learn(opened, slow as Holder, 10, { type: 'short' });
    await learn(opened, slow as Holder, 400, { type: 'long' });
    for (const type of ['short', 'long', 'unknown']) void scheduler.put({ type }, { speculate: true });
    for (const lease of (await slow?.takeNow()) ?? []) scheduler.started(lease);
    const waits = idle.map((each) => waitFor(opened, each));
    const types = () =>
      waits.flatMap(({ taken }) => taken.map(({ task }) => (task as { readonly type: string }).type)).sort();
    await clock.advance(100);
    expect(types()).toEqual(['short']);
    await clock.advance(500);
    expect(types()).toEqual(['long', 'short']);
    // Not by what is known of those without a type.
    await clock.advance(399);
    expect(types()).toEqual(['long', 'short']);
    await clock.advance(1);
    expect(types()).toEqual(['long', 'short', 'unknown']);
  });

  it('does by what is known of all further types together, when there are more than 256', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, idle] = [holder('slow'), holder('idle')];
    for (let n = 0; n < 256; n += 1) await learn(opened, slow, 10, { type: `type ${n}` });
    await learn(opened, slow, 200, { type: 'late' });
    void scheduler.put({ type: 'later' }, { speculate: true });
    scheduler.started(await slow.takeOne());
    const { taken } = waitFor(opened, idle);
    await clock.advance(299);
    expect(taken).toEqual([]);
    await clock.advance(1);
    expect(taken).toHaveLength(1);
  });

  it('does as soon as enough is known, if somebody has been idle before', async () => {
    const opened = await straggle();
    const { clock, wait } = opened;
    expect(wait.taken).toEqual([]);
    opened.wait.stop();
    await learn(opened, opened.holder('quick'), 20);
    const again = waitFor(opened, opened.idle);
    await clock.advance(39);
    expect(again.taken).toEqual([]);
    await clock.advance(1);
    expect(again.taken).toHaveLength(1);
  });

  it('does once a result shows that it is, without anybody asking again', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, quick, idle] = [holder('slow'), holder('quick'), holder('idle')];
    for (let n = 0; n < 4; n += 1) void scheduler.put(n, { speculate: true });
    scheduler.started(await slow.takeOne());
    const leases = await quick.takeNow();
    for (const lease of leases) scheduler.started(lease);
    const { taken } = waitFor(opened, idle);
    await clock.advance(50);
    for (const lease of leases) scheduler.complete(lease, 'done');
    await clock.advance(49);
    expect(taken).toEqual([]);
    await clock.advance(1);
    expect(taken).toMatchObject([{ task: 0, isSpeculative: true }]);
  });

  it('does only from its start', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, idle] = [holder('slow'), holder('idle')];
    void scheduler.put('task', { speculate: true });
    const lease = await slow.takeOne();
    const { taken } = waitFor(opened, idle);
    await clock.advance(5000);
    expect([taken, clock.pendingTimers]).toEqual([[], 0]);
    scheduler.started(lease);
    await clock.advance(1000);
    expect(taken).toHaveLength(1);
  });
});

describe('who makes a second attempt', () => {
  it('is nobody where it is not asked for', async () => {
    const { clock, wait } = await straggle({ speculate: false });
    await clock.advance(60_000);
    expect([wait.taken, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('is nobody by default, and somebody where the scheduler says so, unless the put says otherwise', async () => {
    for (const [ofScheduler, ofPut, count] of [
      [undefined, undefined, 0],
      [true, undefined, 1],
      [true, false, 0],
      [false, true, 1],
    ] as const) {
      const opened = openScheduler(ofScheduler === undefined ? {} : { speculate: ofScheduler });
      void opened.scheduler.put('task', ofPut === undefined ? {} : { speculate: ofPut });
      opened.scheduler.started(await opened.holder('slow').takeOne());
      const { taken } = waitFor(opened, opened.holder('idle'));
      await opened.clock.advance(2000);
      expect(taken).toHaveLength(count);
    }
  });

  it('is never the one who makes the first', async () => {
    const opened = await straggle();
    opened.wait.stop();
    const { taken } = waitFor(opened, opened.slow, 5);
    await opened.clock.advance(60_000);
    expect(taken).toEqual([]);
  });

  it('is one of those who are idle, not one who stocks up', async () => {
    const opened = await straggle();
    opened.wait.stop();
    const stocking = opened.holder('stocking');
    stocking.idleSlots = 0;
    const { taken } = waitFor(opened, stocking);
    await opened.clock.advance(60_000);
    expect(taken).toEqual([]);
  });

  it('is one who accepts it, has the labels that it requires, and has not rejected it', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [rejecting, slow] = [
      holder('rejecting', { labels: { gpu: true } }),
      holder('slow', { labels: { gpu: true } }),
    ];
    void scheduler.put({ type: 'a' }, { speculate: true, requires: { gpu: true } });
    scheduler.release(await rejecting.takeOne(), { kind: 'rejected' });
    scheduler.started(await slow.takeOne());
    const others = [rejecting, holder('b', { accepts: ['b'], labels: { gpu: true } }), holder('plain')];
    const waits = others.map((each) => waitFor(opened, each));
    await clock.advance(5000);
    expect(waits.flatMap(({ taken }) => taken)).toEqual([]);
    expect(await holder('new', { labels: { gpu: true } }).take()).toMatchObject([{ attempt: 2, isSpeculative: true }]);
  });

  it('is nobody while a task is queued for them', async () => {
    const { scheduler, clock, holder, idle, wait, ...rest } = await straggle();
    wait.stop();
    await clock.advance(5000);
    void scheduler.put('next');
    const taken = await idle.takeNow(2);
    expect(taken).toMatchObject([{ task: 'next', isSpeculative: false }]);
    expect(rest.first.isLive).toBe(true);
  });

  it('goes first to a task that becomes ready at the very moment', async () => {
    const { scheduler, clock, wait } = await straggle();
    void scheduler.put('delayed', { delay: 1000 });
    await clock.advance(1000);
    expect(wait.taken).toMatchObject([{ task: 'delayed', isSpeculative: false }]);
  });

  it('is nobody while a task waits at another holder that it could be given', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, idle, picky] = [holder('slow'), holder('idle'), holder('picky', ['a'])];
    void scheduler.put({ type: 'a', n: 0 }, { speculate: true });
    void scheduler.put({ type: 'b', n: 1 });
    const [running, waiting] = await slow.takeNow();
    scheduler.started(running as Lease<unknown>);
    const wait = waitFor(opened, idle);
    await clock.advance(5000);
    expect(wait.taken).toEqual([]);
    // Somebody who could not have what waits goes without it.
    const other = waitFor(opened, picky);
    await clock.advance(0);
    expect(other.taken).toMatchObject([{ task: { n: 0 }, isSpeculative: true }]);
    // What waited is given back, and goes to who is idle.
    scheduler.release(waiting as Lease<unknown>, { kind: 'recalled' });
    await clock.advance(0);
    expect(wait.taken).toMatchObject([{ task: { n: 1 }, isSpeculative: false }]);
  });

  it('is somebody as soon as what waited is over', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, idle] = [holder('slow'), holder('idle')];
    void scheduler.put(0, { speculate: true });
    scheduler.put(1, { deadline: 5000 }).catch(() => {});
    const [running] = await slow.takeNow();
    scheduler.started(running as Lease<unknown>);
    const wait = waitFor(opened, idle);
    await clock.advance(4999);
    expect(wait.taken).toEqual([]);
    await clock.advance(1);
    expect(wait.taken).toMatchObject([{ task: 0, isSpeculative: true }]);
  });

  it('is somebody as soon as what waited has started where it was', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const [slow, idle] = [holder('slow'), holder('idle')];
    void scheduler.put(0, { speculate: true });
    void scheduler.put(1);
    const [running, waiting] = await slow.takeNow();
    scheduler.started(running as Lease<unknown>);
    const wait = waitFor(opened, idle);
    await clock.advance(5000);
    expect(wait.taken).toEqual([]);
    scheduler.started(waiting as Lease<unknown>);
    await clock.advance(0);
    expect(wait.taken).toMatchObject([{ task: 0, isSpeculative: true }]);
  });

  it('is one for each task, for those first that have run longest', async () => {
    const opened = openScheduler();
    const { scheduler, clock, holder } = opened;
    const slow = holder('slow');
    for (let n = 0; n < 4; n += 1) {
      void scheduler.put(n, { speculate: true, priority: -n });
      scheduler.started(await slow.takeOne());
      await clock.advance(10);
    }
    await clock.advance(2000);
    const waits = ['i1', 'i2', 'i3'].map((id) => waitFor(opened, holder(id)));
    await nextTurn();
    expect(waits.map(({ taken }) => taken.map(({ task }) => task))).toEqual([[0], [1], [2]]);
    const more = ['i4', 'i5'].map((id) => waitFor(opened, holder(id)));
    await clock.advance(60_000);
    // Never a third.
    expect(more.map(({ taken }) => taken.map(({ task }) => task))).toEqual([[3], []]);
    expect(scheduler.stats()).toMatchObject({ leased: 4, total: { speculated: 4 } });
  });
});

describe('a task with two attempts', () => {
  it('is not won by the second if the first was given back before', async () => {
    const { scheduler, first, copy } = await speculate();
    scheduler.started(copy);
    scheduler.release(first, { kind: 'returned' });
    scheduler.complete(copy, 'result');
    expect(scheduler.stats().total).toMatchObject({ speculated: 1, speculatedFirst: 0, done: 1 });
  });

  it('takes the result of the second if it is first, and revokes the other', async () => {
    const { scheduler, clock, slow, idle, first, copy, outcome } = await speculate();
    scheduler.started(copy);
    expect(scheduler.stats()).toMatchObject({ leased: 1, running: 2 });
    expect(scheduler.complete(copy, 'second')).toBe(true);
    expect([slow.revoked, slow.reasons, idle.revoked]).toEqual([[first], ['superseded'], []]);
    expect(scheduler.complete(first, 'first')).toBe(false);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'second' });
    expect(scheduler.stats()).toMatchObject({ leased: 0, running: 0, total: { done: 1, speculatedFirst: 1 } });
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes the result of the first if it is first, and revokes the other', async () => {
    const { scheduler, clock, slow, idle, first, copy, outcome } = await speculate();
    expect(scheduler.complete(first, 'first')).toBe(true);
    expect([slow.revoked, idle.revoked, idle.reasons]).toEqual([[], [copy], ['superseded']]);
    for (const late of [
      () => scheduler.complete(copy, 'second'),
      () => scheduler.fail(copy, new Error('no')),
      () => scheduler.release(copy, lost),
    ]) {
      expect(late()).toBe(false);
    }
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'first' });
    expect(scheduler.stats()).toMatchObject({ leased: 0, running: 0, total: { done: 1, speculatedFirst: 0 } });
    expect(clock.pendingTimers).toBe(0);
  });

  it.each<[string, (scheduler: Opened['scheduler'], lease: Lease<unknown>) => boolean]>([
    ['fails', (scheduler, lease) => scheduler.fail(lease, new Error('no'))],
    ['is lost', (scheduler, lease) => scheduler.release(lease, lost)],
    ['is rejected', (scheduler, lease) => scheduler.release(lease, { kind: 'rejected' })],
    ['is returned', (scheduler, lease) => scheduler.release(lease, { kind: 'returned' })],
  ])('goes on with the one if the other %s', async (_, end) => {
    for (const ends of ['first', 'copy'] as const) {
      const opened = await speculate({ maxAttempts: 1 });
      const { scheduler, outcome, events } = opened;
      const rest = ends === 'first' ? opened.copy : opened.first;
      expect(end(scheduler, opened[ends])).toBe(true);
      expect([scheduler.queued, scheduler.delayed, scheduler.leased, rest.isLive]).toEqual([0, 0, 1, true]);
      expect(events.map(({ type }) => type)).toEqual(['speculated']);
      expect(scheduler.complete(rest, 'result')).toBe(true);
      await nextTurn();
      expect(outcome()).toEqual({ status: 'fulfilled', value: 'result' });
      expect([...opened.slow.revoked, ...opened.idle.revoked]).toEqual([]);
    }
  });

  it('becomes a dead letter when the last attempt has failed, not before', async () => {
    const { scheduler, first, copy, outcome } = await speculate({ maxAttempts: 1 });
    const [no, never] = [new Error('no'), new Error('never')];
    scheduler.fail(first, no);
    await nextTurn();
    expect(outcome().status).toBe('pending');
    scheduler.fail(copy, never);
    await nextTurn();
    expect(outcome()).toMatchObject({
      reason: {
        code: 'TASKDIST_DEAD_LETTER',
        attempts: [
          { attempt: 1, worker: 'holder slow', workerId: 'slow', error: no },
          { attempt: 2, worker: 'holder idle', workerId: 'idle', error: never },
        ],
      },
    });
  });

  it('becomes a dead letter when the last attempt is given back, if its attempts were used up meanwhile', async () => {
    const { scheduler, first, copy, outcome } = await speculate({ maxAttempts: 1 });
    scheduler.fail(copy, new Error('no'));
    scheduler.release(first, { kind: 'returned' });
    await nextTurn();
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_DEAD_LETTER', attempts: [{ attempt: 2 }] } });
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  it('is queued again, at its place, when both are given back', async () => {
    const { scheduler, first, copy, holder } = await speculate();
    void scheduler.put('later');
    scheduler.release(first, { kind: 'returned' });
    scheduler.release(copy, { kind: 'returned' });
    expect(await holder('new').takeNow()).toMatchObject([{ task: 'task', isSpeculative: false }, { task: 'later' }]);
  });

  it('waits out the backoff of the one that failed when the other is given back', async () => {
    const { scheduler, clock, first, copy } = await speculate({ backoff: { base: 100 } }, () => 0.5);
    scheduler.fail(copy, new Error('no'));
    await clock.advance(20);
    scheduler.release(first, { kind: 'returned' });
    await clock.advance(29);
    expect([scheduler.delayed, scheduler.queued]).toEqual([1, 0]);
    await clock.advance(1);
    expect([scheduler.delayed, scheduler.queued]).toEqual([0, 1]);
  });

  it('numbers its attempts apart', async () => {
    const opened = await speculate();
    const { scheduler, first, copy, clock } = opened;
    expect([first.attempt, copy.attempt]).toEqual([1, 2]);
    scheduler.fail(first, new Error('no'));
    scheduler.started(copy);
    const { taken } = waitFor(opened, opened.slow);
    await clock.advance(1000);
    expect(taken.map(({ attempt }) => attempt)).toEqual([3]);
    scheduler.fail(copy, new Error('no'));
    scheduler.fail(taken[0] as Lease<unknown>, new Error('no'));
    expect((await opened.slow.takeOne()).attempt).toBe(4);
  });

  it('is aborted in both places', async () => {
    const controller = new AbortController();
    const { slow, idle, first, copy, outcome, scheduler } = await speculate({ signal: controller.signal });
    controller.abort('why');
    expect([slow.revoked, idle.revoked]).toEqual([[first], [copy]]);
    expect([slow.reasons, idle.reasons]).toEqual([['aborted'], ['aborted']]);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'why' });
    expect([scheduler.leased, scheduler.stats().running]).toEqual([0, 0]);
  });

  it.each<[string, (scheduler: Opened['scheduler'], lease: Lease<unknown>) => boolean]>([
    ['with a result', (scheduler, lease) => scheduler.complete(lease, 'late')],
    ['without one', (scheduler, lease) => scheduler.release(lease, { kind: 'returned' })],
    ['for good', (scheduler, lease) => scheduler.release(lease, lost)],
  ])('is settled once if who is told of one attempt ends the other %s', async (_, end) => {
    const controller = new AbortController();
    const { slow, first, copy, outcome, scheduler, events } = await speculate({ signal: controller.signal });
    slow.onRevoke = () => expect(end(scheduler, copy)).toBe(false);
    controller.abort('why');
    await nextTurn();
    expect(slow.revoked).toEqual([first]);
    expect(outcome()).toEqual({ status: 'rejected', reason: 'why' });
    expect([scheduler.queued, scheduler.delayed, scheduler.leased]).toEqual([0, 0, 0]);
    expect(events.filter(({ type }) => type === 'settled')).toHaveLength(1);
    expect(scheduler.stats().total).toMatchObject({ done: 0, aborted: 1, losses: 0 });
  });

  it('is discarded in both places', async () => {
    const { slow, first, copy, idle, scheduler, outcome } = await speculate();
    const error = new TaskdistError('TASKDIST_TOO_LARGE', 'too large');
    scheduler.discard(copy, error);
    expect([slow.revoked, idle.revoked, first.isLive]).toEqual([[first], [], false]);
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: error });
  });
});

describe('a second attempt that gives no result', () => {
  /** Idle workers that fail at once whatever they get, until time has gone by. */
  async function failAtOnce(opened: Awaited<ReturnType<typeof speculate>>, ms: number): Promise<number[]> {
    const { scheduler, clock, idle } = opened;
    const at: number[] = [clock.now()];
    scheduler.fail(opened.copy, new Error('no'));
    const controller = new AbortController();
    const keepFailing = async (): Promise<void> => {
      for (;;) {
        const [lease] = await idle.take(1, controller.signal);
        if (lease === undefined) return;
        at.push(clock.now());
        scheduler.started(lease);
        scheduler.fail(lease, new Error('no'));
        if (at.length > 1000) throw new Error('It goes on for ever');
      }
    };
    const failing = keepFailing();
    await clock.advance(ms);
    controller.abort();
    await failing;
    return at;
  }

  it('is followed by others until the attempts are used up, not by more', async () => {
    const opened = await speculate({ maxAttempts: 3 });
    expect(await failAtOnce(opened, 60_000)).toHaveLength(3);
    expect([opened.first.isLive, opened.outcome().status]).toEqual([true, 'pending']);
    opened.scheduler.complete(opened.first, 'at last');
    await nextTurn();
    expect(opened.outcome()).toEqual({ status: 'fulfilled', value: 'at last' });
    expect(opened.clock.pendingTimers).toBe(0);
  });

  it('is followed by another one when the backoff is over', async () => {
    const opened = await speculate({ maxAttempts: 4, backoff: { base: 100 } }, () => 0.5);
    expect(await failAtOnce(opened, 60_000)).toEqual([1000, 1050, 1150, 1350]);
  });

  it('is not followed by others for ever as workers are lost with it', async () => {
    const opened = openScheduler({ maxDeliveries: 3 });
    const { scheduler, clock, holder } = opened;
    void scheduler.put('killer', { speculate: true });
    const first = await holder('slow').takeOne();
    scheduler.started(first);
    await clock.advance(1000);
    for (let n = 0; n < 3; n += 1) {
      const idle = holder(`idle ${n}`);
      const [copy] = await idle.takeNow(1);
      scheduler.release(copy as Lease<unknown>, lost);
      scheduler.leave(idle);
    }
    expect(await holder('last').takeNow()).toEqual([]);
    expect(first.isLive).toBe(true);
  });

  it('is followed by one at somebody else who is idle, without anybody asking again', async () => {
    const { scheduler, clock, holder, copy, idle, ...rest } = await speculate();
    const { taken } = waitFor({ scheduler, clock, holder, events: rest.events }, holder('other'));
    await nextTurn();
    expect(taken).toEqual([]);
    scheduler.release(copy, { kind: 'rejected' });
    await nextTurn();
    expect(taken).toMatchObject([{ task: 'task', isSpeculative: true, isLive: true }]);
    expect(await idle.takeNow()).toEqual([]);
  });
});

describe('the timer for the next attempt that takes long', () => {
  it('is gone when nothing runs any more that could', async () => {
    const { scheduler, clock, first } = await straggle();
    await nextTurn();
    expect(clock.pendingTimers).toBe(1);
    scheduler.complete(first, 'in time');
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not set where nobody is idle', async () => {
    const { scheduler, clock, holder } = openScheduler();
    void scheduler.put('task', { speculate: true });
    scheduler.started(await holder('slow').takeOne());
    await clock.advance(5000);
    expect(clock.pendingTimers).toBe(0);
    // Who comes late gets it at once.
    expect(await holder('late').takeNow()).toMatchObject([{ isSpeculative: true }]);
  });

  it('is gone when the scheduler is closed', async () => {
    const { scheduler, clock, outcome } = await straggle();
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    await clock.advance(5000);
    expect([clock.pendingTimers, outcome().status]).toEqual([0, 'rejected']);
  });
});

describe('a listener that hears of a second attempt', () => {
  /** Three tasks of one signal that take long, and three who are idle. */
  async function setUp() {
    const opened = openScheduler();
    const { scheduler, holder, clock } = opened;
    const controller = new AbortController();
    const outcomes = [0, 1, 2].map((task) =>
      follow(scheduler.put(task, { speculate: true, signal: controller.signal })),
    );
    for (const lease of await holder('slow').takeNow()) scheduler.started(lease);
    const waits = ['a', 'b', 'c'].map((id) => waitFor(opened, holder(id)));
    return { ...opened, controller, outcomes, waits, pass: () => clock.advance(1000) };
  }

  it('may abort all of them: none comes back to life', async () => {
    const { scheduler, controller, outcomes, waits, events, pass } = await setUp();
    scheduler.on('speculated', () => controller.abort('enough'));
    await pass();
    expect(outcomes.map((outcome) => outcome())).toEqual(Array(3).fill({ status: 'rejected', reason: 'enough' }));
    expect(events.map(({ type }) => type)).toEqual(['speculated', 'settled', 'settled', 'settled']);
    const leases = waits.flatMap(({ taken }) => taken);
    expect(leases.map((lease) => [lease.isLive, scheduler.complete(lease, 'late')])).toEqual(
      Array(3).fill([false, false]),
    );
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 0, running: 0, total: { aborted: 3, done: 0 } });
  });

  it('may stop the master: nothing is told of second attempts after that', async () => {
    const { scheduler, events, pass } = await setUp();
    scheduler.on('speculated', () => scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped')));
    await pass();
    expect(events.map(({ type }) => type)).toEqual(['speculated', 'settled', 'settled', 'settled']);
    expect(scheduler.stats()).toMatchObject({ leased: 0, running: 0, total: { stopped: 3 } });
  });
});
