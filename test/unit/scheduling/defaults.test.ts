import { describe, expect, it } from 'vitest';
import type { FifoSchedulerOptions, PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

const unmatchedAfter = Number.POSITIVE_INFINITY;

/** What each option does, told by something that can be seen from outside. */
type Look = (scheduler: FifoSchedulerOptions, put: PutOptions) => Promise<unknown>;

const looks: Record<string, Look> = {
  async priority(options, put) {
    const { scheduler, holder } = openScheduler(options);
    void scheduler.put('zero', { priority: 0 });
    void scheduler.put('this', put);
    return (await holder('h').takeOne()).task === 'this';
  },
  async delay(options, put) {
    const { scheduler, clock } = openScheduler({ ...options, unmatchedAfter });
    void scheduler.put('task', put);
    await clock.advanceUntil(() => scheduler.queued === 1, 'it is queued');
    return clock.now();
  },
  async timeout(options, put) {
    const { scheduler, holder } = openScheduler(options);
    void scheduler.put('task', put);
    return (await holder('h').takeOne()).timeout;
  },
  async timeoutFrom(options, put) {
    const { scheduler, holder } = openScheduler(options);
    void scheduler.put('task', put);
    return (await holder('h').takeOne()).timeoutFrom;
  },
  async maxAttempts(options, put) {
    const { scheduler, holder } = openScheduler(options);
    const outcome = follow(scheduler.put('task', put));
    const worker = holder('h');
    for (let attempts = 1; ; attempts += 1) {
      scheduler.fail(await worker.takeOne(), new Error('no'));
      await nextTurn();
      if (outcome().status === 'rejected') return attempts;
    }
  },
  async backoff(options, put) {
    const { scheduler, holder, events } = openScheduler(options, () => 0.5);
    void scheduler.put('task', put);
    scheduler.fail(await holder('h').takeOne(), new Error('no'));
    const [event] = events;
    return event?.type === 'retrying' ? event.delay : undefined;
  },
  async deadline(options, put) {
    const { scheduler, clock } = openScheduler({ ...options, unmatchedAfter });
    scheduler.put('task', put).catch(() => {});
    await clock.advance(10_000);
    return scheduler.stats().total.expired === 1;
  },
  async requires(options, put) {
    const { scheduler, holder } = openScheduler(options);
    void scheduler.put('task', put);
    const taken = [];
    for (const labels of [{}, { gpu: true }, { cpu: true }]) {
      const [lease] = await holder(JSON.stringify(labels), { labels }).takeNow();
      if (lease === undefined) continue;
      taken.push(labels);
      scheduler.release(lease, { kind: 'returned' });
    }
    return taken;
  },
  async speculate(options, put) {
    const { scheduler, clock, holder } = openScheduler(options);
    void scheduler.put('task', put);
    scheduler.started(await holder('slow').takeOne());
    await clock.advance(2000);
    return (await holder('idle').takeNow()).length === 1;
  },
  async onProgress(options, put) {
    const { scheduler, holder } = openScheduler(options);
    void scheduler.put('task', put);
    said.splice(0);
    scheduler.progressed(await holder('h').takeOne(), 'half');
    return [...said];
  },
  async signal(options, put) {
    const { scheduler } = openScheduler(options);
    return scheduler.put('task', put).then(
      () => 'done',
      (reason: unknown) => reason,
    );
  },
};

const said: string[] = [];
const say = (name: string) => ({ onProgress: (value: unknown) => said.push(`${name}: ${value}`) });

describe('an option of a scheduler', () => {
  it.each<[string, unknown, unknown, unknown, unknown, unknown]>([
    ['priority', 5, 0, false, true, false],
    ['delay', 200, 100, 0, 200, 100],
    ['timeout', 200, Number.POSITIVE_INFINITY, undefined, 200, Number.POSITIVE_INFINITY],
    ['timeoutFrom', 'progress', 'start', 'start', 'progress', 'start'],
    ['maxAttempts', 2, 1, 5, 2, 1],
    ['backoff', { base: 10 }, { base: 4 }, 50, 5, 2],
    ['deadline', 500, Number.POSITIVE_INFINITY, false, true, false],
    [
      'requires',
      { gpu: true },
      {},
      [{}, { gpu: true }, { cpu: true }],
      [{ gpu: true }],
      [{}, { gpu: true }, { cpu: true }],
    ],
    ['speculate', true, false, false, true, false],
  ])('holds for all its tasks, unless their put says otherwise: %s', async (name, ofScheduler, ofPut, ...seen) => {
    const look = looks[name] as Look;
    const [usual, withDefault, withBoth] = seen;
    expect(await look({}, {}), 'neither').toEqual(usual);
    expect(await look({ [name]: ofScheduler }, {}), 'of the scheduler').toEqual(withDefault);
    expect(await look({}, { [name]: ofScheduler }), 'of put').toEqual(withDefault);
    expect(await look({ [name]: ofScheduler }, { [name]: ofPut }), 'both').toEqual(withBoth);
    expect(await look({ [name]: ofScheduler }, { [name]: undefined }), 'undefined').toEqual(withDefault);
    expect(await look({ [name]: undefined }, {}), 'undefined of the scheduler').toEqual(usual);
  });

  it('holds for all its tasks, unless their put says otherwise: onProgress', async () => {
    const look = looks['onProgress'] as Look;
    expect(await look({}, {})).toEqual([]);
    expect(await look(say('scheduler'), {})).toEqual(['scheduler: half']);
    expect(await look(say('scheduler'), say('put'))).toEqual(['put: half']);
  });

  it('holds for all its tasks, unless their put says otherwise: signal', async () => {
    const look = looks['signal'] as Look;
    const [mine, yours] = [AbortSignal.abort('scheduler'), AbortSignal.abort('put')];
    expect(await look({ signal: mine }, {})).toBe('scheduler');
    expect(await look({ signal: mine }, { signal: yours })).toBe('put');
  });

  it('is completed part by part: backoff', async () => {
    const look = looks['backoff'] as Look;
    expect(await look({ backoff: { base: 1000 } }, { backoff: { cap: 300 } })).toBe(150);
  });

  it('holds for the tasks of a map, unless the map says otherwise', async () => {
    const { scheduler, holder } = openScheduler({ timeout: 200, priority: 1 });
    void scheduler.map(['mapped'], { priority: 2 }).next();
    void scheduler.put('put');
    expect(await holder('h').takeNow()).toMatchObject([
      { task: 'mapped', timeout: 200 },
      { task: 'put', timeout: 200 },
    ]);
  });

  it('is what it was when it was given: requires', async () => {
    const requires = { memory: { min: 4 } };
    const { scheduler, holder } = openScheduler({ requires });
    void scheduler.put('task');
    requires.memory.min = 8;
    void scheduler.put('task');
    expect(await holder('h', { labels: { memory: 6 } }).takeNow()).toHaveLength(2);
  });
});
