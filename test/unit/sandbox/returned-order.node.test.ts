// In which order a sandbox gives back, or runs, what waits behind tasks that take long, in several threads at once.
import { expect, it, onTestFinished } from 'vitest';
import { type Ahead, ahead } from '../../../src/ahead.ts';
import { sandbox } from '../../../src/sandbox/sandbox.ts';
import { MARK } from '../../../src/sandbox/thread-api.ts';

/** A thread by hand, which begins nothing. */
class ManualThread extends EventTarget {
  readonly calls: (readonly [call: number, task: string])[] = [];
  readonly dropped = new Set<number>();

  postMessage({ path, argumentList }: { path: string[]; argumentList: { value: unknown }[] }): void {
    const list = argumentList[0]?.value ?? [];
    if (path[0] === 'run') this.calls.push(...(list as [number, string][]));
    if (path[0] === 'drop') for (const call of list as number[]) this.dropped.add(call);
  }

  terminate(): void {}

  say(...message: unknown[]): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: [MARK, ...message] }));
  }
}

/** A sandbox of two threads whose tasks seem short, and these threads. */
async function setUp() {
  const threads: ManualThread[] = [];
  const factory = (): ManualThread => {
    const thread = new ManualThread();
    threads.push(thread);
    return thread;
  };
  const handler = sandbox<string, unknown>(factory, { size: 2 });
  onTestFinished(() => handler.stop?.());
  const run = (key: string): void => {
    const { signal } = new AbortController();
    const reject = () => {
      throw new Error('not called');
    };
    Promise.resolve(handler.doTask(key, { key, attempt: 1, signal, progress() {}, reject })).catch(() => {});
  };
  run('warm 1');
  run('warm 2');
  for (const thread of threads) {
    thread.say('ready');
    await expect.poll(() => thread.calls).toHaveLength(1);
    thread.say('done', thread.calls[0]?.[0], 'x', 0.001);
  }
  return { handler, threads, run };
}

/** More than both threads have room for. */
const keys = Array.from({ length: 600 }, (_, index) => String(index));

it('returns the youngest first, of all threads, as its owner puts each before those that wait', async () => {
  const { handler } = await setUp();
  const { hand } = Reflect.get(handler, ahead) as Ahead;
  const returned: string[] = [];
  for (const key of keys) {
    const ended = { started() {}, progressed() {}, done() {}, failed() {}, returned: () => void returned.push(key) };
    hand({ key, attempt: 1, task: key, ...ended }, 2);
  }
  await expect.poll(() => returned.length).toBe(598);
  expect(returned).toEqual(keys.slice(2).reverse());
});

it('runs what comes back in its order, where it is called as any handler', async () => {
  const { threads, run } = await setUp();
  for (const key of keys) run(key);
  await expect.poll(() => threads.every(({ dropped }) => dropped.size > 0)).toBe(true);
  const sent = threads.map(({ calls }) => calls.length);
  for (const thread of threads) {
    for (const call of thread.dropped) thread.say('dropped', call);
    thread.say('done', thread.calls[1]?.[0], 'x', 30);
  }
  const next = () => threads.map(({ calls }, index) => calls.slice(sent[index]).map(([, task]) => Number(task)));
  await expect.poll(() => next().every((tasks) => tasks.length > 0)).toBe(true);
  const tasks = next().flat();
  expect(Math.min(...tasks)).toBe(2);
  // Each thread gets the next ones, in a row.
  for (const [first = 0, ...others] of next()) expect(others).toEqual(others.map((_, index) => first + 1 + index));
});
