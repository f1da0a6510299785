// How tasks that compute take turns with what is sent and read: in a worker, on one event loop.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { Executor } from '../../../src/worker/executor.ts';

/** An executor of tasks that hold the thread for as long as they say, and whose results are sent `soon`, as a conversation does. */
function setUp(concurrency = 1) {
  const clock = new VirtualClock(0);
  const log: string[] = [];
  const unsent: string[] = [];
  const listener = { broken() {}, slotFreed() {} };
  const doTask = (ms: number): number => {
    log.push(`run ${ms}`);
    clock.jump(ms);
    return ms;
  };
  const executor = new Executor<number, number>({ doTask }, clock, concurrency, 1000, listener);
  const add = (ms: number): void => {
    const ended = (): void => {
      if (unsent.length === 0) clock.soon(() => log.push(`send ${unsent.splice(0)}`));
      unsent.push(String(ms));
    };
    executor.add({ key: '', attempt: 1, task: ms, started() {}, progressed() {}, ended });
  };
  return { clock, executor, add, log };
}

describe('a task that computes for long', () => {
  it('does not hold back the result of the one before', async () => {
    const { clock, add, log } = setUp();
    for (const ms of [1000, 1001, 1002, 1003]) add(ms);
    await clock.settle();
    expect(log).toEqual([1000, 1001, 1002, 1003].flatMap((ms) => [`run ${ms}`, `send ${ms}`]));
  });

  it('lets what came in meanwhile be read before the next', async () => {
    const { clock, add, log } = setUp();
    for (const ms of [1000, 1001]) add(ms);
    clock.soon(() => log.push('read'));
    await clock.settle();
    expect(log.indexOf('read')).toBeLessThan(log.indexOf('run 1001'));
  });
});

describe('a task that waited for long', () => {
  it('has its result sent before the next begins', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    let finish = (): void => {};
    const doTask = (task: string): string | Promise<string> => {
      log.push(`run ${task}`);
      if (task !== 'waits') return task;
      return new Promise((resolve) => {
        finish = () => resolve(task);
      });
    };
    const executor = new Executor<string, string>({ doTask }, clock, 1, 1000, { broken() {}, slotFreed() {} });
    for (const task of ['waits', 'next']) {
      const ended = (): void => clock.soon(() => log.push(`send ${task}`));
      executor.add({ key: '', attempt: 1, task, started() {}, progressed() {}, ended });
    }
    await clock.advance(1000);
    finish();
    await clock.settle();
    expect(log).toEqual(['run waits', 'send waits', 'run next', 'send next']);
  });
});

describe('tasks that compute shortly', () => {
  it('send their results at the end of each turn of a few milliseconds, before the next begins', async () => {
    const { clock, add, log } = setUp();
    for (let index = 0; index < 12; index += 1) add(1);
    await clock.settle();
    const turn = [...Array<string>(4).fill('run 1'), 'send 1,1,1,1'];
    expect(log).toEqual([...turn, ...turn, ...turn]);
  });
});
