// In which order a sandbox gives back what waits behind tasks that take long, in several threads at once.
import { expect, it, onTestFinished } from 'vitest';
import { type Ahead, ahead } from '../../../src/ahead.ts';
import { sandbox } from '../../../src/sandbox/sandbox.ts';
import { MARK } from '../../../src/sandbox/thread-api.ts';

/** A thread by hand, which begins nothing. */
class ManualThread extends EventTarget {
  readonly calls: number[] = [];

  postMessage({ path, argumentList }: { path: string[]; argumentList: { value: unknown }[] }): void {
    if (path[0] !== 'run') return;
    for (const [call] of (argumentList[0]?.value ?? []) as [number][]) this.calls.push(call);
  }

  terminate(): void {}

  say(...message: unknown[]): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: [MARK, ...message] }));
  }
}

it('returns the youngest first, of all threads, as its owner puts each before those that wait', async () => {
  const threads: ManualThread[] = [];
  const factory = (): ManualThread => {
    const thread = new ManualThread();
    threads.push(thread);
    return thread;
  };
  const handler = sandbox(factory, { size: 2 });
  onTestFinished(() => handler.stop?.());
  const { hand } = Reflect.get(handler, ahead) as Ahead;
  const returned: string[] = [];
  const put = (key: string): void => {
    const ended = { started() {}, progressed() {}, done() {}, failed() {}, returned: () => void returned.push(key) };
    hand({ key, attempt: 1, task: key, ...ended }, 2);
  };
  put('warm 1');
  put('warm 2');
  for (const thread of threads) {
    thread.say('ready');
    await expect.poll(() => thread.calls).toHaveLength(1);
    thread.say('done', thread.calls[0], 'x', 0.001);
  }
  // A window that no thread has room for, besides.
  const keys = Array.from({ length: 600 }, (_, index) => String(index));
  for (const key of keys) put(key);
  await expect.poll(() => returned.length).toBe(598);
  expect(returned).toEqual(keys.slice(2).reverse());
});
