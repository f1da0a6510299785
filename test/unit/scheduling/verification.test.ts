import { describe, expect, it } from 'vitest';
import type { NoQuorumError } from '../../../src/errors.ts';
import { TaskdistError } from '../../../src/errors.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import type { VerifyOptions } from '../../../src/scheduling/verify-options.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { lost, openScheduler } from '../../support/scheduler.ts';

const verify = { trust: false } as const;

/** A verified task, and three who may run it. */
function openVerified(...[options, random]: Parameters<typeof openScheduler>) {
  const opened = openScheduler({ verify, ...options }, random);
  const outcome = follow(opened.scheduler.put('task'));
  const [a, b, c] = [opened.holder('a'), opened.holder('b'), opened.holder('c')];
  return { ...opened, outcome, a, b, c };
}

/** All of these take one, and give these results. */
async function answer(scheduler: { complete(lease: Lease<unknown>, result: unknown): unknown }, ...answers: Answer[]) {
  const leases = await Promise.all(answers.map(([holder]) => holder.takeOne()));
  for (const [index, [, result]] of answers.entries()) scheduler.complete(leases[index] as Lease<unknown>, result);
  await nextTurn();
}
type Answer = readonly [holder: { takeOne(): Promise<Lease<unknown>> }, result: unknown];

