import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../../src/handler.ts';
import type { ThreadMessage } from '../../../src/sandbox/thread-api.ts';
import { ThreadHost } from '../../../src/sandbox/thread-host.ts';
import { nextTurn } from '../../support/event-loop.ts';

type Doing = (context: TaskContext) => unknown;

/** A host that says what it does and posts, in order; a task is called by its number. */
function setUp() {
  const log: string[] = [];
  const post = ([, kind, call, value]: ThreadMessage): void => {
    if (typeof value === 'function') throw new TypeError('no functions');
    const shown = kind === 'failed' ? value.message : value;
    log.push([kind, call, shown].filter((part) => part !== undefined).join(' '));
  };
  const host = new ThreadHost<{ call: number; run: Doing }, unknown>(
    {
      doTask({ call, run }, context) {
        log.push(`run ${call}`);
        return run(context);
      },
    },
    post,
  );
  const run = (...runs: Doing[]): void =>
    host.run(runs.map((each, call) => [call, { call, run: each }, `key ${call}`, 1]));
  return { host, run, log };
}

/** Computes for as long as makes a thread yield. */
function computeForLong(): void {
  const untilMs = performance.now() + 5;
  while (performance.now() < untilMs);
}

describe('ThreadHost', () => {
  it('runs calls one after the other, and posts each result before the next begins', async () => {
    const { run, log } = setUp();
    run(
      () => 'a',
      async () => 'b',
      () => {
        throw new Error('c');
      },
      (context) => context.reject('d'),
    );
    await expect
      .poll(() => log)
      .toEqual(['run 0', 'done 0 a', 'run 1', 'done 1 b', 'run 2', 'failed 2 c', 'run 3', 'rejected 3 d']);
  });

  it('fails a call whose result cannot be posted, and goes on', async () => {
    const { run, log } = setUp();
    run(
      () => () => {},
      () => 'b',
    );
    await expect
      .poll(() => log)
      .toEqual(['run 0', 'failed 0 The result cannot leave the thread: no functions', 'run 1', 'done 1 b']);
  });

  it('tells progress in between', async () => {
    const { run, log } = setUp();
    run(
      (context) => context.progress('half'),
      () => 'b',
    );
    await expect.poll(() => log).toEqual(['run 0', 'progress 0 half', 'done 0', 'run 1', 'done 1 b']);
  });

  it('leaves out what is dropped before it has begun', async () => {
    const { host, run, log } = setUp();
    let finish = (_result: unknown): void => {};
    run(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
      () => 'b',
      () => 'c',
    );
    host.drop([0, 1]);
    expect(log).toEqual(['run 0', 'dropped 1']);
    finish('a');
    await expect.poll(() => log.slice(2)).toEqual(['done 0 a', 'run 2', 'done 2 c']);
  });

  it('aborts what runs, and leaves out what does not', async () => {
    const { host, run, log } = setUp();
    run(
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason.message))),
      () => 'b',
    );
    host.abort(1, 'not wanted');
    host.abort(0, 'enough');
    await expect.poll(() => log).toEqual(['run 0', 'dropped 1', 'done 0 enough']);
  });

  it('hears what came in while it computed before it begins the next call', async () => {
    const { host, run, log } = setUp();
    const dropped = nextTurn().then(() => host.drop([1]));
    run(computeForLong, () => 'b');
    await dropped;
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    expect(log).toEqual(['run 0', 'done 0', 'dropped 1']);
  });
});
