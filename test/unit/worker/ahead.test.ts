// An executor whose handler takes attempts before they can start.
import { describe, expect, it } from 'vitest';
import { ahead, type HandedAttempt } from '../../../src/ahead.ts';
import { TaskdistError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { Executor } from '../../../src/worker/executor.ts';
import { type AddedAttempt, Run } from '../../../src/worker/run.ts';

function setUp(concurrency = 1, capacity = 3) {
  const clock = new VirtualClock(0);
  const log: string[] = [];
  /** What the handler has, by its task. */
  const has = new Map<string, HandedAttempt>();
  const handler = {
    doTask: () => expect.unreachable(),
    [ahead]: {
      capacity: (most: number) => (most === 0 ? 0 : capacity),
      hand(attempt: HandedAttempt) {
        const task = String(attempt.task);
        has.set(task, attempt);
        log.push(`hand ${task}`);
        return {
          withdraw: () => void log.push(`withdraw ${task}`),
          abort: (reason: unknown) => void log.push(`abort ${task} ${reason}`),
        };
      },
    },
  };
  const listener = { broken: () => void log.push('broken'), slotFreed: () => void log.push('freed') };
  const executor = new Executor<string, string>(handler, clock, concurrency, 1000, listener);
  const add = (task: string): AddedAttempt =>
    executor.add({
      key: `key ${task}`,
      attempt: 1,
      task,
      started: () => log.push(`start ${task}`),
      progressed: (value) => log.push(`progress ${task} ${value}`),
      ended: ({ kind }, durationMs) => log.push(`end ${task} ${kind} ${durationMs}`),
    });
  const its = (task: string): HandedAttempt => has.get(task) ?? expect.unreachable(`${task} was not handed over`);
  return { clock, executor, add, its, take: () => log.splice(0) };
}

describe('an Executor whose handler takes attempts ahead', () => {
  it('hands over as many as it takes, and more as they end; they start and end when it says so', () => {
    const { add, its, take } = setUp();
    for (const task of ['a', 'b', 'c', 'd']) add(task);
    expect(take()).toEqual(['hand a', 'hand b', 'hand c']);
    its('a').started();
    its('a').progressed(1);
    its('a').done('result', 7);
    expect(take()).toEqual(['start a', 'progress a 1', 'end a done 7', 'hand d']);
    its('b').started();
    its('b').failed(new Error('no'), 8);
    expect(take()).toEqual(['start b', 'end b failed 8']);
  });

  it('asks for one back that is recalled before it has started, and not for one that has', async () => {
    const { clock, add, its, take } = setUp();
    const [a, b] = [add('a'), add('b')];
    its('a').started();
    take();
    a.recall();
    b.recall();
    expect(take()).toEqual(['withdraw b']);
    its('b').returned();
    await clock.settle();
    expect(take()).toEqual(['end b released 0']);
    its('a').done('result', 1);
    expect(take()).toEqual(['end a done 1']);
  });

  it('takes the result of one that was recalled too late', () => {
    const { add, its, take } = setUp();
    add('a').recall();
    take();
    its('a').started();
    its('a').done('result', 1);
    expect(take()).toEqual(['start a', 'end a done 1']);
  });

  it('calls one off wherever it is, and gives it up after the grace', async () => {
    const { clock, executor, add, its, take } = setUp();
    const added = ['a', 'b', 'c'].map(add);
    its('a').started();
    take();
    for (const each of added) each.leaveOver('why');
    expect(take()).toEqual(['abort a why', 'abort b why', 'abort c why']);
    // Only what has started occupies a slot.
    expect(executor.leftOver).toBe(1);
    its('c').returned();
    // Nobody hears of what had been called off before.
    its('b').started();
    its('b').done('result', 1);
    expect(take()).toEqual(['end c released 0', 'end b released 1']);
    await clock.advance(1000);
    expect(take()).toEqual(['end a released 1000', 'freed']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('hands over again what comes back, the oldest first', async () => {
    const { clock, add, its, take } = setUp();
    for (const task of ['a', 'b', 'c', 'd']) add(task);
    its('a').started();
    take();
    its('c').returned();
    its('b').returned();
    expect(take()).toEqual([]);
    await clock.settle();
    expect(take()).toEqual(['hand b', 'hand c']);
  });

  it('gives back to the master what comes back when a younger one runs, as the master takes the oldest to run', async () => {
    const { clock, add, its, take } = setUp(2, 4);
    for (const task of ['a', 'b', 'c', 'd']) add(task);
    its('a').started();
    its('b').started();
    its('b').done('result', 1);
    its('d').started();
    take();
    its('c').returned();
    await clock.settle();
    expect(take()).toEqual(['end c released 0']);
  });

  it('gives back to the master what comes back when another thread has a younger one, which will run before it', async () => {
    const { clock, add, its, take } = setUp(2, 5);
    for (const task of ['a', 'b', 'c', 'd', 'e']) add(task);
    its('a').started();
    its('b').started();
    take();
    // Behind `a` were `c` and `e`, and `d` is behind `b`.
    its('e').returned();
    its('c').returned();
    expect(take()).toEqual(['end c released 0']);
    await clock.settle();
    expect(take()).toEqual(['hand e']);
  });

  it('gives back what has not started', async () => {
    const { clock, executor, add, its, take } = setUp();
    for (const task of ['a', 'b', 'c', 'd']) add(task);
    its('a').started();
    take();
    executor.setConcurrency(0);
    executor.releaseWaiting();
    expect(take()).toEqual(['end d released 0', 'withdraw c', 'withdraw b']);
    let isIdle = false;
    void executor.idle().then(() => {
      isIdle = true;
    });
    for (const task of ['c', 'b']) its(task).returned();
    await clock.settle();
    expect([take(), isIdle]).toEqual([['end c released 0', 'end b released 0'], false]);
    its('a').done('result', 1);
    await clock.settle();
    expect(isIdle).toBe(true);
  });

  it('keeps those that are about to start as it gives back the others, though no thread may be there for them yet', () => {
    const { executor, add, take } = setUp(1, 3);
    for (const task of ['a', 'b', 'c', 'd']) add(task);
    take();
    executor.setConcurrency(0);
    executor.releaseWaiting(1);
    expect(take()).toEqual(['end d released 0', 'withdraw c', 'withdraw b']);
  });

  it('aborts one that is called off as it starts, before it is handed over for good', () => {
    const aborted: unknown[] = [];
    const host = {
      clock: new VirtualClock(0),
      timers: { createAlarm: () => ({ setBy() {}, cancel() {} }) },
      graceMs: 10,
    };
    const attempt = {
      key: 'a',
      attempt: 1,
      task: 'a',
      started: () => run.cancel('enough'),
      progressed() {},
      ended() {},
    };
    const run = new Run<string, unknown>(attempt, 1, host as never);
    const handed = { withdraw() {}, abort: (reason: unknown) => void aborted.push(reason) };
    const hand = (each: HandedAttempt): typeof handed => {
      each.started();
      return handed;
    };
    run.handTo({ capacity: () => 1, hand }, 1);
    expect(aborted).toEqual(['enough']);
  });

  it('is told when it is broken', () => {
    const { add, its, take } = setUp();
    add('a');
    take();
    its('a').failed(new TaskdistError('TASKDIST_SANDBOX_BROKEN', 'broken'), undefined);
    expect(take()).toEqual(['broken', 'end a released 0']);
  });
});

describe('an Executor on hold', () => {
  it('starts nothing until it is resumed', async () => {
    const clock = new VirtualClock(0);
    const listener = { broken() {}, slotFreed() {} };
    const executor = new Executor<string, string>({ doTask: () => '' }, clock, 1, 0, listener);
    const log: string[] = [];
    executor.hold();
    const added = ['a', 'b'].map((task) =>
      executor.add({
        key: task,
        attempt: 1,
        task,
        started: () => log.push(`start ${task}`),
        progressed() {},
        ended: ({ kind }) => log.push(`end ${task} ${kind}`),
      }),
    );
    await clock.settle();
    expect(log).toEqual([]);
    // It can be taken back meanwhile.
    added[1]?.recall();
    executor.resume();
    expect(log).toEqual(['end b released', 'start a', 'end a done']);
  });

  it('hands nothing over either', () => {
    const { executor, add, take } = setUp();
    executor.hold();
    add('a');
    expect(take()).toEqual([]);
    executor.resume();
    expect(take()).toEqual(['hand a']);
  });
});
