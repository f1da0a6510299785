// Those who share a task by its idempotency key: what each has of its own, and what comes of leaving.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import type { PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { countingController } from '../../support/counting-controller.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import {
  allBut,
  controllers,
  fulfilled,
  idempotencyKey,
  openShared,
  pending,
  rejected,
  within,
} from '../../support/sharers.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('one of those who share a task', () => {
  it.each([0, 1, 2])('ends its own wait alone by its signal: number %i', async (who) => {
    const { scheduler, holder, events, share } = openShared();
    const { abort, signals } = controllers(3);
    const outcomes = share(...signals);
    const lease = await holder('h').takeOne();
    abort(who, 'enough');
    expect(await outcomes()).toEqual(allBut(who, rejected('enough'), pending));
    expect([lease.isLive, events]).toEqual([true, []]);
    scheduler.complete(lease, 'result');
    expect(await outcomes()).toEqual(allBut(who, rejected('enough'), fulfilled));
  });

  it.each([0, 1, 2])('ends its own wait alone at its deadline: number %i', async (who) => {
    const { scheduler, clock, holder, events, share } = openShared();
    const outcomes = share(...[{}, { deadline: 900 }, {}].with(who, { deadline: 100 }));
    const lease = await holder('h').takeOne();
    await clock.advance(99);
    expect(await outcomes()).toEqual([pending, pending, pending]);
    await clock.advance(1);
    expect(await outcomes()).toMatchObject(allBut(who, rejected(within(100)), pending));
    expect([lease.isLive, events]).toEqual([true, []]);
    scheduler.complete(lease, 'result');
    expect(await outcomes()).toMatchObject(allBut(who, rejected(within(100)), fulfilled));
  });

  it('has a deadline that counts from its own put', async () => {
    const { clock, share } = openShared();
    const first = share({});
    await clock.advance(50);
    const others = share({ deadline: 100 }, { deadline: new Date(clock.epochNow() + 120) });
    await clock.advance(99);
    expect(await others()).toEqual([pending, pending]);
    await clock.advance(1);
    expect(await others()).toMatchObject([{ status: 'rejected' }, pending]);
    await clock.advance(20);
    expect(await others()).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect(await first()).toEqual([pending]);
  });

  it('has the signal, the deadline and the listener to progress that its scheduler has as defaults', async () => {
    const { abort, signals } = controllers(2);
    const said: unknown[] = [];
    const onProgress = (value: unknown): void => void said.push(value);
    const { scheduler, clock, holder, events, share } = openShared({ ...signals[0], deadline: 100, onProgress });
    const first = share({});
    await clock.advance(60);
    const others = share({}, { deadline: 1000 }, { ...signals[1], deadline: 1000 });
    scheduler.progressed(await holder('h').takeOne(), 'half');
    expect(said).toEqual(['half', 'half', 'half', 'half']);
    await clock.advance(40);
    expect([await first(), await others()]).toMatchObject([[rejected(within(100))], [pending, pending, pending]]);
    await clock.advance(60);
    expect(await others()).toMatchObject([rejected(within(100)), pending, pending]);
    abort(0, 'default');
    expect(await others()).toMatchObject([rejected(within(100)), rejected('default'), pending]);
    expect(events).toEqual([]);
  });

  it.each<[string, PutOptions, object]>([
    ['its signal had aborted', { signal: AbortSignal.abort('before') }, { reason: 'before' }],
    // The task has been tried, though not for this one.
    ['its deadline had passed', { deadline: new Date(0) }, { reason: within(0) }],
    ['an option was wrong', { priority: Number.NaN }, { reason: { code: 'TASKDIST_INVALID_OPTION' } }],
  ])('is none if it was refused, as %s', async (_, options, refused) => {
    const { holder, share } = openShared();
    const { abort, signals } = controllers(1);
    const first = share(...signals);
    const lease = await holder('h').takeOne();
    const second = share(options);
    expect([await first(), await second()]).toMatchObject([[pending], [refused]]);
    abort(0);
    expect([lease.isLive, await first()]).toEqual([false, [rejected('left: 0')]]);
  });

  it('alone has all that it would have without a key', async () => {
    const moment = Date.UTC(2030, 0, 1);
    const ways: PutOptions[] = [
      {},
      ...[{ deadline: 100 }, { deadline: new Date(moment + 100) }, { deadline: new Date(moment) }],
      ...[{ signal: AbortSignal.abort('before') }, {}],
    ];
    const accountOf = async (options: PutOptions, isAborted: boolean, isTaken: boolean) => {
      const { scheduler, clock, holder, events } = openShared();
      const { abort, signals } = controllers(1);
      const order: unknown[] = [];
      scheduler.on('settled', () => order.push('settled'));
      const promise = scheduler.put('task', { ...(isAborted ? signals[0] : {}), ...options });
      promise.catch(() => {}).then(() => order.push('told'));
      const outcome = follow(promise);
      const worker = holder('h');
      worker.onRevoke = () => order.push('revoked');
      const leases = isTaken ? await worker.takeNow() : [];
      if (isAborted) abort(0);
      await clock.advance(100);
      for (const lease of leases) scheduler.complete(lease, 'result');
      await nextTurn();
      return { outcome: outcome(), events, order, stats: scheduler.stats() };
    };
    for (const isAborted of [false, true]) {
      for (const isTaken of [false, true]) {
        for (const way of ways) {
          const account = await accountOf(way, isAborted, isTaken);
          expect(await accountOf({ ...way, idempotencyKey }, isAborted, isTaken)).toEqual(account);
        }
      }
    }
  });
});