describe('a task that is verified', () => {
  it('is given to as many workers as are to agree, at the same time, and has the result on which they do', async () => {
    const { scheduler, outcome, a, b, c } = openVerified();
    const [first, second] = [await a.takeOne(), await b.takeOne()];
    expect(await c.takeNow()).toEqual([]);
    scheduler.complete(first, { n: [1] });
    await nextTurn();
    expect(outcome()).toEqual({ status: 'pending' });
    expect(await c.takeNow()).toEqual([]);
    scheduler.complete(second, { n: [1] });
    await nextTurn();
    expect(outcome()).toEqual({ status: 'fulfilled', value: { n: [1] } });
    expect(scheduler.stats().total).toMatchObject({ done: 1, disputed: 0, distrusted: 0, trusted: 0 });
  });

  it('is given to those who wait, one each', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    const waiting = ['a', 'b', 'c'].map((id) => holder(id)).map((each) => ({ each, taken: follow(each.take(2)) }));
    void scheduler.put('first');
    void scheduler.put('second');
    await nextTurn();
    const tasks = waiting.map(({ taken }) => {
      const outcome = taken();
      return outcome.status === 'fulfilled' ? outcome.value.map(({ task }) => task) : [];
    });
    expect(tasks.map((each) => new Set(each).size)).toEqual(tasks.map((each) => each.length));
    expect(tasks.flat().sort()).toEqual(['first', 'first', 'second', 'second']);
  });

  it('is not given to the same worker twice, whether it is at it or has given its result', async () => {
    const { scheduler, a } = openVerified();
    const lease = await a.takeOne();
    expect(await a.takeNow()).toEqual([]);
    scheduler.complete(lease, 1);
    expect(await a.takeNow()).toEqual([]);
    expect(scheduler.stats()).toMatchObject({ queued: 1, leased: 0, unmatched: 0 });
  });

  it.each(['at it', 'through with it', 'gone'])(
    'is not given to two workers of one person: the first is %s',
    async (how) => {
      const { scheduler, holder, clock, events } = openScheduler({ verify });
      const outcome = follow(scheduler.put('task'));
      const [phone, laptop] = [holder('phone', { principal: 'p' }), holder('laptop', { principal: 'p' })];
      const lease = await phone.takeOne();
      if (how !== 'at it') scheduler.complete(lease, 1);
      if (how === 'gone') scheduler.leave(phone);
      const waiting = follow(laptop.take());
      // One that comes later, too.
      expect(await holder('tablet', { principal: 'p' }).takeNow()).toEqual([]);
      expect(await holder('new', { principal: 'p', labels: { gpu: true } }).takeNow()).toEqual([]);
      expect(scheduler.stats().unmatched).toBe(1);
      await clock.advance(10_000);
      expect(waiting()).toEqual({ status: 'pending' });
      expect(events).toMatchObject([{ type: 'unmatched', reason: 'noOtherWorker' }]);
      const other = holder('other', { principal: 'q' });
      if (how === 'at it') scheduler.complete(lease, 1);
      scheduler.complete(await other.takeOne(), 1);
      await nextTurn();
      expect(outcome()).toEqual({ status: 'fulfilled', value: 1 });
    },
  );

  it('is given to two workers when the id of one is the name of a person behind the other', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    void scheduler.put('task');
    await holder('x').takeOne();
    expect(await holder('other', { principal: 'x' }).takeNow()).toHaveLength(1);
  });

  it('is given to one more if they do not agree, and who is in the minority is told of', async () => {
    const { scheduler, outcome, events, a, b, c } = openVerified();
    await answer(scheduler, [a, 'right'], [b, 'wrong']);
    expect(events).toEqual([
      { type: 'resultDisputed', key: '0', task: 'task', worker: 'holder b', workerId: 'b', results: 2 },
    ]);
    await answer(scheduler, [c, 'right']);
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'right' });
    expect(events.slice(1)).toEqual([
      { type: 'settled', key: '0', task: 'task', outcome: 'done' },
      { type: 'workerDistrusted', key: '0', task: 'task', worker: 'holder b', workerId: 'b', discarded: 0 },
    ]);
    expect(scheduler.stats().total).toMatchObject({ disputed: 1, distrusted: 1, discarded: 0 });
  });

  it('is given up when it has as many results as there may be, and no quorum', async () => {
    const { scheduler, holder, outcome, events, a, b, c } = openVerified({ verify: { ...verify, maxReplicas: 3 } });
    await answer(scheduler, [a, 1], [b, 2]);
    await answer(scheduler, [c, 3]);
    expect(outcome()).toMatchObject({
      status: 'rejected',
      reason: {
        name: 'NoQuorumError',
        code: 'TASKDIST_NO_QUORUM',
        message: 'Of 3 results no quorum agrees: at most 1 are the same',
        results: [
          { result: 1, votes: 1, workers: [{ worker: 'holder a', workerId: 'a' }] },
          { result: 2, votes: 1, workers: [{ worker: 'holder b', workerId: 'b' }] },
          { result: 3, votes: 1, workers: [{ worker: 'holder c', workerId: 'c' }] },
        ],
      },
    });
    expect(events.map(({ type }) => type)).toEqual(['resultDisputed', 'settled', 'resultDisputed']);
    expect(scheduler.stats().total).toMatchObject({ noQuorum: 1, disputed: 2, distrusted: 0 });
    expect(await holder('d').takeNow()).toEqual([]);
  });

  it('is given up as soon as no quorum can come of it', async () => {
    const { scheduler, outcome, a, b } = openVerified({ verify: { ...verify, maxReplicas: 2 } });
    await answer(scheduler, [a, 1], [b, 2]);
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_NO_QUORUM', results: { length: 2 } } });
  });

  it('may have five results at most if nothing else is said, and seven for a quorum of three', async () => {
    for (const [quorum, most] of [
      [2, 5],
      [3, 7],
    ] as const) {
      const { scheduler, holder } = openScheduler({ verify: { quorum, trust: false } });
      const outcome = follow(scheduler.put('task'));
      // All different, but for as many as are no quorum.
      for (let n = 0; n < most; n += 1) await answer(scheduler, [holder(`h${n}`), n < quorum - 1 ? 'same' : n]);
      const { reason } = outcome() as { reason: NoQuorumError };
      expect(reason.results.reduce((sum, { votes }) => sum + votes, 0)).toBe(quorum === 2 ? most : 7);
    }
  });

  it('is compared as it is asked, with the first of each kind of results', async () => {
    const equals = (a: unknown, b: unknown): boolean => Math.abs(Number(a) - Number(b)) < 0.1;
    const { scheduler, outcome, a, b, c } = openVerified({ verify: { ...verify, equals } });
    await answer(scheduler, [a, 1], [b, 2]);
    await answer(scheduler, [c, 2.05]);
    expect(outcome()).toEqual({ status: 'fulfilled', value: 2 });
  });

  it('has results that are not the same if to compare them throws, and says so in the end', async () => {
    const equals = (a: unknown, b: unknown): boolean => (a as string).length === (b as string).length;
    const { scheduler, outcome, a, b } = openVerified({ verify: { ...verify, equals, maxReplicas: 2 } });
    await answer(scheduler, [a, 'text'], [b, null]);
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_NO_QUORUM', cause: expect.any(TypeError) } });
  });

  it.each([Promise.resolve(true), 1, undefined])(
    'has results that are not the same if to compare them returns something else than true or false: %s',
    async (returned) => {
      const equals: (a: unknown, b: unknown) => unknown = () => returned;
      const { scheduler, outcome, a, b } = openVerified({
        // As somebody who writes no types may have it.
        verify: { ...verify, maxReplicas: 2, equals: equals as () => boolean },
      });
      await answer(scheduler, [a, 1], [b, 1]);
      expect(outcome()).toMatchObject({
        reason: { code: 'TASKDIST_NO_QUORUM', cause: { message: expect.stringContaining('`verify.equals`') } },
      });
    },
  );

  it('is for nobody, if all who are there have it, or have declined more than can be passed over', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    const worker = holder('worker');
    for (let n = 0; n < 40; n += 1) void scheduler.put(n, { verify: false });
    for (const lease of await worker.takeNow()) scheduler.release(lease, { kind: 'rejected' });
    void scheduler.put('verified');
    scheduler.complete(await worker.takeOne(), 1);
    expect(await worker.takeNow()).toEqual([]);
    expect(scheduler.stats()).toMatchObject({ queued: 41, unmatched: 41 });
    scheduler.complete(await holder('other').takeOne(), 1);
    expect(scheduler.stats()).toMatchObject({ queued: 40, unmatched: 0 });
  });

  it('is passed over by who has a part in more than can be passed over, as is what it declines; until all are settled', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    const [phone, laptop] = [holder('phone', { principal: 'p' }), holder('laptop', { principal: 'p' })];
    const types = Array.from({ length: 40 }, (_, n) => `type ${n}`);
    const outcomes = types.map((type) => follow(scheduler.put({ type })));
    for (const lease of await phone.takeNow()) scheduler.complete(lease, 1);
    for (const type of types) void scheduler.put({ type }, { verify: false, priority: -1 });
    for (const lease of await phone.takeNow(1)) scheduler.release(lease, { kind: 'rejected' });
    expect((await phone.takeNow(1)).map(({ task }) => task)).toEqual([{ type: 'type 1' }]);
    expect((await laptop.takeNow(1)).map(({ task }) => task)).toEqual([{ type: 'type 0' }]);
    expect(scheduler.stats()).toMatchObject({ queued: 78, unmatched: 40 });
    expect(await laptop.takeNow()).toHaveLength(38);
    const waiting = follow(phone.take(50));
    await nextTurn();
    expect(waiting()).toEqual({ status: 'pending' });
    const other = holder('other');
    for (const lease of await other.takeNow()) scheduler.complete(lease, 1);
    await nextTurn();
    expect(outcomes.map((outcome) => outcome().status)).toEqual(types.map(() => 'fulfilled'));
    void scheduler.put({ type: 'type 0' }, { verify: false });
    await nextTurn();
    expect(waiting()).toMatchObject({ value: [{ task: { type: 'type 0' } }] });
  });

  it('does not bring more to another worker of the same person than that has asked for', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    const [phone, laptop] = [holder('phone', { principal: 'p' }), holder('laptop', { principal: 'p' })];
    const waiting = [follow(phone.take(1)), follow(laptop.take(1))];
    void scheduler.put('first', { verify: false });
    void scheduler.put('verified');
    void scheduler.put('third', { verify: false });
    await nextTurn();
    expect(waiting.map((outcome) => outcome())).toMatchObject([
      { value: [{ task: 'first' }] },
      { value: [{ task: 'verified' }] },
    ]);
    expect(waiting.map((outcome) => (outcome() as { value: unknown[] }).value.length)).toEqual([1, 1]);
    expect(scheduler.stats()).toMatchObject({ queued: 2, leased: 1 });
  });

  it('does not keep from one who comes as others are served what comes behind it', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    void scheduler.put({ type: 'a' });
    void scheduler.put({ type: 'b' }, { verify: false });
    const other = follow(holder('other', { accepts: ['c'] }).take());
    void scheduler.put({ type: 'c' }, { verify: false });
    const late = follow(holder('late', { accepts: ['a', 'b'] }).take(2));
    await nextTurn();
    expect(other()).toMatchObject({ value: [{ task: { type: 'c' } }] });
    expect(late()).toMatchObject({ value: [{ task: { type: 'a' } }, { task: { type: 'b' } }] });
  });

  it('keeps its place, and those who take several get the same ones', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    for (const n of [0, 1, 2, 3]) void scheduler.put(n, { priority: n === 3 ? 1 : 0 });
    const numbers = async (id: string, max: number) => (await holder(id).takeNow(max)).map(({ task }) => task);
    expect(await numbers('a', 3)).toEqual([3, 0, 1]);
    expect(await numbers('b', 1)).toEqual([3]);
    expect(await numbers('c', 4)).toEqual([0, 1, 2]);
    expect(await numbers('d', 4)).toEqual([2]);
  });

  it('is one task in the figures, and takes the room of one', async () => {
    const { scheduler, clock, a, b } = openVerified({ maxTasks: 1 });
    await clock.advance(30);
    const first = await a.takeOne();
    await clock.advance(30);
    expect(scheduler.stats()).toMatchObject({ queued: 1, leased: 0, running: 0, oldestWait: 60 });
    scheduler.started(first);
    scheduler.started(await b.takeOne());
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 1, running: 2 });
    await expect(scheduler.put('another')).rejects.toMatchObject({ code: 'TASKDIST_FULL' });
    scheduler.complete(first, 1);
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 1, running: 1, runTime: { count: 1 } });
  });

  it('is told of when there is nobody else, once, whatever the one who is at it does', async () => {
    const { scheduler, holder, clock, events } = openScheduler({ verify });
    void scheduler.put('task');
    const only = holder('only');
    const lease = await only.takeOne();
    await clock.advance(10_000);
    expect(events).toEqual([{ type: 'unmatched', key: '0', task: 'task', reason: 'noOtherWorker' }]);
    expect(scheduler.stats().unmatched).toBe(1);
    scheduler.complete(lease, 1);
    await clock.advance(20_000);
    scheduler.leave(only);
    await clock.advance(20_000);
    expect(events).toHaveLength(1);
    holder('other');
    expect(scheduler.stats().unmatched).toBe(0);
  });

  it('is told of as rejected, or with no workers, where that is why', async () => {
    const { scheduler, holder, clock, events } = openScheduler({ verify });
    void scheduler.put('task');
    const [a, b] = [holder('a'), holder('b')];
    scheduler.complete(await a.takeOne(), 1);
    scheduler.release(await b.takeOne(), { kind: 'rejected' });
    scheduler.leave(a);
    await clock.advance(10_000);
    scheduler.leave(b);
    await clock.advance(10_000);
    expect(events).toMatchObject([{ reason: 'rejected' }]);
  });
});

