import { describe, expect, it, vi } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import type { TaskContext, TaskFunction, TaskHandler } from '../../../src/handler.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { Executor } from '../../../src/worker/executor.ts';
import { type AddedAttempt, type AttemptResult, abortError } from '../../../src/worker/run.ts';
import { ClampedClock, DAY_MS } from '../../support/clamped-clock.ts';

/** A task that goes on until the test ends it. */
class Step {
  readonly context: TaskContext;
  resolve: (result: string) => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly promise: Promise<string>;

  constructor(context: TaskContext) {
    this.context = context;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

function setUp(concurrency = 1, doTask?: TaskFunction<string, string>) {
  const clock = new VirtualClock(0);
  const steps = new Map<string, Step>();
  const log: string[] = [];
  const results = new Map<string, AttemptResult<string>>();
  const broken: TaskdistError[] = [];
  const handler: TaskHandler<string, string> = {
    doTask:
      doTask ??
      ((task, context) => {
        const step = new Step(context);
        steps.set(task, step);
        return step.promise;
      }),
  };
  const listener = {
    broken: (error: TaskdistError) => void broken.push(error),
    slotFreed: () => void log.push('freed'),
  };
  const executor = new Executor<string, string>(handler, clock, concurrency, 1000, listener);
  const add = (task: string): AddedAttempt =>
    executor.add({
      key: `key ${task}`,
      attempt: 2,
      task,
      started: () => log.push(`start ${task}`),
      progressed: (value) => log.push(`progress ${task} ${value}`),
      ended: (result, durationMs) => {
        log.push(`end ${task} ${result.kind} ${durationMs}`);
        results.set(task, result);
      },
    });
  const step = (task: string): Step => steps.get(task) ?? expect.unreachable(`${task} has not started`);
  return { clock, executor, add, step, steps, log, results, broken };
}

describe('Executor', () => {
  it('runs attempts in order of arrival, as many at once as it may', async () => {
    const { clock, add, step, log } = setUp(2);
    for (const task of ['a', 'b', 'c', 'd']) add(task);
    expect(log).toEqual(['start a', 'start b']);
    await clock.advance(10);
    step('b').resolve('result');
    await clock.settle();
    expect(log.slice(2)).toEqual(['end b done 10', 'start c']);
    step('a').resolve('result');
    step('c').resolve('result');
    await clock.settle();
    expect(log.slice(4)).toEqual(['end a done 10', 'end c done 0', 'start d']);
  });

  it('gives the handler the task and its context', () => {
    const seen: unknown[] = [];
    const { add } = setUp(1, (task, context) => {
      seen.push(task, context.key, context.attempt, context.signal.aborted);
      return '';
    });
    add('a');
    expect(seen).toEqual(['a', 'key a', 2, false]);
  });

  it('gives the result, of a promise or at once', async () => {
    for (const doTask of [(task: string) => `${task}!`, async (task: string) => `${task}!`]) {
      const { clock, add, results } = setUp(1, doTask);
      add('a');
      await clock.settle();
      expect(results.get('a')).toEqual({ kind: 'done', result: 'a!' });
    }
  });

  it('fails an attempt with whatever was thrown, at once or later', async () => {
    const error = new Error('no');
    const sync = (): never => {
      throw error;
    };
    for (const doTask of [sync, async () => sync()]) {
      const { clock, add, results } = setUp(1, doTask);
      add('a');
      await clock.settle();
      expect(results.get('a')).toEqual({ kind: 'failed', error });
    }
  });

  it('tells a rejection from a failure, that of another copy of the library too', async () => {
    const foreign = Object.assign(new Error('m'), {
      [Symbol.for('taskdist.error')]: true,
      code: 'TASKDIST_TASK_REJECTED',
    });
    const { clock, add, results } = setUp(2, async (task, context) => {
      if (task === 'foreign') throw foreign;
      return context.reject('no GPU');
    });
    add('own');
    add('foreign');
    await clock.settle();
    expect([...results.values()]).toEqual([
      { kind: 'rejected', reason: 'no GPU' },
      { kind: 'rejected', reason: 'm' },
    ]);
  });

  it('ends an attempt once, whatever a strange thenable does', async () => {
    const { clock, add, log } = setUp(
      1,
      () =>
        ({
          // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
          then(resolve: (value: string) => void, reject: (error: unknown) => void) {
            resolve('once');
            resolve('twice');
            reject(new Error('thrice'));
          },
        }) as Promise<string>,
    );
    add('a');
    await clock.settle();
    expect(log).toEqual(['start a', 'end a done 0']);
  });

  it('runs a hundred thousand waiting tasks that answer at once, without going deeper with each', () => {
    const { executor, add, log } = setUp(0, (task) => task);
    for (let index = 0; index < 100_000; index += 1) add('x');
    executor.setConcurrency(1);
    expect(log.length).toBe(200_000);
  });

  it('gives the turn back after a few milliseconds of tasks that answer at once', async () => {
    let done = 0;
    const { clock, executor, add } = setUp(0, (task) => {
      clock.jump(1);
      done += 1;
      return task;
    });
    for (let index = 0; index < 20; index += 1) add('x');
    /** How many are done, seen once in each turn. */
    const seen: number[] = [];
    const look = (): void => {
      seen.push(done);
      if (done < 20) clock.soon(look);
    };
    clock.soon(look);
    executor.setConcurrency(1);
    await clock.settle();
    expect(seen.at(-1)).toBe(20);
    for (const [index, count] of seen.entries()) expect(count - (seen[index - 1] ?? 0)).toBeLessThanOrEqual(5);
  });

  it('starts more when it may run more, and lets those go on that run when it may run fewer', async () => {
    const { clock, executor, add, step, log } = setUp(1);
    for (const task of ['a', 'b', 'c', 'd']) add(task);
    executor.setConcurrency(3);
    expect(log).toEqual(['start a', 'start b', 'start c']);
    executor.setConcurrency(1);
    for (const task of ['a', 'b']) step(task).resolve('');
    await clock.settle();
    expect(log).not.toContain('start d');
    step('c').resolve('');
    await clock.settle();
    expect(log.at(-1)).toBe('start d');
  });

  it('gives back what has not started, and lets the rest go on', async () => {
    const { clock, executor, add, log, step } = setUp(1);
    for (const task of ['a', 'b', 'c']) add(task);
    executor.releaseWaiting();
    step('a').resolve('');
    await clock.settle();
    expect(log).toEqual(['start a', 'end b released 0', 'end c released 0', 'end a done 0']);
  });
});

describe('an attempt that is called off', () => {
  it('is left out if it has not started', async () => {
    const { clock, add, step, log } = setUp(1);
    add('a');
    const added = add('b');
    add('c');
    added.cancel('why');
    added.cancel('again');
    step('a').resolve('');
    await clock.settle();
    expect(log).toEqual(['start a', 'end b released 0', 'end a done 0', 'start c']);
  });

  it('is aborted if it runs, and keeps its slot until the handler is through', async () => {
    const { clock, add, step, log } = setUp(1);
    const added = add('a');
    add('b');
    const { signal } = step('a').context;
    await clock.advance(10);
    const reason = abortError('why', 'cause');
    added.cancel(reason);
    expect([signal.aborted, signal.reason, reason.code, reason.cause]).toEqual([
      true,
      reason,
      'TASKDIST_TASK_ABORTED',
      'cause',
    ]);
    await clock.advance(500);
    expect(log).toEqual(['start a']);
    step('a').reject(reason);
    await clock.settle();
    expect(log).toEqual(['start a', 'end a released 510', 'start b']);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(['resolve', 'reject'] as const)('is given back, whatever it comes to: %s', async (how) => {
    const { clock, add, step, results } = setUp(1);
    add('a').cancel('why');
    step('a')[how]('whatever');
    await clock.settle();
    expect(results.get('a')).toEqual({ kind: 'released' });
  });

  it('is given up after the grace, and its slot given away', async () => {
    const { clock, add, step, log } = setUp(1);
    add('a').cancel('why');
    add('b');
    await clock.advance(999);
    expect(log).toEqual(['start a']);
    await clock.advance(1);
    expect(log).toEqual(['start a', 'end a released 1000', 'start b']);
    step('a').resolve('at long last');
    await clock.settle();
    expect(log).toHaveLength(3);
  });

  it('is given as long as the grace says, also if that is a month', async () => {
    const clock = new ClampedClock();
    const listener = { broken() {}, slotFreed() {} };
    const doTask = (): Promise<never> => new Promise(() => {});
    const executor = new Executor<string, string>({ doTask }, clock, 1, 30 * DAY_MS, listener);
    const ended = vi.fn();
    executor.add({ key: 'a', attempt: 1, task: 'a', started() {}, progressed() {}, ended }).cancel('why');
    await clock.advance(30 * DAY_MS - 1);
    expect(ended).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(ended).toHaveBeenCalledExactlyOnceWith({ kind: 'released' }, 30 * DAY_MS);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not mind being called off when it is over', async () => {
    const { clock, add, step, log } = setUp(1);
    const added = add('a');
    step('a').resolve('');
    await clock.settle();
    added.cancel('why');
    await clock.advance(5000);
    expect(log).toEqual(['start a', 'end a done 0']);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('an attempt whose connection is over', () => {
  it('is called off, and its slot is not there to offer until it ends', async () => {
    const { clock, executor, add, step, log } = setUp(2);
    const [a, b, c] = [add('a'), add('b'), add('c')];
    for (const added of [a, b, c]) added.leaveOver('why');
    expect([executor.leftOver, step('a').context.signal.aborted, log.slice(2)]).toEqual([
      2,
      true,
      ['end c released 0'],
    ]);
    step('a').resolve('');
    await clock.settle();
    expect([executor.leftOver, log.slice(3)]).toEqual([1, ['end a released 0', 'freed']]);
    await clock.advance(1000);
    expect([executor.leftOver, log.slice(5)]).toEqual([0, ['end b released 1000', 'freed']]);
  });

  it('is so also if it was called off before, and not at all if it has ended', async () => {
    const { clock, executor, add, step } = setUp(2);
    const [a, b] = [add('a'), add('b')];
    a.cancel('why');
    step('b').resolve('');
    await clock.settle();
    for (const added of [a, b]) added.leaveOver('why');
    expect(executor.leftOver).toBe(1);
    step('a').reject('why');
    await clock.settle();
    expect([executor.leftOver, clock.pendingTimers]).toEqual([0, 0]);
  });
});

describe('abortAll', () => {
  it('gives back what waits, aborts what runs, and waits for it', async () => {
    const { clock, executor, add, step, log } = setUp(2);
    for (const task of ['a', 'b', 'c']) add(task);
    let isOver = false;
    void executor.abortAll('why').then(() => {
      isOver = true;
    });
    expect(['a', 'b'].map((task) => step(task).context.signal.reason)).toEqual(['why', 'why']);
    step('a').reject('why');
    await clock.settle();
    expect(isOver).toBe(false);
    step('b').resolve('');
    await clock.settle();
    expect(isOver).toBe(true);
    expect(log.slice(2)).toEqual(['end c released 0', 'end a released 0', 'end b released 0']);
  });

  it('waits no longer than the grace', async () => {
    const { clock, executor, add, log } = setUp(1);
    add('a');
    let isOver = false;
    void executor.abortAll('why').then(() => {
      isOver = true;
    });
    await clock.advance(999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect([isOver, log.at(-1)]).toEqual([true, 'end a released 1000']);
  });

  it('is over at once if nothing runs', async () => {
    const { executor } = setUp();
    await executor.abortAll('why');
  });
});

describe('an Executor whose sandbox is broken', () => {
  it('gives the task back, and tells', async () => {
    const error = new TaskdistError('TASKDIST_SANDBOX_BROKEN', 'broken');
    const { clock, add, results, broken } = setUp(1, async () => {
      throw error;
    });
    add('a');
    await clock.settle();
    expect(results.get('a')).toEqual({ kind: 'released' });
    expect(broken).toEqual([error]);
  });
});

describe('for how long what is read may have lain unread', () => {
  it('is as long as a handler held the thread, beyond a usual turn, until that turn is over and what came is read', async () => {
    const { clock, executor, add } = setUp(1, () => {
      clock.jump(1000);
      return 'result';
    });
    expect(executor.heldMs).toBe(0);
    add('a');
    // In the same turn.
    expect(executor.heldMs).toBe(996);
    const inTheNext: number[] = [];
    clock.soon(() => inTheNext.push(executor.heldMs));
    await clock.settle();
    expect([inTheNext, executor.heldMs]).toEqual([[996], 0]);
  });

  it('is no time while a handler waits, or computes shortly', async () => {
    const { clock, executor, add } = setUp(2, (task) => {
      clock.jump(4);
      return task === 'waits' ? new Promise(() => {}) : 'result';
    });
    add('waits');
    add('short');
    expect(executor.heldMs).toBe(0);
    await clock.advance(1000);
    expect(executor.heldMs).toBe(0);
  });
});
