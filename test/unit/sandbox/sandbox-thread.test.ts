// What becomes of jobs that are taken back from a thread that takes long, if the thread begins them all the same.
import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { Job } from '../../../src/sandbox/job.ts';
import { SandboxThread } from '../../../src/sandbox/sandbox-thread.ts';
import { SharedResults } from '../../../src/sandbox/shared-results.ts';
import { MARK } from '../../../src/sandbox/thread-api.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const GRACE_MS = 1000;

/** A thread by hand: what it was told, in short, and how it speaks. */
class ManualThread extends EventTarget {
  readonly told: string[] = [];
  shared: SharedResults | undefined = undefined;

  postMessage({ path, argumentList }: { path: string[]; argumentList: { value: unknown }[] }): void {
    const [first] = argumentList.map(({ value }) => value);
    // Whether memory can be shared is a matter of the platform.
    if (path[0] === 'share') {
      if (first instanceof SharedArrayBuffer) this.shared = new SharedResults(first);
      return;
    }
    const calls = path[0] === 'run' ? (first as [number][]).map(([call]) => call) : first;
    this.told.push(`${path[0]} ${calls}`);
  }

  terminate(): void {
    this.told.push('terminate');
  }

  say(...message: unknown[]): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: [MARK, ...message] }));
  }
}

/** A thread that runs the first of two jobs for so long that the second one was taken back from it. */
async function setUp() {
  const clock = new VirtualClock(0);
  const manual = new ManualThread();
  const log: string[] = [];
  const thread = new SandboxThread({
    factory: () => manual,
    bootTimeoutMs: 5000,
    clock,
    booted() {},
    ended: () => void log.push('thread ended'),
    relieved() {},
    ran() {},
  });
  const create = (key: string): Job =>
    new Job(
      {
        key,
        attempt: 1,
        task: key,
        started: () => void log.push(`started ${key}`),
        progressed: (value) => void log.push(`progress ${key} ${value}`),
        done: (result) => void log.push(`done ${key} ${result}`),
        failed: (error) => void log.push(`failed ${key} ${error}`),
        returned: () => void log.push(`returned ${key}`),
      },
      0,
      1,
      { unqueue: () => false, afterGrace: (callback) => clock.setTimer(GRACE_MS, callback) },
    );
  manual.say('ready');
  const first = create('a');
  thread.add(first);
  thread.add(create('b'));
  await clock.settle();
  expect(thread.relieveIfStalled()).toEqual([]);
  for (const job of thread.relieveIfStalled()) job.giveBack();
  expect(log.splice(0)).toEqual(['started a', 'returned b']);
  expect(manual.told.splice(0)).toEqual(['run 1,2', 'drop 2']);
  return { clock, thread, manual, log, create, abortFirst: () => first.abort('no use') };
}

describe('a thread that has nothing to do', () => {
  it('is not taken for one that takes long, however often it is looked at', async () => {
    const { thread, manual } = await setUp();
    manual.say('done', 1, 'result', 7);
    manual.say('dropped', 2);
    expect([thread.relieveIfStalled(), thread.relieveIfStalled()]).toEqual([[], []]);
    expect(thread.takesAhead).toBe(true);
  });
});

describe('a job that was taken back from a thread which begins it all the same', () => {
  it('is told to nobody', async () => {
    const { clock, manual, log } = await setUp();
    manual.say('done', 1, 'result', 7);
    manual.say('progress', 2, 'half');
    manual.say('done', 2, 'result', 7);
    await clock.settle();
    expect([log, clock.pendingTimers]).toEqual([['done a result'], 0]);
  });

  it('is aborted, and if it does not end, its thread is terminated', async () => {
    const { clock, thread, manual, log } = await setUp();
    manual.say('done', 1, 'result', 7);
    expect(manual.told).toEqual(['abort 2']);
    await clock.advance(GRACE_MS);
    expect(manual.told).toEqual(['abort 2', 'terminate']);
    expect([log, thread.load, clock.pendingTimers]).toEqual([['done a result', 'thread ended'], 0, 0]);
  });

  it('is nothing to end a thread for that leaves it out', async () => {
    const { clock, thread, manual, log } = await setUp();
    manual.say('done', 1, 'result', 7);
    manual.say('dropped', 2);
    await clock.advance(GRACE_MS);
    expect([log, thread.load, manual.told]).toEqual([['done a result'], 0, ['abort 2']]);
  });
});

describe.skipIf(SharedResults.create() === undefined)(
  'a job that was called off, and whose result is in the memory that is shared',
  () => {
    it('is no reason to end its thread, which is past it', async () => {
      const { clock, manual, log, abortFirst } = await setUp();
      abortFirst();
      manual.shared?.write(1, 42, 7);
      await clock.advance(GRACE_MS);
      expect([log, manual.told]).toEqual([['done a 42'], ['abort 1', 'abort 2']]);
    });
  },
);

describe.skipIf(SharedResults.create() === undefined)('a job whose result is in the memory that is shared', () => {
  it('has it though its thread is terminated', async () => {
    const { thread, manual, log } = await setUp();
    manual.shared?.write(1, 42, 7);
    await thread.terminate(new TaskdistError('TASKDIST_STOPPED', 'enough'));
    expect(log).toEqual(['done a 42', 'thread ended']);
  });

  it('ends behind an older one whose answer was posted', async () => {
    const { clock, thread, manual, log, create } = await setUp();
    manual.say('done', 1, 'a', 7);
    manual.say('dropped', 2);
    for (const key of ['c', 'd']) thread.add(create(key));
    await clock.settle();
    log.splice(0);
    manual.shared?.write(4, 42, 7);
    manual.say('written');
    expect(log).toEqual([]);
    manual.say('done', 3, 'posted', 7);
    expect(log).toEqual(['done c posted', 'started d', 'done d 42']);
  });
});