describe('an attempt at a task that is verified', () => {
  it('says nothing of others: it is the first of this worker, and the second if one of its own has failed', async () => {
    const { scheduler, a, b, c } = openVerified();
    const [first, second] = [await a.takeOne(), await b.takeOne()];
    expect([first.attempt, second.attempt, first.isSpeculative, second.isSpeculative]).toEqual([1, 1, false, false]);
    scheduler.fail(first, new Error('no'));
    scheduler.release(second, lost);
    expect(await c.takeOne()).toMatchObject({ attempt: 1 });
    expect(await a.takeOne()).toMatchObject({ attempt: 2 });
  });

  it('costs one of the attempts if it fails, and is made again after the backoff while the other one runs', async () => {
    const { scheduler, clock, outcome, events, a, b } = openVerified({}, () => 0.5);
    const [first, second] = [await a.takeOne(), await b.takeOne()];
    scheduler.fail(first, new Error('no'));
    expect(events).toMatchObject([{ type: 'retrying', attempt: 1, delay: 50 }]);
    expect(scheduler.stats()).toMatchObject({ queued: 0, delayed: 1, leased: 0 });
    expect(await a.takeNow()).toEqual([]);
    scheduler.complete(second, 1);
    expect(scheduler.stats()).toMatchObject({ queued: 0, delayed: 1, leased: 0 });
    await clock.advance(50);
    await answer(scheduler, [a, 1]);
    expect(outcome()).toEqual({ status: 'fulfilled', value: 1 });
  });

  it('that fails last makes the task a dead letter, when the others are through', async () => {
    const { scheduler, outcome, a, b, c } = openVerified({ maxAttempts: 1 });
    const [first, second] = [await a.takeOne(), await b.takeOne()];
    scheduler.fail(first, new Error('no'));
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 1 });
    expect(await c.takeNow()).toEqual([]);
    scheduler.complete(second, 1);
    await nextTurn();
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_DEAD_LETTER', attempts: [{ workerId: 'a' }] } });
  });

  it('that fails last is not made again, though the task had wanted one more', async () => {
    const { scheduler, outcome, a, b, c } = openVerified({ maxAttempts: 1, verify: { ...verify, quorum: 3 } });
    const [first, second] = [await a.takeOne(), await b.takeOne()];
    expect(scheduler.stats()).toMatchObject({ queued: 1, leased: 0 });
    scheduler.fail(first, new Error('no'));
    expect(scheduler.stats()).toMatchObject({ queued: 0, delayed: 0, leased: 1 });
    expect(await c.takeNow()).toEqual([]);
    scheduler.complete(second, 1);
    await nextTurn();
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_DEAD_LETTER' } });
  });

  it.each(['returned', 'recalled', 'lost'] as const)(
    'that is given back is made by whoever comes, the same or not: %s',
    async (kind) => {
      const { scheduler, outcome, a, b } = openVerified();
      const [first, second] = [await a.takeOne(), await b.takeOne()];
      scheduler.release(first, kind === 'lost' ? lost : { kind });
      expect(scheduler.stats()).toMatchObject({ queued: 1, leased: 0 });
      expect(await b.takeNow()).toEqual([]);
      expect(scheduler.complete(first, 'late')).toBe(false);
      scheduler.complete(second, 1);
      await answer(scheduler, [a, 1]);
      expect(outcome()).toEqual({ status: 'fulfilled', value: 1 });
    },
  );

  it('that is rejected is made by another one', async () => {
    const { scheduler, outcome, a, b, c } = openVerified();
    const [first, second] = [await a.takeOne(), await b.takeOne()];
    scheduler.release(first, { kind: 'rejected' });
    expect(await a.takeNow()).toEqual([]);
    scheduler.complete(second, 1);
    await answer(scheduler, [c, 1]);
    expect(outcome()).toEqual({ status: 'fulfilled', value: 1 });
  });

  it('that is rejected while another one is wanted does not bring it back to who has rejected it', async () => {
    const { scheduler, a, b, c } = openVerified();
    scheduler.release(await a.takeOne(), { kind: 'rejected' });
    const second = await b.takeOne();
    expect(await a.takeNow()).toEqual([]);
    scheduler.release(second, { kind: 'rejected' });
    expect([await b.takeNow(), (await c.takeNow()).length]).toEqual([[], 1]);
  });

  it('may be moved to another worker, but to none that is at it', async () => {
    const { scheduler, holder, a, b, c } = openVerified();
    const lease = await a.takeOne();
    await b.takeOne();
    expect([lease.suits(a), lease.suits(b), lease.suits(c)]).toEqual([false, false, true]);
    expect(lease.refusals).toBe(Number.POSITIVE_INFINITY);
    void scheduler.put('other', { verify: false });
    expect((await holder('d').takeOne()).refusals).toBe(0);
  });

  it('tells of its progress if it is the oldest one', async () => {
    const said: unknown[] = [];
    const onProgress = (value: unknown): void => void said.push(value);
    const { scheduler, a, b } = openVerified({ onProgress });
    const [first, second] = [await a.takeOne(), await b.takeOne()];
    scheduler.progressed(first, 'a half');
    scheduler.progressed(second, 'b half');
    scheduler.complete(first, 1);
    scheduler.progressed(second, 'b more');
    expect(said).toEqual(['a half', 'b more']);
  });

  it('is not made a second time for being slow', async () => {
    const { scheduler, clock, a, b, c } = openVerified({ speculate: true });
    scheduler.complete(await a.takeOne(), 1);
    scheduler.started(await b.takeOne());
    const waiting = follow(c.take());
    await clock.advance(60_000);
    expect(waiting()).toEqual({ status: 'pending' });
    void scheduler.put('other', { verify: false });
    await nextTurn();
    expect(waiting()).toMatchObject({ status: 'fulfilled', value: [{ task: 'other' }] });
  });
});