describe('a task that is shared', () => {
  it('is aborted when the last has left, for the reason of that one: by its signal', async () => {
    const { scheduler, clock, holder, events, share } = openShared();
    const worker = holder('h');
    const { abort, signals } = controllers(2);
    const outcomes = share(...signals, { deadline: 100 });
    const lease = await worker.takeOne();
    abort(1);
    await clock.advance(100);
    expect([lease.isLive, events]).toEqual([true, []]);
    abort(0);
    expect(await outcomes()).toMatchObject([rejected('left: 0'), rejected('left: 1'), rejected(within(100))]);
    expect([lease.isLive, worker.revoked, worker.reasons]).toEqual([false, [lease], ['aborted']]);
    expect(events).toEqual([{ type: 'settled', key: '0', task: 'task', outcome: 'aborted', error: 'left: 0' }]);
    expect(scheduler.stats()).toMatchObject({ leased: 0, total: { put: 1, aborted: 1, expired: 0 } });
  });

  it('is aborted when the last has left, for the reason of that one: at its deadline', async () => {
    const { scheduler, clock, holder, events, share } = openShared();
    const { abort, signals } = controllers(1);
    const outcomes = share({ deadline: 100 }, { deadline: 200 }, ...signals);
    const lease = await holder('h').takeOne();
    abort(0);
    await clock.advance(100);
    expect([lease.isLive, events]).toEqual([true, []]);
    await clock.advance(100);
    expect(await outcomes()).toMatchObject([rejected(within(100)), rejected(within(200)), rejected('left: 0')]);
    expect([lease.isLive, events]).toMatchObject([false, [{ outcome: 'expired', error: within(200) }]]);
    expect(scheduler.stats()).toMatchObject({ leased: 0, total: { put: 1, aborted: 0, expired: 1 } });
  });

  it('is aborted when all leave at once: by one signal, or at the same moment', async () => {
    const { clock, events, share } = openShared();
    const { abort, signals } = controllers(1);
    const aborted = share(...signals, ...signals);
    abort(0, 'both');
    expect(await aborted()).toEqual([rejected('both'), rejected('both')]);
    const expired = share({ deadline: 100 }, { deadline: 100 });
    await clock.advance(100);
    expect(await expired()).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect(events).toMatchObject([{ outcome: 'aborted' }, { outcome: 'expired' }]);
  });

  it('has the priority of the first, whoever is left', async () => {
    const { scheduler, holder, share } = openShared();
    const { abort, signals } = controllers(1);
    void scheduler.put('other');
    share({ ...signals[0], priority: 1 }, { priority: -1 });
    abort(0);
    expect((await holder('h').takeOne()).task).toBe('task');
  });

  it('tells its progress to everybody who has not left', async () => {
    const { scheduler, holder, share } = openShared();
    const said: string[] = [];
    const say = (name: string, then = (): void => {}): PutOptions => ({
      onProgress(value, { key, attempt, worker }) {
        said.push(`${name}: ${value} ${key} ${attempt} ${worker}`);
        then();
      },
    });
    const { abort, signals } = controllers(1);
    share(say('first'), { ...say('second'), ...signals[0] }, {}, say('fourth'));
    const lease = await holder('h').takeOne();
    scheduler.progressed(lease, 'half');
    const info = '0 1 holder h';
    expect(said.splice(0)).toEqual([`first: half ${info}`, `second: half ${info}`, `fourth: half ${info}`]);
    abort(0);
    // Who comes as somebody is told is told what comes next.
    share(say('late', () => share(say('too late'))));
    scheduler.progressed(lease, 'more');
    expect(said).toEqual([`first: more ${info}`, `fourth: more ${info}`, `late: more ${info}`]);
  });

  it('tells its progress to nobody who leaves, or whose wait is over, as another one is told', async () => {
    for (const [leaving, told] of [
      [[1], ['third']],
      [[1, 0, 2], []],
      [[0, 1, 2], []],
    ] as const) {
      const { scheduler, holder, share } = openShared();
      const { abort, signals } = controllers(3);
      const [first, second, third] = signals;
      const said: string[] = [];
      const leave = (): void => {
        for (const who of leaving) abort(who);
      };
      share(
        { ...first, onProgress: leave },
        { ...second, onProgress: () => said.push('second') },
        { ...third, onProgress: () => said.push('third') },
      );
      scheduler.progressed(await holder('h').takeOne(), 'half');
      expect(said).toEqual(told);
    }
  });

  it('tells its progress to the others though one of them throws', async () => {
    const { scheduler, holder, share } = openShared();
    const reports: (() => void)[] = [];
    const mistake = (): never => {
      throw new Error('mistake');
    };
    const said: unknown[] = [];
    share({ onProgress: mistake }, { onProgress: (value) => said.push(value) });
    const lease = await holder('h').takeOne();
    vi.stubGlobal('queueMicrotask', (report: () => void) => reports.push(report));
    scheduler.progressed(lease, 'half');
    expect([said, reports.length]).toEqual([['half'], 1]);
    expect(reports[0]).toThrow('mistake');
  });

  it('has one listener on a signal, however many share that, and leaves none, and no timer', async () => {
    const { scheduler, clock, holder, share } = openShared();
    const [{ signal, listeners }, leaving] = [countingController(), countingController()];
    share(
      { signal, deadline: 1000 },
      { signal, deadline: 2000 },
      { signal: leaving.signal, deadline: 500 },
      { signal },
    );
    void scheduler.put('other', { idempotencyKey: 'other', signal });
    expect([listeners.size, leaving.listeners.size, clock.pendingTimers]).toEqual([1, 1, 1]);
    await clock.advance(500);
    expect([listeners.size, leaving.listeners.size, clock.pendingTimers]).toEqual([1, 0, 1]);
    for (const lease of await holder('h').takeNow()) scheduler.complete(lease, 'result');
    expect([listeners.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('leaves no timer and no listener when all have left it, or the scheduler is closed', () => {
    const { scheduler, clock, share } = openShared();
    const [first, second, third] = [countingController(), countingController(), countingController()];
    share({ signal: first.signal, deadline: 1000 }, { signal: second.signal, deadline: 1000 });
    first.controller.abort();
    expect(clock.pendingTimers).toBe(1);
    second.controller.abort();
    expect(clock.pendingTimers).toBe(0);
    share({ signal: third.signal, deadline: 1000 });
    scheduler.close(new TaskdistError('TASKDIST_STOPPED', 'stopped'));
    expect([clock.pendingTimers, third.listeners.size]).toEqual([0, 0]);
  });
});