describe('who waits for a task that is verified', () => {
  it('may abort it, whatever has come of it, and those at it are told', async () => {
    const { scheduler, holder } = openScheduler({ verify: { ...verify, quorum: 3 } });
    const controller = new AbortController();
    const outcome = follow(scheduler.put('task', { signal: controller.signal }));
    const [a, b] = [holder('a'), holder('b')];
    scheduler.complete(await a.takeOne(), 1);
    await b.takeOne();
    controller.abort('enough');
    await nextTurn();
    expect(outcome()).toEqual({ status: 'rejected', reason: 'enough' });
    expect(b.reasons).toEqual(['aborted']);
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 0, running: 0, unmatched: 0 });
    expect(await holder('c').takeNow()).toEqual([]);
  });

  it.each([true, false])('may abort it while results are compared, whether they are the same: %s', async (isSame) => {
    const controller = new AbortController();
    const equals = (): boolean => {
      controller.abort('enough');
      return isSame;
    };
    const { scheduler, holder, events } = openScheduler({ verify: { ...verify, equals } });
    const outcome = follow(scheduler.put('task', { signal: controller.signal }));
    await answer(scheduler, [holder('a'), 1], [holder('b'), 1]);
    expect(outcome()).toEqual({ status: 'rejected', reason: 'enough' });
    expect(events).toMatchObject([{ type: 'settled', outcome: 'aborted' }]);
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 0, running: 0, total: { aborted: 1, done: 0 } });
    expect(await holder('c').takeNow()).toEqual([]);
  });

  it.each([true, false])('may abort it while the result of one who is trusted is compared: %s', async (isSame) => {
    const controller = new AbortController();
    const equals = (): boolean => {
      controller.abort('enough');
      return isSame;
    };
    const { scheduler, holder, events } = openScheduler({ verify: { equals } });
    void follow(scheduler.put('task', { signal: controller.signal }));
    await answer(scheduler, [holder('a'), 1]);
    await answer(scheduler, [holder('own', { isTrusted: true }), 1]);
    expect(events).toMatchObject([{ type: 'settled', outcome: 'aborted' }]);
    expect(scheduler.stats()).toMatchObject({ queued: 0, leased: 0, total: { done: 0, trusted: 0, distrusted: 0 } });
  });

  it('may leave it at its deadline, and is told how often it was tried', async () => {
    const { scheduler, clock, a, b } = openVerified({ verify: false });
    await answer(scheduler, [a, 0]);
    const outcome = follow(scheduler.put('late', { verify, deadline: 100 }));
    scheduler.complete(await a.takeOne(), 1);
    scheduler.started(await b.takeOne());
    await clock.advance(100);
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_DEADLINE', attempts: 2 } });
    expect(b.reasons).toEqual(['aborted']);
  });

  it('may be several, by its idempotency key', async () => {
    const { scheduler, holder } = openScheduler({ verify });
    const both = Promise.all([
      scheduler.put('task', { idempotencyKey: 'k' }),
      scheduler.put('task', { idempotencyKey: 'k', verify: false }),
    ]);
    await answer(scheduler, [holder('a'), 1], [holder('b'), 1]);
    expect(await both).toEqual([1, 1]);
  });

  it('may be a map, in its order', async () => {
    const { scheduler, holder } = openScheduler({ verify: false });
    const results = scheduler.map([0, 1], { verify });
    const first = results.next();
    const [a, b] = [holder('a'), holder('b')];
    const [ofA, ofB] = [await a.takeNow(), await b.takeNow()];
    for (const lease of [...ofA, ...ofB].reverse()) scheduler.complete(lease, `result of ${lease.task}`);
    expect(await Promise.all([first, results.next()])).toMatchObject([
      { value: { result: 'result of 0' } },
      { value: { result: 'result of 1' } },
    ]);
  });

  it('is told when the master stops', async () => {
    const { scheduler, outcome, events, a, b } = openVerified({ verify: { ...verify, quorum: 3 } });
    scheduler.complete(await a.takeOne(), 1);
    const second = await b.takeOne();
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    await nextTurn();
    expect(outcome()).toMatchObject({ reason: { code: 'TASKDIST_STOPPED' } });
    expect(second.isLive).toBe(false);
    expect(events).toMatchObject([{ type: 'settled', outcome: 'stopped' }]);
    expect(scheduler.stats()).toMatchObject({ queued: 0, delayed: 0, leased: 0, running: 0 });
  });

  it('asks for it of all tasks, of one, or of none', async () => {
    const { scheduler, holder } = openScheduler({ verify: { quorum: 3 } });
    const [a, b, c] = [holder('a'), holder('b'), holder('c')];
    const takers = async () => (await Promise.all([a, b, c].map((each) => each.takeNow()))).map(({ length }) => length);
    void scheduler.put('as all', { verify: {} });
    expect(await takers()).toEqual([1, 1, 1]);
    void scheduler.put('of two', { verify: { quorum: 2 } });
    expect(await takers()).toEqual([1, 1, 0]);
    void scheduler.put('not at all', { verify: false });
    expect(await takers()).toEqual([1, 0, 0]);
  });

  it('says for one task what is different for it, and how many results there may be goes with the quorum', async () => {
    const results = async (ofScheduler: VerifyOptions, ofPut: VerifyOptions): Promise<number> => {
      const { scheduler, holder } = openScheduler({ verify: { trust: false, ...ofScheduler } });
      const outcome = follow(scheduler.put('task', { verify: ofPut }));
      let count = 0;
      for (; outcome().status === 'pending'; count += 1) await answer(scheduler, [holder(`h${count}`), count]);
      return count;
    };
    // All are different: it ends when too few are left.
    expect(await results({ quorum: 3, maxReplicas: 9 }, {})).toBe(8);
    expect(await results({ quorum: 3, maxReplicas: 9 }, { quorum: 2 })).toBe(5);
    expect(await results({ quorum: 3, maxReplicas: 9 }, { maxReplicas: 4 })).toBe(3);
    expect(await results({}, { quorum: 4 })).toBe(7);
    expect(await results({ equals: () => true }, {})).toBe(2);
  });
});
